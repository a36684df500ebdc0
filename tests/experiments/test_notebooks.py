"""Every notebook runs, on made-up numbers and a net that learned nothing; what is kept is true."""

import base64
import json
import shutil
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from notebook_cells import FOLDER, NOTEBOOKS, Shown, code_cells, run_cells
from PIL import Image

from experiments.compared import read_rows
from experiments.measured import keep_run
from experiments.pictures import AVERAGE_PRECISION, draw_intervals
from experiments.plan import read_plan
from notebooks import run as notebook_run
from notebooks.run import MOST_BYTES, digest_code, execute, lighten
from seentwice.compare.photo_plots import PhotoPicture
from seentwice.compare.summary import SAME_PROPERTY, SAME_ROOM_TYPE
from seentwice.data.rooms import RoomsSource
from seentwice.errors import UserError
from seentwice.pages import Picture

ROOT = FOLDER.parent
NEEDS: Mapping[str, Sequence[str]] = {
    "1-compare-heads": ["experiments/heads/metrics.json"],
    "2-negatives": ["experiments/negatives/metrics.json", "experiments/positives/metrics.json"],
    "3-errors": ["checkpoints/rooms.safetensors"],
    "4-sweep": ["experiments/sweep/results.json"],
    "5-embedding-map": ["checkpoints/rooms.safetensors"],
}
OF_NUMBERS = ["1-compare-heads", "2-negatives"]
OF_ROOMS = ["3-errors", "5-embedding-map"]


def has_run(name: str) -> bool:
    return any(cell["execution_count"] for cell in code_cells(name))


def has_answers(name: str) -> bool:
    return all((ROOT / path).is_file() for path in NEEDS[name])


