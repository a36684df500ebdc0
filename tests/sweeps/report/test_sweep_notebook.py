"""The notebook of sweeps shows what a sweep's folder holds; it trains nothing."""

import ast
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_up import make_sweep

from seentwice.errors import UserError
from seentwice.pages import Picture
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.report.page import RESULTS, write_report

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "sweeps.ipynb"
SOURCES = [
    "".join(cell["source"])
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
]


def test_it_is_kept_without_outputs() -> None:
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_its_first_cell_names_the_folder_alone() -> None:
    assert SOURCES[0].splitlines()[-1].startswith("folder = ")
    assert not any("folder =" in source for source in SOURCES[1:])


def test_it_says_what_to_run_where_there_is_no_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^\.\./outputs/sweep: no sweep .* run seentwice sweep "):
        _run(SOURCES[0], {})


def test_it_shows_the_newest_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = make_sweep(AshaSettings(5, 4))
    sweeps, own = tmp_path / "outputs" / "sweep", tmp_path / "notebooks"
    folder = sweeps / "b"
    for path in (sweeps / "a", folder, sweeps / "c", own):
        path.mkdir(parents=True)
    write_report(folder, results, str, "", "")
    for name in ("a", "c"):
        (sweeps / name / RESULTS).write_text("{}")
        os.utime(sweeps / name / RESULTS, (0, 0))
    monkeypatch.chdir(own)
    names: dict[str, Any] = {}
    shown = [_run(source, names) for source in SOURCES]
    assert "Best: trial" in capsys.readouterr().out
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


def _run(source: str, names: dict[str, Any]) -> object:
    """Run a cell; return what a notebook would show below it: the value of a last expression."""
    body = ast.parse(source).body
    if not isinstance(body[-1], ast.Expr):
        exec(compile(source, "cell", "exec"), names)
        return None
    exec(compile(ast.Module(body[:-1], []), "cell", "exec"), names)
    return eval(compile(ast.Expression(body[-1].value), "cell", "eval"), names)
