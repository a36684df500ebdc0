"""What a service measures of itself, for Prometheus."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class ServiceMetrics:
    """Counters of one service; two in one process do not share them."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "seentwice_requests",
            "Requests that were answered.",
            ("method", "path", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "seentwice_request_seconds",
            "From the whole head of a request to the end of its answer.",
            ("path",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.under_way = Gauge(
            "seentwice_requests_under_way",
            "Requests that are answered or wait.",
            registry=self._registry,
        )
        self.reloads = Counter(
            "seentwice_index_reloads",
            "Times that the index was opened anew.",
            ("result",),
            registry=self._registry,
        )

    def measure_index(self, photos: Callable[[], int], listings: Callable[[], int]) -> None:
        """Let the sizes of the index be among the measures."""
        for name, what, count in (
            ("photos", "Photos that can be found.", photos),
            ("listings", "Listings that can be recommended.", listings),
        ):
            gauge = Gauge(f"seentwice_index_{name}", what, registry=self._registry)
            gauge.set_function(count)

    def count_scans(self, scans: Callable[[], int], queries: Callable[[], int]) -> None:
        """Let scans, and the queries that they answered, be among the measures."""
        for name, what, count in (
            ("scans", "Scans of the index's rows.", scans),
            ("queries", "Questions that scans answered; several share one.", queries),
        ):
            gauge = Gauge(f"seentwice_index_{name}", what, registry=self._registry)
            gauge.set_function(count)

    def observe(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: of HTTP.
            path: of the operation, not as it was asked: names must be few.
            status: of the answer.
            seconds: that it took.
        """
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def render(self) -> bytes:
        """Return all measures as Prometheus reads them."""
        return generate_latest(self._registry)
