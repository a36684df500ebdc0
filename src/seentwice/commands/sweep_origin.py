"""What the results of a sweep say of where they came from."""

import shlex
from collections.abc import Sequence

from seentwice.commands.application import compose_words
from seentwice.commands.next_steps import evaluation_overrides, spell_value
from seentwice.commands.overrides import key_of
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.sweep_words import SweepWords
from seentwice.commands.trial_words import words_of_values
from seentwice.sweeps.plan import Plan
from seentwice.sweeps.results import Origin
from seentwice.sweeps.trials import Trial


def find_origin(
    given: SweepWords,
    plan: Plan,
    words: Sequence[str],
    best: Trial | None,
    fingerprints: Sequence[str],
) -> Origin:
    """Return the commands of a sweep and of its best trial, and what they ran with here.

    Args:
        given: the words of the command.
        plan: of the sweep.
        words: overrides of every trial.
        best: the best trial; None before there is one.
        fingerprints: of the photos that trials were trained on.
    """
    return Origin(
        spell_sweep(given),
        "" if best is None else spell_training(best, words),
        spell_evaluation(best, words),
        {
            "entrypoint": list(plan.entrypoint),
            "overrides": list(given.overrides),
            "seed": plan.seed,
            "data_fingerprints": list(fingerprints),
            "git_commit": git_commit(),
            "versions": library_versions(),
            "machine": describe_machine(),
        },
    )


def list_words(given: SweepWords, plan: Plan) -> dict[str, object]:
    """Return what was given, as parameters of an MLflow run, with the code that took it."""
    return {
        "command": spell_sweep(given),
        "entrypoint": shlex.join(plan.entrypoint),
        "overrides": shlex.join(given.overrides),
        "git_commit": git_commit(),
    }


def spell_sweep(given: SweepWords) -> str:
    """Return the command that runs the sweep, without what changes nothing of its trials."""
    from seentwice.sweeps.store import hide_password

    storage = given.storage and hide_password(given.storage)
    own = {"sampler": given.sampler, "storage": storage, "name": given.name}
    words = [f"{key}={value}" for key, value in own.items() if value not in (None, "searcher")]
    return shlex.join(["seentwice", "sweep", str(given.file), *words, *given.overrides])


def spell_training(trial: Trial, words: Sequence[str]) -> str:
    """Return the command that trains a trial again, to the end of its own settings.

    Args:
        trial: has begun.
        words: overrides of every trial; a worker's share of the cores is left out.
    """
    own = [word for word in words if key_of(word) != "workers"]
    return shlex.join(["seentwice", "train", *own, *words_of_values(trial.values)])


def spell_evaluation(best: Trial | None, words: Sequence[str]) -> str:
    """Return the command that evaluates a trial's checkpoint; "" where it has none."""
    if best is None or not best.checkpoint:
        return ""
    config = compose_words("train", [*words, *words_of_values(best.values)])
    own = [f"checkpoint={spell_value(best.checkpoint)}", *evaluation_overrides(config)]
    return shlex.join(["seentwice", "evaluate", *own])