def test_every_notebook_says_what_it_needs() -> None:
    assert list(NEEDS) == NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_shows_what_its_own_code_showed(name: str) -> None:
    cells = code_cells(name)
    assert (FOLDER / f"{name}.ipynb").stat().st_size <= MOST_BYTES
    if not has_run(name):
        assert not has_answers(name), f"python notebooks/run.py {name} shows them"
        assert not any(cell["outputs"] for cell in cells)
        return
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kept = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert kept.metadata.seentwice.ran == digest_code(kept), f"python notebooks/run.py {name}"
    for output in (output for cell in cells for output in cell["outputs"]):
        assert output["output_type"] in ("execute_result", "stream"), "no errors"
        assert output.get("name") != "stderr"
        photos = name in OF_ROOMS
        kinds = {"text/plain", "image/jpeg"} if photos else {"text/plain", "text/html", "image/png"}
        assert set(output.get("data", {})) <= kinds
    assert ("RoomsSource(" in "".join(cells[0]["source"])) == (name in OF_ROOMS)


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_the_texts_that_are_kept_are_of_the_numbers_that_are_kept(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_run(name):
        pytest.skip("nothing is kept yet")
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///none.db")
    for cell, shown in zip(code_cells(name), run_cells(name, {}), strict=True):
        texts = [out["text"] for out in cell["outputs"] if out["output_type"] == "stream"]
        assert "".join(line for text in texts for line in text) == shown.printed
        for output in cell["outputs"]:
            table = output.get("data", {}).get("text/html")
            if table is not None:
                assert "".join(table) == shown.value._repr_html_()


def make_job(words: Sequence[str], figures: Mapping[str, float]) -> dict[str, Any]:
    """Return a comparison in which detectors have that average precision."""

    def interval(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.05, "high": value + 0.05}

    detectors = [
        {
            "name": name,
            "is_head": "cosine" not in name,
            "validation_average_precision": value + 0.01,
            "metrics": {
                key: interval(value) for key in ("average_precision", "roc_auc", "bce", "f1")
            },
            "slices": {
                key: {"roc_auc": interval(value)} for key in (SAME_ROOM_TYPE, SAME_PROPERTY)
            },
            "over_baseline": {"average_precision": interval(value - 0.4)},
            "fold_average_precisions": [value],
            "fit_seconds": 1.0,
            "pairs_per_second": 1.0,
        }
        for name, value in figures.items()
    ]
    return {"command": f"seentwice compare {' '.join(words)}", "detectors": detectors}


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """A folder of experiments that measured all that the plans ask for."""
    for name in ("heads", "negatives", "positives"):
        (tmp_path / name).mkdir()
        for step, run in enumerate(read_plan(name).runs):
            figures = {"l1": 0.6, "l2": 0.62 + step / 100, "concat": 0.2, "cosine": 0.5}
            rates = [f"optimizer.lr={rate}" for rate in (0.01, 0.1)] if name == "heads" else ["a=1"]
            jobs = [make_job([rate, f"seed={n}"], figures) for rate in rates for n in range(2)]
            keep_run(tmp_path / name, run, jobs, "a: 1")
    return tmp_path


def test_heads_are_compared(answers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    shown = run_cells(
        "1-compare-heads", {"folder": answers / "heads", "store": "sqlite:///none.db"}
    )
    said = "".join(one.printed for one in shown).splitlines()
    assert [line.split(" comes first")[0] for line in said] == [
        "on whitened features: l2",
        "on a tower that learns too: l2",
    ]
    assert all("surely worse, as the interval ends below: concat 0.200 [" in line for line in said)
    assert len(values(shown, Picture)) == 3
    whitened, linear = values(shown, pd.DataFrame)
    assert "concat" in whitened.index
    assert list(linear.index) == ["l2", "l1", "cosine", "concat"]
    assert shown[-1].value.startswith("None is tracked yet: seentwice compare ")


def test_what_was_not_measured_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    for name in OF_NUMBERS:
        with pytest.raises(UserError, match=r"^experiments/\w+: .* not measured; run python "):
            run_cells(name, {"folder": tmp_path / "heads"})


def test_mixes_of_pairs_are_compared(answers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    shown = run_cells("2-negatives", {"folder": answers})
    said = "".join(one.printed for one in shown).splitlines()
    assert len(said) == 2 * 3  # heads
    last = {name: list(read_plan(name).runs)[-1] for name in ("negatives", "positives")}
    assert said[0].startswith(f"l2: {last['negatives']} comes first")
    assert said[3].startswith(f"l2: {last['positives']} comes first")
    assert len(values(shown, Picture)) == len(values(shown, pd.DataFrame)) == 2


@pytest.fixture
def few(tmp_path: Path, few_rooms: Path) -> RoomsSource:
    """Rooms of the notebooks' kind: few, and small."""
    shutil.copytree(few_rooms, tmp_path / "rooms")
    return RoomsSource(tmp_path / "rooms", 0, 15, 5, 3, 64, 48, 1)


def test_errors_are_shown_with_what_they_rest_on(
    untrained: Path, few: RoomsSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    shown = run_cells("3-errors", {"checkpoint": untrained, "rooms": few, "count": 1})
    assert shown[1].printed.startswith("60 photos, 60 duplicates and 1,710 others\nROC AUC 0.")
    assert len(values(shown, PhotoPicture)) == 2


def test_photos_lie_on_a_map_and_beside_their_neighbours(
    untrained: Path, few: RoomsSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    shown = run_cells("5-embedding-map", {"checkpoint": untrained, "rooms": few})
    assert " of 60 photos the nearest other one shows the same room" in shown[-1].printed
    assert len(values(shown, PhotoPicture)) == 2


def values(shown: Sequence[Shown], kind: type) -> list[Any]:
    return [one.value for one in shown if isinstance(one.value, kind)]


def test_a_plot_that_is_kept_is_light_and_looks_the_same(answers: Path) -> None:
    rows = {"all": read_rows(answers / "heads", ["whitened"])}
    png = draw_intervals(rows, [AVERAGE_PRECISION]).png
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": "Picture(...)"}
    output = nbformat.v4.new_output("execute_result", data, execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])])
    lighten(notebook)
    kept = base64.b64decode(notebook.cells[0].outputs[0].data["image/png"])
    assert len(kept) < len(png) / 2
    before, after = (
        np.asarray(Image.open(BytesIO(one)).convert("RGB"), float) for one in (png, kept)
    )
    assert np.abs(before - after).max() < 16


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (CellExecutionError("a\nb", "UserError", "a: do this"), "a: do this"),
        (CellTimeoutError("A cell\ntimed out"), "A cell timed out"),
        (DeadKernelError("Kernel died"), "Kernel died"),
    ],
)
def test_a_notebook_that_does_not_come_to_its_end_stays_as_it_was(
    error: Exception, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(notebook: nbformat.NotebookNode) -> None:
        raise error

    path = tmp_path / "1-a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    before = path.read_bytes()
    monkeypatch.setattr(notebook_run, "execute", fail)
    assert notebook_run.rerun(path) == f"1-a.ipynb: {why}"
    assert path.read_bytes() == before


@pytest.mark.slow  # a kernel starts for each notebook
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_kernel_shows_what_is_kept(name: str) -> None:
    if not has_run(name):
        pytest.skip("nothing is kept yet")
    kept = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    again = nbformat.from_dict(json.loads(json.dumps(kept)))
    execute(again)
    for one, other in zip(kept.cells, again.cells, strict=True):
        if one.cell_type == "code":
            assert texts(one.outputs) == texts(other.outputs)


def texts(outputs: Sequence[Any]) -> list[str]:
    return [out.text if "text" in out else out.data["text/plain"] for out in outputs]


@pytest.mark.slow  # a kernel starts
def test_a_kernel_shows_an_error_that_can_be_mended_in_one_line() -> None:
    code = "from seentwice.errors import UserError\n\nraise UserError('a: do this')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.cells[0].metadata["tags"] = ["raises-exception"]
    execute(notebook)
    (output,) = notebook.cells[0].outputs
    assert output.traceback == ["a: do this"]
