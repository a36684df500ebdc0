"""What a run of `tagger` found: on the terminal, as JSON, as pictures and photo by photo."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seentwice.commands.progress import print_plainly
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.tagger_bench import TaggerBench
from seentwice.commands.tagger_fitting import TagAnswers
from seentwice.commands.unreadable import report_unreadable
from seentwice.compare.results import to_json
from seentwice.compare.table import format_interval, format_number
from seentwice.compare.tag_plots import plot_confusion
from seentwice.compare.tag_results import HeadResult, flatten_results, measure_tags
from seentwice.data.pairs import escape_key
from seentwice.data.variants.tables import open_table
from seentwice.display import show_text
from seentwice.files import write_atomically
from seentwice.records import Interval

RESULTS, ANSWERS, CONFIG = "results.json", "answers.csv", "config.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class TaggerReport:
    """What was measured on the test photos of all folds."""

    results: tuple[HeadResult, ...]
    uncalibrated: Mapping[str, float]  # by head the calibration error at a temperature of 1
    temperatures: tuple[tuple[float, ...], ...]  # of each fold's heads
    folds: int
    counts: Mapping[str, int]  # photos that train, validate and are tested; of all folds
    fit_seconds: float

    @property
    def metrics(self) -> dict[str, float]:
        """By name."""
        return flatten_results(self.results)


def report_answers(
    bench: TaggerBench,
    answers: Sequence[TagAnswers],
    temperatures: Sequence[Sequence[float]],
    counts: Mapping[str, int],
    fit_seconds: float,
) -> TaggerReport:
    """Measure what taggers said of the photos that they were not trained on, each fold its own."""
    tags = bench.labels.tags
    photos = np.concatenate([one.photos for one in answers])
    label, homes = bench.labels.number[photos], bench.homes[photos]
    calibrated = np.concatenate([one.probabilities for one in answers])
    plain = np.concatenate([one.uncalibrated for one in answers])
    before = measure_tags(tags, label, plain, homes, resamples=1)
    return TaggerReport(
        results=measure_tags(tags, label, calibrated, homes),
        uncalibrated={one.name: one.calibration_error for one in before},
        temperatures=tuple(tuple(each) for each in temperatures),
        folds=len(answers),
        counts=counts,
        fit_seconds=fit_seconds,
    )


def write_tagger_report(
    report: TaggerReport,
    bench: TaggerBench,
    answers: Sequence[TagAnswers],
    config: DictConfig,
    folder: Path,
    console: Console,
) -> list[Path]:
    """Write the report's files into the folder, and print it; return the files.

    Args:
        report: from `report_answers`.
        bench: the photos.
        answers: one a fold.
        config: the composed configuration.
        folder: exists.
        console: prints.
    """
    values = {
        "data": bench.photo_set.name,
        "data_fingerprint": bench.fingerprint.text,
        "photos": int(bench.described.readable.sum()),
        "homes": len(np.unique(bench.homes)),
        "folds": report.folds,
        **report.counts,
        "heads": [asdict(result) for result in report.results],
        "calibration_error_before": dict(report.uncalibrated),
        "temperatures": report.temperatures,
        "looking_seconds": bench.looking_seconds,
        "fit_seconds": report.fit_seconds,
        "command": shlex.join(["seentwice", "tagger", *HydraConfig.get().overrides.task]),
        "git_commit": git_commit(),
        "versions": library_versions(),
        "machine": describe_machine(),
    }
    write_atomically(folder / RESULTS, to_json(values))
    write_atomically(folder / CONFIG, OmegaConf.to_yaml(config, resolve=True))
    _write_answers(folder / ANSWERS, bench, answers)
    pictures = []
    for result in report.results:
        path = folder / f"confusion_{_file_name(result.name)}.png"
        write_atomically(path, plot_confusion(result))
        pictures.append(path)
    for line in report_unreadable(
        (*bench.photo_set.unreadable, *bench.described.unreadable), folder
    ):
        print_plainly(line, console)
    _print_results(report, console)
    return [folder / RESULTS, folder / ANSWERS, folder / CONFIG, *pictures]


def _write_answers(path: Path, bench: TaggerBench, answers: Sequence[TagAnswers]) -> None:
    tags = bench.labels.tags
    columns = [
        f"{head.name}{what}" for head in tags.heads for what in ("", "_answer", "_probability")
    ]
    with open_table(path, ("photo", *columns)) as write_row:
        for one in answers:
            for photo, row in zip(one.photos.tolist(), one.probabilities, strict=True):
                cells: list[object] = [escape_key(bench.photo_set.photos[photo].key)]
                for head, where, number in zip(
                    tags.heads, tags.columns, bench.labels.number[photo].tolist(), strict=True
                ):
                    own = row[where]
                    label = head.labels[number] if number >= 0 else ""
                    cells += [label, head.labels[int(own.argmax())], f"{own.max():.4f}"]
                write_row(cells)


def _print_results(report: TaggerReport, console: Console) -> None:
    for result in report.results:
        before = report.uncalibrated[result.name]
        print_plainly(
            f"{result.name}: accuracy {_spell(result.accuracy)} of {result.photos:,} test photos "
            f"of {result.homes:,} homes (always {_largest(result)}: {result.largest_share:.3f}), "
            f"balanced {_spell(result.balanced_accuracy)}; calibration error "
            f"{result.calibration_error:.3f}, {before:.3f} before",
            console,
        )
        table = Table()
        for header in (result.name, "photos", "precision", "recall", "F1", "ROC AUC"):
            table.add_column(header, justify="left" if header == result.name else "right")
        for one in result.of_label:
            intervals = (one.precision, one.recall, one.f1, one.roc_auc)
            cells = (one.label, f"{one.photos:,}", *map(_spell, intervals))
            table.add_row(*(Text(show_text(cell)) for cell in cells))
        console.print(table)


def _spell(interval: Interval) -> str:
    return f"{format_number(interval.value)} {format_interval(interval)}"


def _largest(result: HeadResult) -> str:
    return max(result.of_label, key=lambda one: one.photos).label


def _file_name(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in name)
