"""The notebook of sweeps shows what a sweep's folder holds; it trains nothing."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_up import make_sweep
from notebook_cells import code_cells, run_cell, run_cells

from seentwice.errors import UserError
from seentwice.pages import Picture
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.report.page import RESULTS, write_report
from seentwice.sweeps.results import Origin

SOURCES = ["".join(cell["source"]) for cell in code_cells("4-sweep")]


def test_its_first_cell_names_the_folder_alone() -> None:
    assert SOURCES[0].splitlines()[-1].startswith("folder = ")
    assert not any("folder =" in source for source in SOURCES[1:])


def test_it_says_what_to_run_where_there_is_no_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^\.\./outputs/sweep: no sweep .* run seentwice sweep "):
        run_cell(SOURCES[0], {})


def test_it_takes_the_kept_sweep_where_there_is_no_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, own = tmp_path / "experiments" / "sweep", tmp_path / "notebooks"
    kept.mkdir(parents=True)
    own.mkdir()
    (kept / RESULTS).write_text("{}")
    monkeypatch.chdir(own)
    names: dict[str, Any] = {}
    run_cell(SOURCES[0], names)
    assert names["folder"].resolve() == kept


def test_it_shows_the_newest_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = make_sweep(AshaSettings(5, 4))
    sweeps, own = tmp_path / "outputs" / "sweep", tmp_path / "notebooks"
    folder = sweeps / "b"
    for path in (sweeps / "a", folder, sweeps / "c", own):
        path.mkdir(parents=True)
    write_report(folder, results, str, Origin(""))
    for name in ("a", "c"):
        (sweeps / name / RESULTS).write_text("{}")
        os.utime(sweeps / name / RESULTS, (0, 0))
    monkeypatch.chdir(own)
    cells = run_cells("4-sweep", {})
    shown = [cell.value for cell in cells]
    assert "Best: trial" in "".join(cell.printed for cell in cells)
    pictures = [one for one in shown if isinstance(one, Picture)]
    for picture in pictures:
        assert picture._repr_png_() == picture.png
    written = [path.read_bytes() for path in sorted(folder.glob("*.png"))]
    assert sorted(picture.png for picture in pictures) == sorted(written)
    [table] = [one for one in shown if isinstance(one, pd.DataFrame)]
    assert len(table) == len(results.trials)
    best = results.best
    assert best is not None
    assert table["trial"].iloc[0] == best.number
