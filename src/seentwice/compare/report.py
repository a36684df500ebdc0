"""The comparison as a page that needs nothing but itself, with curves and the worst pairs."""

from collections.abc import Mapping
from pathlib import Path

from seentwice.compare.report_tables import (
    decisions_table,
    metrics_table,
    retrieval_table,
    slices_table,
    speed_table,
    weights_tables,
)
from seentwice.compare.results import Comparison, to_json
from seentwice.compare.scored_pairs import to_parquet
from seentwice.compare.scoring import Scores
from seentwice.compare.summary import HeldOutPairs
from seentwice.compare.table import (
    describe_others,
    describe_result,
    format_interval,
    format_number,
    title_of,
    to_markdown,
)
from seentwice.compare.wrong_pairs import find_most_wrong
from seentwice.data.pairs import KINDS
from seentwice.data.thumbnails import LoadView, name_of, show_view
from seentwice.files import write_atomically
from seentwice.pages import (
    Cell,
    Code,
    Column,
    Facts,
    Gallery,
    PhotoPair,
    Picture,
    Section,
    Table,
    render_page,
    write_page,
)
from seentwice.plots import plot_precision_recall, plot_roc

REPORT, RESULTS, TABLE = "report.html", "results.json", "results.md"
SCORED_PAIRS = "test_pairs.parquet"
PRECISION_RECALL, ROC = "precision_recall.png", "roc.png"
FILES = (REPORT, RESULTS, TABLE, SCORED_PAIRS, PRECISION_RECALL, ROC)

WRONG_PAIRS = 9  # of each label, for each detector shown


def write_report(
    comparison: Comparison,
    test: HeldOutPairs,
    scores: Mapping[str, Scores],
    config: str,
    folder: Path,
    load_view: LoadView,
) -> None:
    """Write `FILES` into the folder.

    Args:
        comparison: the results.
        test: the n test pairs.
        scores: of each detector by name.
        config: the resolved configuration as YAML.
        folder: exists.
        load_view: opens the photos of the worst pairs.
    """
    curves = {
        result.name: (test.pairs.label, scores[result.name].score)
        for result in comparison.detectors
    }
    plot_precision_recall(curves, folder / PRECISION_RECALL)
    plot_roc(curves, folder / ROC)
    write_atomically(folder / RESULTS, to_json(comparison))
    write_atomically(folder / TABLE, to_markdown(comparison))
    write_atomically(folder / SCORED_PAIRS, to_parquet(test, scores))
    best = comparison.detectors[0]
    shown = dict.fromkeys([best.name, comparison.baseline])
    galleries = tuple(
        gallery
        for name in shown
        if name in scores
        for gallery in _galleries(name, test, scores[name], load_view)
    )
    sections = [
        Section(
            "Results",
            " ".join(f"{line}." for line in describe_result(comparison)),
            (
                metrics_table(comparison),
                speed_table(comparison),
                decisions_table(comparison),
                *weights_tables(comparison),
            ),
        ),
        *_retrieval_sections(comparison),
        Section(
            "Curves",
            "",
            (
                Picture((folder / PRECISION_RECALL).read_bytes(), "Precision over recall"),
                Picture((folder / ROC).read_bytes(), "True over false positive rate"),
            ),
        ),
        Section(
            "By kind of pair",
            "Each kind against all pairs of the other label: which duplicates are easy, which "
            "negatives are confusing. Below the area: the share of the kind decided rightly.",
            (slices_table(comparison),),
        ),
        Section(
            "Most wrong pairs",
            "Duplicates with the lowest scores and others with the highest, "
            "one for each two places.",
            galleries,
        ),
        _data_section(comparison),
        _origin_section(comparison, config),
    ]
    summary = (
        f"Best: {best.name}, average precision "
        f"{format_number(best.metrics['average_precision'].value)} "
        f"{format_interval(best.metrics['average_precision'])}."
    )
    write_page(folder / REPORT, render_page(title_of(comparison), summary, sections))


