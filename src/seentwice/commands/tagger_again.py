"""Measure a finished tagger: on its own test photos, or on all photos of another data set."""

from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from seentwice.commands.claims import (
    ToleranceSettings,
    compare_claims,
    describe_changes,
    describe_verdict,
    is_reproduced,
)
from seentwice.commands.fingerprint import digest_name
from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.commands.splits import choose_splits
from seentwice.commands.tagger_bench import INCOMPLETE, TaggerBench, set_up_tagger
from seentwice.commands.tagger_fitting import answer_photos
from seentwice.commands.tagger_report import report_answers, write_tagger_report
from seentwice.commands.tagger_settings import choose_labels
from seentwice.commands.workbench import load_photos
from seentwice.data.tag_labels import match_labels
from seentwice.detectors.trunk import describe_input
from seentwice.models.tagger_checkpoint import OpenedTagger, TaggerRecord


def measure_tagger(config: DictConfig, opened: OpenedTagger, console: Console) -> int:
    """Measure a tagger, and say of its own data whether what it claims is reproduced.

    Returns:
        1 where it is not, or where some files gave no photo, otherwise 0.

    Raises:
        UserError: unusable data, or photos without any label that the tagger knows.
    """
    record = opened.record
    tolerance = read_settings(ToleranceSettings, config, None).tolerance
    photo_set = load_photos(config, console)
    labels = match_labels(choose_labels(config, photo_set, console), opened.tagger.tags)
    seen = describe_input(opened.trunk, record.row_type, record.passing)
    bench = set_up_tagger(config, photo_set, labels, seen, console)
    is_own = bench.fingerprint.text == record.data_fingerprint
    photos = _own_tests(config, bench, record, console) if is_own else np.arange(len(bench.homes))
    answers = [answer_photos(opened.tagger, bench, photos)]
    learned = set(record.learned_photos)
    known = sum(digest_name(bench.fingerprint.files[n]) in learned for n in answers[0].photos)
    if known:
        print_plainly(
            f"Of {len(answers[0].photos):,} photos {known:,} trained or validated the checkpoint: "
            "measured is not of unseen photos alone",
            console,
        )
    temperatures = [opened.tagger.temperatures.tolist()]
    counts = {"test_photos": len(answers[0].photos), "learned_photos": known}
    report = report_answers(bench, answers, temperatures, counts, 0.0)
    folder = Path(HydraConfig.get().runtime.output_dir)
    write_tagger_report(report, bench, answers, config, folder, console)
    done = INCOMPLETE if bench.is_incomplete else 0
    if not is_own:
        return done
    claims = compare_claims(record.test_metrics, report.metrics)
    print_plainly(describe_verdict(claims, tolerance), console)
    if is_reproduced(claims, tolerance) is False:
        print_plainly(describe_changes(record), console)
        return 1
    return done


def _own_tests(
    config: DictConfig, bench: TaggerBench, record: TaggerRecord, console: Console
) -> NDArray[np.int64]:
    """Return the photos that the checkpoint's own split tests."""
    given: Any = OmegaConf.to_container(config)
    own = OmegaConf.create({**given, "split": record.split})
    return choose_splits(own, bench.photo_set, None, True, console).splits[0].test
