"""A process that holds a worker's lock in a folder until it is killed; it says its name."""

import sys
import threading
from pathlib import Path

from seentwice.sweeps.liveness import name_worker, show_life

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    worker = name_worker(folder)
    with show_life(folder, worker, beat=lambda count: None):
        print(worker, flush=True)
        threading.Event().wait()
