"""Runs the cells of a notebook here, without a kernel, and keeps what they show."""

import ast
import io
import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cell shows."""

    printed: str
    value: Any  # of its last expression; None without one


def code_cells(name: str) -> list[dict[str, Any]]:
    """Return the cells of a notebook that hold code, as its file has them."""
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_cells(name: str, inputs: Mapping[str, object]) -> list[Shown]:
    """Run a notebook from the working folder; return what each cell of code shows.

    Args:
        name: of the notebook.
        inputs: variables that the first cell sets, by the values that take their place.
    """
    path, names = list(sys.path), dict[str, Any]()
    try:
        first, *others = ("".join(cell["source"]) for cell in code_cells(name))
        shown = [run_cell(first, names)]
        assert set(inputs) <= set(names), "the first cell names what a notebook is about"
        names |= inputs
        return shown + [run_cell(source, names) for source in others]
    finally:
        sys.path[:] = path


def run_cell(source: str, names: dict[str, Any]) -> Shown:
    """Run a cell with the variables that others have set; it sets its own."""
    body = ast.parse(source).body
    with redirect_stdout(io.StringIO()) as printed:
        if not isinstance(body[-1], ast.Expr):
            exec(compile(source, "cell", "exec"), names)
            return Shown(printed.getvalue(), None)
        exec(compile(ast.Module(body[:-1], []), "cell", "exec"), names)
        value = eval(compile(ast.Expression(body[-1].value), "cell", "eval"), names)
    return Shown(printed.getvalue(), value)
