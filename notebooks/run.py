"""Run notebooks again, and keep what they show: `make notebooks`.

    python notebooks/run.py 1-compare-heads 3-errors

Each runs in a kernel of its own, in this folder. With its outputs the digest of its code is kept,
so that tests see whether it is that code that showed them. A notebook in which a cell fails, or
that takes or weighs too much, stays as it was, and the others are run. MLflow runs of this machine
are not shown. A sweep in outputs/sweep is, so what is committed is made in a checkout without one.
"""

import argparse
import base64
import hashlib
import io
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from PIL import Image

from seentwice.display import one_line
from seentwice.files import write_atomically

FOLDER = Path(__file__).resolve().parent
MOST_BYTES = 300_000  # of a file: outputs are a part of the repository
TIMEOUT_S = 600  # of a cell
_NOBODYS_RUNS = "sqlite:///none.db"


def main() -> None:
    """Run those that are named, or all."""
    every = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(every)}; all unless given")
    names = parser.parse_args().names or every
    unknown = [name for name in names if name not in every]
    if unknown:
        parser.error(f"no notebook {', '.join(unknown)}: choose of {', '.join(every)}")
    failures = [failure for name in names if (failure := rerun(FOLDER / f"{name}.ipynb"))]
    sys.exit("\n".join(failures) if failures else 0)


def rerun(path: Path) -> str:
    """Run a notebook and keep its outputs; return why it stays as it was, or ""."""
    print(path.stem, flush=True)
    notebook = nbformat.read(path, as_version=4)
    try:
        execute(notebook)
    except CellExecutionError as error:
        return f"{path.name}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        return f"{path.name}: {one_line(error)}"
    lighten(notebook)
    text = nbformat.writes(notebook) + "\n"
    if len(text.encode()) > MOST_BYTES:
        return f"{path.name}: {len(text.encode()):,} bytes are more than {MOST_BYTES:,}"
    write_atomically(path, text)
    return ""


def execute(notebook: nbformat.NotebookNode) -> None:
    """Run all cells in a fresh kernel, in this folder; outputs are put into the notebook.

    Raises:
        CellExecutionError: a cell failed.
        CellTimeoutError: a cell took longer than `TIMEOUT_S`.
        DeadKernelError: the kernel ended, for want of memory perhaps.
    """
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT_S,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],  # or it warns that loopback is not encrypted
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(env={**os.environ, "MLFLOW_TRACKING_URI": _NOBODYS_RUNS})
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "seentwice": {"ran": digest_code(notebook)},
        }
    )


def lighten(notebook: nbformat.NotebookNode) -> None:
    """Give each plot 256 colours, as many as lines and letters need, in a third of the bytes."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as plot:
                    few = plot.convert("RGB").quantize(256, dither=Image.Dither.NONE)
                light = io.BytesIO()
                few.save(light, format="PNG", optimize=True)
                data["image/png"] = base64.b64encode(light.getvalue()).decode("ascii")


def digest_code(notebook: nbformat.NotebookNode) -> str:
    """Return the sha256 of the code of all cells."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()


if __name__ == "__main__":
    main()
