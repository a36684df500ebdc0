"""A process that writes events to a log: URL, worker, how many; it says when each is written."""

import sys

from seentwice.sweeps.events import Reported
from seentwice.sweeps.log import open_log
from seentwice.sweeps.store import open_storage

if __name__ == "__main__":
    url, worker, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    log = open_log(open_storage(url), "a sweep", "{}")
    for time in range(count):
        print(log.append(Reported(0, worker, time, 0.1 * time), 0.0).number, flush=True)
