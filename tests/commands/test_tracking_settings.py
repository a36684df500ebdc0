from pathlib import Path

import pytest

from seentwice.commands.main import main


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("tracking.register=a/b", "tracking.register='a/b': give a name of 1 to 100 letters"),
        ("tracking.tensorboard=maybe", "tracking.tensorboard='maybe': Input should be a valid bo"),
        ("tracking.registr=a", "no key 'tracking.registr' (did you mean register?)"),
    ],
)
def test_a_wrong_setting_is_told_before_photos_are_read(
    word: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data=folder", f"data.root={tmp_path / 'gone'}", f"hydra.run.dir={tmp_path / 'out'}"]
    assert main(["train", *words, word]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_a_sweep_registers_no_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "name: two rates\n"
        "entrypoint: python3 -m seentwice.commands.train\n"
        "searcher: {name: random, metric: validation_loss, max_trials: 2}\n"
        "hyperparameters:\n  optimizer: {lr: 0.1}\n"
    )
    words = ["data=folder", f"data.root={tmp_path}", f"folder={tmp_path / 'out'}"]
    assert main(["sweep", str(plan), *words, "tracking.register=best"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "tracking.register=best: a sweep registers none of its trials; leave it out" in line
    assert not (tmp_path / "out").exists()
