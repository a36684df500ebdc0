"""The work of `seentwice recommend`: ask the index, and show the answer."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seentwice.commands.progress import describe_unreadable, print_plainly
from seentwice.commands.recommend import RecommendOptions
from seentwice.commands.remembered_reader import RememberedReader
from seentwice.data.source import tell_nobody
from seentwice.dedupe.report.thumbnails import thumbnail_maker
from seentwice.dedupe.report.writing import spell_name
from seentwice.display import show_text
from seentwice.files import digest_file
from seentwice.pages import check_replaceable
from seentwice.photos import PhotoError
from seentwice.photos.problems import find_problem
from seentwice.recommend.answering import Asked
from seentwice.recommend.page import Answer, write_recommendations
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.results import find_same_photos, list_facts
from seentwice.records import Unreadable

UNREADABLE = 1
"""The exit code where a file gave no photo."""


def answer(options: RecommendOptions, console: Console) -> int:
    """Show the listings that look most like what is asked about.

    Raises:
        UserError: there is no index, no such photo or listing, a filter on nothing, or something
            else than a page in the way of one.
    """
    if options.html is not None:
        check_replaceable("--html", options.html)
    recommender = Recommender.open(options.index)
    weights = replace(recommender.about.weights, **options.weights)
    try:
        asked, files = _ask(options, recommender)
    except PhotoError as error:
        _print_problem(options, error.unreadable, console)
        return UNREADABLE
    found = recommender.recommend(
        asked, options.top, options.filters, title=options.title, weights=weights
    )
    shown = Answer(
        asked=options.asked,
        photos=files,
        filters=options.filters,
        title=options.title,
        weights=weights,
        found=found,
        same=find_same_photos(recommender.state, found),
        facts=list_facts(recommender.state, found),
        root=recommender.root,
    )
    if options.is_json:
        _print_json(shown)
    else:
        _print_table(shown, bool(recommender.about.tags.heads), console)
    if options.html is not None:
        thumbnail = thumbnail_maker(recommender.about.reader.max_pixels)
        write_recommendations(options.html, shown, thumbnail)
        if not options.is_json:
            print_plainly(f"Look: {options.html}", console)
    return 0


def _ask(
    options: RecommendOptions, recommender: Recommender
) -> tuple[Asked, Sequence[tuple[str, Path]]]:
    """Return what is asked about, and the names and files of its photos.

    Raises:
        PhotoError: the file gives no photo.
    """
    name, file = options.asked, Path(options.asked)
    if recommender.has_listing(name) or not os.path.lexists(file):
        asked = recommender.ask_about(name, options.title)
        keys = recommender.name_photos(asked)
        return asked, [(key, recommender.root / key) for key in keys]
    problem = find_problem(file)
    if problem is not None:
        raise PhotoError(problem)
    known = recommender.ask_about_file(digest_file(file))
    if known is None:
        known = recommender.ask_about_values(_look_at(file, recommender))
    return known, [(name, file)]


def _look_at(file: Path, recommender: Recommender) -> NDArray[np.float32]:
    """Return what the index's reader sees in a file, (t + e,).

    Raises:
        PhotoError: the file gives no photo.
        UserError: the checkpoint is gone, or another one.
    """
    reader = RememberedReader(recommender.about, 1)
    (seen,) = reader.read([file], tell_nobody)
    if seen.unreadable:
        raise PhotoError(seen.unreadable[0])
    row: NDArray[np.float32] = seen.values[0]
    return row


def _print_table(answer: Answer, has_tags: bool, console: Console) -> None:
    found = answer.found
    if not found:
        print_plainly(answer.empty, console)
        return
    is_named = any(one.photo != one.listing for one in found)
    table = Table()
    table.add_column("rank", justify="right")
    for name in ("listing", "photo")[: 1 + is_named]:
        table.add_column(name, overflow="fold")
    for name in ("class", "tags", "visual", "score"):
        table.add_column(name, justify="right")
    if any(answer.same):
        table.add_column("same photo", justify="right")
    for one, same in zip(found, answer.same, strict=True):
        values = (one.class_points, one.tag_points, one.visual_similarity, one.score)
        table.add_row(
            str(one.rank),
            *(Text(show_text(name)) for name in (one.listing, one.photo)[: 1 + is_named]),
            *(f"{value:.3f}" for value in values),
            *(("" if same is None else f"as {same}",) if any(answer.same) else ()),
        )
    console.print(table)
    if not has_tags:
        print_plainly("no tags in this index, so class and tag points are 0", console)


def _print_json(answer: Answer) -> None:
    results = [
        {
            **asdict(one),
            "listing": spell_name(one.listing),
            "photo": spell_name(one.photo),
            "same_photo_as": same,
        }
        for one, same in zip(answer.found, answer.same, strict=True)
    ]
    about = {"root": spell_name(str(answer.root)), "weights": asdict(answer.weights)}
    _print_record({"asked": spell_name(answer.asked), **about, "results": results})


def _print_problem(options: RecommendOptions, problem: Unreadable, console: Console) -> None:
    if options.is_json:
        about = {"reason": problem.reason.value, "detail": problem.detail}
        _print_record({"asked": spell_name(options.asked), **about})
    else:
        print_plainly(describe_unreadable(problem), console)


def _print_record(record: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
