"""The splits that a configuration asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console

from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import ReadingSettings, read_settings
from seentwice.commands.unreadable import listing_unreadable, require_readable
from seentwice.data.folds import fold_photos
from seentwice.data.source import PhotoSet
from seentwice.data.split_remarks import remark_on_split
from seentwice.data.splits import (
    Assign,
    Split,
    SplitBy,
    SplitRule,
    can_split,
    leave_whole,
    split_photos,
)
from seentwice.errors import UserError


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """The section `split`."""

    by: SplitBy
    assign: Assign
    seed: int
    validation_share: Annotated[float, Field(gt=0, lt=1)]
    test_share: Annotated[float, Field(gt=0, lt=1)]
    all_pairs: bool  # with folds: whether pairs across parts are tested, too
    leaks: Literal["report", "error"]  # what a photo in two splits is: a note, or the end

    @property
    def rule(self) -> SplitRule:
        """Return which photos stay together, and how the groups are dealt out."""
        return SplitRule(self.by, self.assign, self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class ChosenSplits:
    """One split, or one a fold."""

    rule: SplitRule
    splits: tuple[Split, ...]
    remarks: tuple[str, ...]  # what to know of them before their numbers are believed


def choose_splits(
    config: DictConfig, photo_set: PhotoSet, folds: int | None, must_split: bool, console: Console
) -> ChosenSplits:
    """Split the photos of a data set; tell what to know of that.

    Args:
        config: the composed configuration.
        photo_set: the photos.
        folds: how many; None for one split by shares.
        must_split: whether too few homes or places for that are an error; else all photos train.
        console: prints.

    Raises:
        UserError: a wrong setting, all pairs without folds, or photos that cannot be split so;
            or none can be read.
    """
    settings = read_settings(SplitSettings, config, "split")
    rule = settings.rule
    if settings.all_pairs and folds is None:
        raise UserError("split.all_pairs=true: needs folds, such as folds=5")
    if not must_split and folds is None and not can_split(photo_set.photos, rule):
        remark = "Too few homes or places to be split: all photos are counted as train"
        print_plainly(remark, console)
        return ChosenSplits(rule, (leave_whole(photo_set.photos),), (remark,))
    shares = settings.validation_share, settings.test_share
    with listing_unreadable(photo_set.unreadable, console), _readable_first(config, photo_set):
        if folds is not None:
            splits = fold_photos(photo_set.photos, folds, rule, settings.all_pairs)
        else:
            splits = (split_photos(photo_set.photos, *shares, rule),)
        remarks = remark_on_split(photo_set, splits, rule, *shares)
    for line in remarks:
        print_plainly(line, console)
    return ChosenSplits(rule, splits, tuple(remarks))


@contextmanager
def _readable_first(config: DictConfig, photo_set: PhotoSet) -> Iterator[None]:
    """Where the block refuses the photos and none can be read, tell that instead."""
    try:
        yield
    except UserError:
        limit = read_settings(ReadingSettings, config, None).max_pixels
        require_readable(photo_set.photos, limit)
        raise
