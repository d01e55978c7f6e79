"""What the bridge counts, in Prometheus text: the one home of prometheus_client.

Counters are told as things happen; gauges are asked for when somebody scrapes. Other parts add gauges of their own by
`gauge`: this file need not know them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

#: how Prometheus is told what it gets
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_THROTTLED = 429
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

#: values with the texts of their labels, in the order of the gauge's labels
Values = Iterable[tuple[Sequence[str], float]]


class _Gauges(Collector):
    """Every gauge, read when it is scraped."""

    def __init__(self) -> None:
        self.known: list[tuple[str, str, Sequence[str], Callable[[], Values]]] = []

    def collect(self) -> Iterator[Metric]:
        for name, text, labels, read in self.known:
            family = GaugeMetricFamily(name, text, labels=labels)
            for texts, value in read():
                family.add_metric(list(texts), value)
            yield family


class Metrics:
    """All there is to scrape of one bridge."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges = _Gauges()
        self._registry.register(self._gauges)
        self._calls = Counter(
            "pg_bridge_ocp_calls_total",
            "HTTP requests to OCP, by operation and outcome.",
            ("operation", "outcome"),
            registry=self._registry,
        )
        self._entries = Counter(
            "pg_bridge_ocp_entries_total",
            "Entries of calls to OCP: of a write those asked, of a question those answered.",
            ("operation",),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "pg_bridge_ocp_call_seconds",
            "From the first byte of a call to the last of its answer.",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._throttled = Counter(
            "pg_bridge_ocp_throttled_total", "Calls that OCP took for too many (429).", registry=self._registry
        )
        self._openings = Counter(
            "pg_bridge_ocp_circuit_opened_total", "How often the circuit to OCP opened.", registry=self._registry
        )
        self._disagreements = Counter(
            "pg_bridge_disagreements_total",
            "SIs of which OCP's enquiry says otherwise than its events did, by finding.",
            ("participant", "code"),
            registry=self._registry,
        )

    def gauge(self, name: str, text: str, labels: Sequence[str], read: Callable[[], Values]) -> None:
        """Add a gauge of this name (`pg_bridge_...`), read at each scrape."""
        self._gauges.known.append((name, text, labels, read))

    def call_ended(self, operation: str, status: int, error: str, entries: int, duration_s: float) -> None:
        """Count one call. error: the code of the error that it became, empty when none."""
        if status == _THROTTLED:
            self._throttled.inc()
        self._calls.labels(operation, error or "ok").inc()
        self._entries.labels(operation).inc(entries)
        self._seconds.labels(operation).observe(duration_s)

    def disagreement_found(self, participant: str, code: str) -> None:
        """Count one disagreement of a reconciliation."""
        self._disagreements.labels(participant, code).inc()

    def circuit_opened(self) -> None:
        """Count one opening of the circuit."""
        self._openings.inc()

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self._registry)
