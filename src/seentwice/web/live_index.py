"""The index that a service answers from, replaced by a newer one while it answers."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, RLock, Thread
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import tell_nobody
from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.photos import PhotoError
from seentwice.recommend.photo_reader import PhotoReader
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.snapshot import About
from seentwice.web.metrics import ServiceMetrics

_LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 1.0


class IndexSource(Protocol):
    """Where an index comes from."""

    def open(self) -> Recommender:
        """Open it as it is now."""
        ...

    def open_reader(self, about: About) -> PhotoReader:
        """Open what its photos were looked at with."""
        ...

    def mark(self) -> object:
        """Return what changes when another index is there to be opened."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class OpenedIndex:
    """An index, and what looks at photos that are not in it."""

    recommender: Recommender
    reader: PhotoReader
    _looking: Lock

    def look_at(self, files: Sequence[Path]) -> NDArray[np.float32]:
        """Return probabilities and embeddings of files, (n, t + e).

        Raises:
            PhotoError: one gives no photo.
            UserError: the checkpoint is gone, or another one by now.
        """
        with self._looking:  # each pass uses all threads that it may
            seen = list(self.reader.read(files, tell_nobody))
        for batch in seen:
            for problem in batch.unreadable:
                raise PhotoError(problem)
        return np.concatenate([batch.values for batch in seen])


class LiveIndex:
    """What questions are asked of: each takes `current` once, and keeps it to its end."""

    def __init__(self, source: IndexSource, metrics: ServiceMetrics) -> None:
        """Open an index.

        Args:
            source: of the index.
            metrics: told of its sizes, and of every time that it is opened anew.

        Raises:
            UserError: it cannot be opened.
        """
        self.writing = RLock()
        """Held while the index changes, or is replaced: nothing that is added gets lost."""
        self._source = source
        self._metrics = metrics
        self._looking = Lock()
        self._mark = source.mark()
        recommender = source.open()
        self.current = OpenedIndex(
            recommender, source.open_reader(recommender.about), self._looking
        )
        self._scans = self._queries = 0
        self._wanted, self._ended = Event(), Event()
        self._watcher = Thread(target=self._watch, name="watch index", daemon=True)
        metrics.measure_index(
            lambda: int(self.current.recommender.state.photos.is_there.sum()),
            lambda: len(self.current.recommender),
        )
        metrics.count_scans(
            lambda: self._scans + self.current.recommender.search.scans,
            lambda: self._queries + self.current.recommender.search.queries,
        )

    def start_watching(self) -> None:
        """Open a newer index whenever there is one, until `close`."""
        self._watcher.start()

    def close(self) -> None:
        """Watch no more."""
        self._ended.set()
        self._wanted.set()
        if self._watcher.is_alive():
            self._watcher.join()

    def want_reload(self) -> None:
        """Let the index be opened anew soon, whether it changed or not."""
        self._wanted.set()

    def is_newest(self) -> bool:
        """Say whether `current` is what the disk holds now; hold `writing`."""
        return self._source.mark() == self._mark

    def reload(self) -> bool:
        """Open the index anew; questions go on meanwhile. Return whether it could be opened."""
        with self.writing:
            old = self.current
            mark = self._source.mark()
            try:
                recommender = self._source.open()
                reader = old.reader
                if recommender.about.fingerprint != reader.fingerprint:
                    reader = self._source.open_reader(recommender.about)
            except Exception as error:  # whatever it is, the old one goes on to answer
                is_known = isinstance(error, UserError | OSError)
                told = one_line(error)
                _LOG.error(
                    "the index cannot be opened anew: %s",
                    told,
                    exc_info=None if is_known else error,
                )
                self._metrics.reloads.labels("failed").inc()
                self._mark = mark
                return False
            self.current = OpenedIndex(recommender, reader, self._looking)
            self._mark = mark
            self._scans += old.recommender.search.scans
            self._queries += old.recommender.search.queries
        self._metrics.reloads.labels("done").inc()
        _LOG.info("the index was opened anew: %d listings", len(recommender))
        return True

    def _watch(self) -> None:
        while not self._ended.is_set():
            is_wanted = self._wanted.wait(_WATCH_SECONDS)
            if self._ended.is_set():
                return
            self._wanted.clear()
            if is_wanted or not self.is_newest():
                self.reload()
