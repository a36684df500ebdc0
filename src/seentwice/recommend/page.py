"""`--html`: what looks alike as a page of pictures, each with its three scores."""

from collections.abc import Callable, Sequence
from pathlib import Path

from seentwice.display import name_count, show_text
from seentwice.pages import (
    Cell,
    Column,
    PhotoGrid,
    PhotoShot,
    Section,
    Table,
    Thumbnail,
    render_page,
    write_page,
)
from seentwice.recommend.results import Recommendation
from seentwice.recommend.scores import ScoreWeights

MakeThumbnail = Callable[[Path], bytes | None]
"""Makes a small JPEG of a photo; None where it cannot be read."""


def write_recommendations(
    path: Path,
    asked: Sequence[tuple[str, Path]],
    found: Sequence[Recommendation],
    root: Path,
    weights: ScoreWeights,
    make_thumbnail: MakeThumbnail,
) -> None:
    """Write the page.

    Args:
        path: in a folder that exists.
        asked: names and files of the photos that were asked about.
        found: the best first.
        root: the folder of the photos that were found.
        weights: of the score.
        make_thumbnail: of a photo.

    Raises:
        UnwritableError: the folder is missing or cannot be written, or the disk is full.
    """
    shots = tuple(
        _shoot(f"{one.rank}. {one.listing}", root / one.photo, _describe(one), make_thumbnail)
        for one in found
    )
    sections = (
        Section(
            "Asked about",
            blocks=(
                PhotoGrid(tuple(_shoot(name, file, (), make_thumbnail) for name, file in asked)),
            ),
        ),
        Section(
            "Looks most like it",
            f"The score is class points, up to {weights.class_points:g} where both photos show "
            f"house fronts, plus tag points, up to {weights.tag_points:g}, plus visual "
            f"similarity, up to {weights.visual_similarity:g}.",
            (PhotoGrid(shots), _tabulate(found)),
        ),
    )
    title = f"What looks like {show_text(asked[0][0])}"
    write_page(path, render_page(title, _count(found), sections))


def _count(found: Sequence[Recommendation]) -> str:
    return f"{name_count(len(found), 'listing', 'listings')}, the best first."


def _shoot(
    name: str, file: Path, lines: tuple[str, ...], make_thumbnail: MakeThumbnail
) -> PhotoShot:
    jpeg = make_thumbnail(file)
    shown = show_text(name)
    problem = "" if jpeg else "cannot be read any more"
    return PhotoShot(Thumbnail(jpeg, shown, problem), (shown, *lines))


def _describe(one: Recommendation) -> tuple[str, ...]:
    return (
        f"score {one.score:.3f}",
        f"class {one.class_points:.3f} + tags {one.tag_points:.3f} + "
        f"visual {one.visual_similarity:.3f}",
    )


def _tabulate(found: Sequence[Recommendation]) -> Table:
    names = ("score", "class points", "tag points", "visual similarity")
    columns = (Column("listing"), *(Column(name, is_numeric=True) for name in names))
    rows = []
    for one in found:
        values = (one.score, one.class_points, one.tag_points, one.visual_similarity)
        cells = (Cell(f"{value:.3f}", value=value) for value in values)
        rows.append((Cell(show_text(one.listing), detail=show_text(one.photo)), *cells))
    return Table("Scores and their parts", columns, tuple(rows))
