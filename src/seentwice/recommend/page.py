"""`--html`: what looks alike as a page of pictures, each with its three scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.display import name_count, show_text
from seentwice.pages import (
    Cell,
    Column,
    Facts,
    PhotoGrid,
    PhotoShot,
    Section,
    Table,
    Thumbnail,
    render_page,
    write_page,
)
from seentwice.recommend.candidates import Title
from seentwice.recommend.filters import Filter
from seentwice.recommend.results import Recommendation
from seentwice.recommend.scores import ScoreWeights

MakeThumbnail = Callable[[Path], bytes | None]
"""Makes a small JPEG of a photo; None where it cannot be read."""
TITLES: Mapping[Title, str] = {
    "first": "the first",
    "front": "the best house front",
    "any": "whichever looks most alike",
}
"""By which photo a listing is compared, in words."""
_FACTS_SHOWN = 6  # below a picture; the table has all of them


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and its n results."""

    asked: str  # the id of a listing, or a file
    photos: Sequence[tuple[str, Path]]  # names and files of the photos that were asked about
    filters: Sequence[Filter]
    title: Title
    weights: ScoreWeights
    found: Sequence[Recommendation]  # n, the best first
    same: Sequence[int | None]  # n, the rank of the first result with the very same photo
    facts: Sequence[Mapping[str, str]]  # n, of the listings by column, the same columns for all
    root: Path  # the folder of the photos that were found

    @property
    def empty(self) -> str:
        """What is said where there is no result."""
        return "no listing passes the filters" if self.filters else "no other listing is there"


def write_recommendations(path: Path, answer: Answer, make_thumbnail: MakeThumbnail) -> None:
    """Write the page.

    Args:
        path: in a folder that exists.
        answer: what is shown.
        make_thumbnail: of a photo.

    Raises:
        UnwritableError: the folder is missing or cannot be written, or the disk is full.
    """
    weights = answer.weights
    asked = tuple(_shoot(name, file, (), make_thumbnail) for name, file in answer.photos)
    shots = tuple(
        _shoot(
            f"{one.rank}. {one.listing}",
            answer.root / one.photo,
            tuple(_describe(one, same, facts)),
            make_thumbnail,
        )
        for one, same, facts in zip(answer.found, answer.same, answer.facts, strict=True)
    )
    sections = (
        Section("Asked about", blocks=(PhotoGrid(asked), _list_question(answer))),
        Section(
            "Looks most like it",
            f"The score is class points, up to {weights.class_points:g} where both photos show "
            f"house fronts, plus tag points, up to {weights.tag_points:g}, plus visual "
            f"similarity, up to {weights.visual_similarity:g}.",
            (PhotoGrid(shots), _tabulate(answer)),
        )
        if shots
        else Section("Looks most like it", f"{_begin_sentence(answer.empty)}."),
    )
    count = f"{name_count(len(shots), 'listing', 'listings')}, the best first."
    summary = count if shots else f"{_begin_sentence(answer.empty)}."
    write_page(path, render_page(f"What looks like {show_text(answer.asked)}", summary, sections))


def _begin_sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _list_question(answer: Answer) -> Facts:
    filters = ", ".join(show_text(str(one)) for one in answer.filters)
    return Facts(
        (
            ("asked", show_text(answer.asked)),
            ("filters", filters or "none"),
            ("photo of a listing that is compared", TITLES[answer.title]),
        )
    )


def _shoot(
    name: str, file: Path, lines: tuple[str, ...], make_thumbnail: MakeThumbnail
) -> PhotoShot:
    jpeg = make_thumbnail(file)
    shown = show_text(name)
    problem = "" if jpeg else "cannot be read any more"
    return PhotoShot(Thumbnail(jpeg, shown, problem), (shown, *lines))


def _describe(one: Recommendation, same: int | None, facts: Mapping[str, str]) -> Iterator[str]:
    yield f"score {one.score:.3f}"
    yield (
        f"class {one.class_points:.3f} + tags {one.tag_points:.3f} + "
        f"visual {one.visual_similarity:.3f}"
    )
    known = [f"{name} {value}" for name, value in facts.items() if value]
    if known:
        yield show_text(", ".join(known[:_FACTS_SHOWN]))
    if same is not None:
        yield f"same photo as {same}"


def _tabulate(answer: Answer) -> Table:
    names = ("score", "class points", "tag points", "visual similarity")
    facts = [*answer.facts[0]]
    columns = (
        Column("listing"),
        *(Column(name, is_numeric=True) for name in names),
        *(Column("same photo as", is_numeric=True) for _ in range(any(answer.same))),
        *(Column(show_text(name)) for name in facts),
    )
    rows = []
    for one, same, of_listing in zip(answer.found, answer.same, answer.facts, strict=True):
        values = (one.score, one.class_points, one.tag_points, one.visual_similarity)
        cells = [Cell(f"{value:.3f}", value=value) for value in values]
        if any(answer.same):
            cells.append(Cell("" if same is None else str(same), value=same))
        cells += [Cell(show_text(value)) for value in of_listing.values()]
        rows.append((Cell(show_text(one.listing), detail=show_text(one.photo)), *cells))
    return Table("Scores and their parts", columns, tuple(rows))
