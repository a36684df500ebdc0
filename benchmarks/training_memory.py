"""How much memory SameSpace's training takes from the bank: 30 epochs on 5,048 rows.

    python benchmarks/training_memory.py [HEAD]

HEAD is l1, l2 or samespace; l1 where it is left out. Expected: under 2 GB, the libraries included.
Two cores, 15 minutes for l1. Writes benchmarks/results/training_memory_HEAD.json.
"""

import json
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import numpy as np
from samespace_training import train_epochs, use_processor

from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.files import write_atomically
from seentwice.models.backbones import build_trunk

FOLDER = Path(__file__).resolve().parent
HEADS = ("l1", "l2", "samespace")
VIEWS, PAIRS, EPOCHS = 5_048, 199_552, 30


def main() -> None:
    """Measure, print and write."""
    use_processor()
    head = sys.argv[1] if len(sys.argv) > 1 else "l1"
    if head not in HEADS:
        raise SystemExit(f"{head}: choose one of {', '.join(HEADS)}")
    trunk = build_trunk("mobilenet_v3_large", "none", "average", 0, "eval", seed=0)
    rows = np.random.default_rng(0).normal(size=(VIEWS, trunk.feature_size)).astype(np.float32)
    train_epochs(head, trunk, rows, PAIRS, EPOCHS)
    peak_kib = getrusage(RUSAGE_SELF).ru_maxrss
    result = {
        "command": " ".join(["python benchmarks/training_memory.py", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "rows": list(rows.shape),
        "pairs": PAIRS,
        "epochs": EPOCHS,
        "peak_gigabytes": round(peak_kib * 1024 / 1e9, 2),
    }
    path = FOLDER / "results" / f"training_memory_{head}.json"
    write_atomically(path, json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
