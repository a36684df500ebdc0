import re

from seentwice.commands.provenance import describe_machine, git_commit, library_versions


def test_the_commit_is_that_of_the_checkout() -> None:
    commit = git_commit()
    assert commit is None or re.fullmatch(r"[0-9a-f]{40}\+?", commit)


def test_the_machine_is_told_with_cores_and_memory() -> None:
    assert re.search(r", \d+ cores, \d+ GiB", describe_machine())


def test_the_versions_hold_what_results_depend_on() -> None:
    assert {"python", "seentwice", "torch", "pytorch-lightning"} <= set(library_versions())
