"""From the tags of photos to numbers of labels: what a tagger learns from, and is measured by."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.display import name_count, name_first, show_text
from seentwice.errors import UserError
from seentwice.records import Photo, TagHead, TagSet

ROOM_TYPE = "room_type"  # the tag that data sets of rooms have of their own
UNKNOWN = -1
_FEWEST = 2  # labels that a head tells apart
_RARE = 5  # photos of a label; fewer are hardly one


@dataclass(frozen=True, slots=True)
class HeadRule:
    """Where the labels of a head come from."""

    column: str  # of the tags: room_type, or one of a table
    labels: Mapping[str, tuple[str, ...]]  # by label the values of that column which it stands for


@dataclass(frozen=True, slots=True, eq=False)
class TaggedLabels:
    """The labels of some photos."""

    tags: TagSet
    number: NDArray[np.int64]  # (p, h) which label of each head, or `UNKNOWN`
    remarks: tuple[str, ...]  # of values and labels that nothing is learned from, one line each

    def count(self, photos: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Return for each head how many of these photos have each label, (labels,) each."""
        return tuple(
            np.bincount(column[column != UNKNOWN], minlength=len(head.labels))
            for head, column in zip(self.tags.heads, self.number[photos].T, strict=True)
        )


def rules_of_columns(photos: Sequence[Photo]) -> dict[str, HeadRule]:
    """Return a head for each tag of the photos, both heads and their labels by name.

    Raises:
        UserError: the photos have no tags.
    """
    values: dict[str, set[str]] = {}
    for photo in photos:
        for name, value in photo.tags:
            values.setdefault(name, set()).add(value)
    if not values:
        raise UserError(
            "tags=columns: these photos have no tags; give data=tags_csv data.path=TABLE.csv "
            "data.root=PHOTOS"
        )
    return {
        name: HeadRule(name, {value: (value,) for value in sorted(found)})
        for name, found in sorted(values.items())
    }


def label_photos(photos: Sequence[Photo], rules: Mapping[str, HeadRule]) -> TaggedLabels:
    """Return the labels of photos by rules; labels that no photo has are left out.

    A head of which fewer than two labels have photos is left out, too.

    Raises:
        UserError: no head is left, or a value belongs to two labels of one.
    """
    heads, columns, remarks = [], [], []
    for name, rule in rules.items():
        label_of = _label_by_value(name, rule)
        values = [dict(_tags_of(photo)).get(rule.column) for photo in photos]
        found = Counter(label_of[value] for value in values if value in label_of)
        labels = tuple(label for label in rule.labels if found[label])
        other = Counter(value for value in values if value is not None and value not in label_of)
        if other:
            shown = name_first([show_text(value) for value, _ in other.most_common()])
            photos_have = name_count(sum(other.values()), "photo has", "photos have")
            remarks.append(f"{name}: {photos_have} no label of it: {shown}")
        if len(labels) < _FEWEST:
            remarks.append(f"{name}: left out, fewer than two of its labels have photos")
            continue
        number = {label: place for place, label in enumerate(labels)}
        heads.append(TagHead(name, labels))
        columns.append(
            [UNKNOWN if value not in label_of else number[label_of[value]] for value in values]
        )
    if not heads:
        names = ", ".join(f"{name} ({rule.column})" for name, rule in rules.items())
        raise UserError(
            f"tags: no head has photos of two labels: {names}; choose another data set, or "
            "tags.heads that fit this one"
        )
    return TaggedLabels(TagSet(tuple(heads)), np.array(columns, np.int64).T, tuple(remarks))


def remark_rare(labels: TaggedLabels) -> Iterator[str]:
    """Yield a line for each label that has too few photos to be learned: a typo has one or two."""
    counts = labels.count(np.arange(len(labels.number)))
    for head, count in zip(labels.tags.heads, counts, strict=True):
        for label, photos in zip(head.labels, count.tolist(), strict=True):
            if photos < _RARE:
                told = name_count(photos, "photo", "photos")
                yield f"{head.name}: {show_text(label)}: {told}; a typo?"


def match_labels(labels: TaggedLabels, tags: TagSet) -> TaggedLabels:
    """Number labels as another tagger does; what it does not know is unknown.

    Raises:
        UserError: no head has a name and a label of that tagger's.
    """
    matched = np.full((len(labels.number), len(tags)), UNKNOWN, np.int64)
    own = {head.name: place for place, head in enumerate(labels.tags.heads)}
    for column, head in enumerate(tags.heads):
        if head.name not in own:
            continue
        place = own[head.name]
        names = labels.tags.heads[place].labels
        number = np.array([*(_place_in(head, name) for name in names), UNKNOWN])
        matched[:, column] = number[labels.number[:, place]]
    if (matched == UNKNOWN).all():
        known = ", ".join(f"{head.name} ({', '.join(head.labels)})" for head in tags.heads)
        raise UserError(f"tags: no photo has a label that the checkpoint knows: {known}")
    return TaggedLabels(tags, matched, labels.remarks)


def _place_in(head: TagHead, label: str) -> int:
    return head.labels.index(label) if label in head.labels else UNKNOWN


def _tags_of(photo: Photo) -> Iterator[tuple[str, str]]:
    if photo.room_type:
        yield ROOM_TYPE, photo.room_type
    yield from photo.tags


def _label_by_value(name: str, rule: HeadRule) -> dict[str, str]:
    label_of: dict[str, str] = {}
    for label, values in rule.labels.items():
        for value in values:
            if value in label_of:
                raise UserError(
                    f"tags.heads.{name}: {value!r} is of {label_of[value]} and of {label}; give it "
                    "to one"
                )
            label_of[value] = label
    return label_of
