"""Train the checkpoints of experiments that are not in git: `make checkpoints NAMES="rooms"`.

    python -m experiments.checkpoints rooms

trains what `experiments/<name>/runs.yaml` lists, keeps it as `checkpoints/<checkpoint>.safetensors`
and measures it once more, in a process of its own: one that is not reproduced ends this with 1.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.plan import FOLDER, CheckpointPlan, list_plans, read_plans
from seentwice.files import write_atomically
from seentwice.models.checkpoint import CHECKPOINT_FILE

ROOT = FOLDER.parent
WORK = ROOT / "outputs" / "checkpoints"


def main() -> int:
    """Train and measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"experiments; all: {', '.join(list_plans())}")
    try:
        plans = read_plans(parser.parse_args().names)
    except ValueError as error:
        parser.error(str(error))
    missed = [
        name
        for plan in plans
        for name, checkpoint in plan.checkpoints.items()
        if not make_checkpoint(name, checkpoint, plan.makers)
    ]
    if missed:
        print(f"Not reproduced: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def make_checkpoint(
    name: str, plan: CheckpointPlan, makers: tuple[str, str] = ("train", "evaluate")
) -> bool:
    """Train a checkpoint, put it into its place and say whether its claims are reproduced."""
    train, evaluate = makers
    program = Path(sys.executable).with_name("seentwice")
    folder = WORK / name
    # What an earlier training left would be gone on with.
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([program, train, *plan.train, f"hydra.run.dir={folder}"], cwd=ROOT, check=True)
    path = ROOT / "checkpoints" / f"{name}.safetensors"
    write_atomically(path, (folder / CHECKPOINT_FILE).read_bytes())
    words = [f"checkpoint={path.relative_to(ROOT)}", *plan.evaluate]
    return subprocess.run([program, evaluate, *words], cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
