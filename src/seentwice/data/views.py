"""Which views of each photo a run looks at: the photo as it is, and its edited copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from seentwice.data.splits import Split
from seentwice.edits import draw_edits, expand_strengths
from seentwice.records import Photo, View


def _refuse_text(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str):
        message = "give a list, as in edits.{key}=[{value}]"
        raise PydanticCustomError("list", message, {"key": info.field_name, "value": value})
    return value


_Names = Annotated[tuple[str, ...], BeforeValidator(_refuse_text), AfterValidator(expand_strengths)]
"""As a configuration gives them, where the name of a strength stands for its edits."""


@dataclass(frozen=True, slots=True)
class EditChoice:
    """The names of the edits that make copies of a photo; it always comes as it is, too."""

    train: _Names
    evaluation: _Names  # in the validation and test splits


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """All v views of a run, those of one photo side by side."""

    views: tuple[View, ...]
    photo: NDArray[np.int64]  # (v,) index into the photos
    edit_name: NDArray[np.str_]  # (v,) "" for the photo as it is

    def members(
        self, photos: NDArray[np.int64], edits: Sequence[str], readable: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return the readable views of some photos with some edits, and unedited: (m,)."""
        chosen = np.isin(self.photo, photos) & np.isin(self.edit_name, ["", *edits]) & readable
        return np.flatnonzero(chosen)

    def content_of(self, digests: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return each view's digest before its edit, (v,), from the digests of unedited views."""
        # The photo as it is stands first among its views.
        _, first, number = np.unique(self.photo, return_index=True, return_inverse=True)
        return digests[first[number]]


def plan_views(
    photos: Sequence[Photo], splits: Sequence[Split], edits: EditChoice, seed: int
) -> ViewPlan:
    """Give each photo the copies that its splits ask for; one that is in no split has no view.

    The parameters of an edit follow from the seed, the photo's key and the edit's name alone.
    """
    trains = np.zeros(len(photos), dtype=bool)
    evaluates = np.zeros(len(photos), dtype=bool)
    for split in splits:
        trains[split.train] = True
        evaluates[split.validation] = evaluates[split.test] = True
    views: list[View] = []
    owner: list[int] = []
    names: list[str] = []
    for number in np.flatnonzero(trains | evaluates).tolist():
        photo = photos[number]
        wanted = (edits.train if trains[number] else ()) + (
            edits.evaluation if evaluates[number] else ()
        )
        unique = tuple(dict.fromkeys(wanted))
        texts = ("", *draw_edits(photo.key, unique, seed))
        views += [View(photo, text) for text in texts]
        owner += [number] * len(texts)
        names += ["", *unique]
    return ViewPlan(tuple(views), np.array(owner), np.array(names))
