"""The demo as a whole, on the very rooms that `make demo` renders: minutes."""

import json
from pathlib import Path

import pytest

from seentwice.commands.main import main
from seentwice.compare.summary import SAME_ROOM_TYPE

HASHES = ("average", "difference", "perception", "wavelet")


@pytest.mark.slow
def test_heads_learn_what_hashes_and_colours_cannot_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "bootstrap_resamples=100", "hydra.run.dir=out"]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    area = {
        detector["name"]: detector["slices"][SAME_ROOM_TYPE]["roc_auc"]["value"]
        for detector in results["detectors"]
    }
    assert max(area["l1"], area["l2"], area["concat"]) >= 0.90
    assert max(area[name] for name in HASHES) <= 0.65
    assert area["histogram"] <= 0.75