def _retrieval_sections(comparison: Comparison) -> list[Section]:
    searches = comparison.searches
    if searches is None:
        return []
    text = (
        f"{searches.queries:,} test photos are queries, of which {searches.matched:,} have another "
        f"photo of their place to find. Each ranks {describe_others(searches)} by the detector's "
        f"score, with ties as bad as can be: "
        f"{searches.pairs:,} pairs in all."
    )
    return [Section("Retrieval", text, (retrieval_table(comparison),))]


def _galleries(
    name: str, test: HeldOutPairs, scores: Scores, load_view: LoadView
) -> tuple[Gallery, Gallery]:
    wrong = find_most_wrong(test.pairs, scores.score, WRONG_PAIRS)

    def pair(index: int) -> PhotoPair:
        left = test.pairs.views[test.pairs.left[index]]
        right = test.pairs.views[test.pairs.right[index]]
        kind = KINDS[test.pairs.kind[index]].value.replace("_", " ")
        lines = (f"score {scores.score[index]:.3f}, {kind}", name_of(left), name_of(right))
        return PhotoPair(show_view(left, load_view), show_view(right, load_view), lines)

    return (
        Gallery(f"{name}: missed duplicates", tuple(map(pair, wrong.missed.tolist()))),
        Gallery(f"{name}: taken for duplicates", tuple(map(pair, wrong.mistaken.tolist()))),
    )


def _data_section(comparison: Comparison) -> Section:
    facts = Facts(
        (
            ("Data", comparison.data),
            ("Photos", f"{comparison.photos:,}"),
            ("Places", f"{comparison.places:,}"),
            ("Properties", f"{comparison.properties:,}" if comparison.properties else "unknown"),
            ("Unreadable files", f"{len(comparison.unreadable):,}"),
            ("Leaks: photos in two splits, pairs", f"{sum(comparison.leaks.values()):,}"),
            (
                "Suspects: photos in two places, pairs",
                f"{sum(comparison.suspects.values()):,}",
            ),
            ("Fingerprint of photos and labels (sha256)", comparison.data_fingerprint),
            ("Fingerprint of unlabelled photos", comparison.unlabelled_fingerprint or "none"),
        )
    )
    kinds = [
        kind.value for kind in KINDS if any(count.pairs[kind.value] for count in comparison.counts)
    ]
    counts = Table(
        "What each split holds, summed over the folds",
        tuple(
            Column(name.replace("_", " "), number > 0)
            for number, name in enumerate(["split", "places", "views", *kinds])
        ),
        tuple(
            (
                Cell(count.split),
                Cell(f"{count.places:,}", value=count.places),
                Cell(f"{count.views:,}", value=count.views),
                *(Cell(f"{count.pairs[kind]:,}", value=count.pairs[kind]) for kind in kinds),
            )
            for count in comparison.counts
        ),
    )
    blocks: tuple[Facts | Table, ...] = (facts, counts)
    if comparison.unreadable:
        listed = Table(
            "Files that gave no photo",
            (Column("file"), Column("reason"), Column("detail")),
            tuple(
                (Cell(file.file), Cell(file.reason), Cell(file.detail))
                for file in comparison.unreadable
            ),
        )
        blocks = (*blocks, listed)
    return Section("Data", " ".join(f"{line}." for line in comparison.split_remarks), blocks)


def _origin_section(comparison: Comparison, config: str) -> Section:
    versions = ", ".join(f"{name} {version}" for name, version in comparison.versions.items())
    facts = Facts(
        (
            ("Backbone", f"{comparison.backbone}, weights {comparison.weights}"),
            ("Seed", str(comparison.seed)),
            ("Git commit", comparison.git_commit or "not a checkout"),
            ("Machine", comparison.machine),
            ("Versions", versions),
            (
                "Took",
                f"{comparison.seconds:.0f} s, of which looking at photos "
                f"{comparison.looking_seconds:.0f} s, {comparison.photos_decoded:,} of "
                f"{comparison.photos:,} decoded",
            ),
        )
    )
    return Section(
        "How it was made", "", (facts, Code(comparison.command), Code(config, "Configuration"))
    )
