"""The homes of the Houses-dataset by what they are for: half are tested, the others teach."""

from collections.abc import Sequence

from seentwice.data.splits import Assign, Split, SplitBy, SplitRule, split_photos
from seentwice.records import Photo

RULE = SplitRule(SplitBy.PROPERTY, Assign.BALANCED, 0)
TEST_SHARE, VALIDATION_SHARE = 0.5, 0.15


def split_houses(photos: Sequence[Photo]) -> Split:
    """Return the numbers of the photos that teach, validate and are tested; see `RULE`."""
    return split_photos(photos, VALIDATION_SHARE, TEST_SHARE, RULE)
