"""Figures for Prometheus: how requests went in all processes of this web server, and how the queues stand."""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from boot.services import Database
from shop.operations import jobs

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds: from a plain read to the longest Prefer: wait."""

_own = CollectorRegistry()
_seconds = Histogram("backroom_request_seconds", "Time to answer", ("method", "route"), buckets=BUCKETS, registry=_own)
_answers = Counter("backroom_requests", "Answers given", ("method", "route", "status"), registry=_own)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. `route` is the template, never the path: paths have no end."""
    _seconds.labels(method, route).observe(seconds)
    _answers.labels(method, route, str(status)).inc()


def exposition(db: Database) -> bytes:
    """Everything in Prometheus' text format."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(_Of(_own.collect()))
    registry.register(_Of(_queues(db)))
    return generate_latest(registry)


class _Of(Collector):
    """A collector of what was collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _queues(db: Database) -> Iterable[Metric]:
    figures = {
        "waiting": ("backroom_queue_waiting", "Jobs that have not started"),
        "due": ("backroom_queue_due", "Jobs that could start now"),
        "running": ("backroom_queue_running", "Jobs at work"),
        "dead": ("backroom_queue_dead", "Jobs that gave up and wait for a person"),
        "oldest_s": ("backroom_queue_oldest_seconds", "Age of the job that is due longest"),
        "done_last_hour": ("backroom_queue_done_last_hour", "Jobs done within the last hour"),
        "paused": ("backroom_queue_paused", "1 while a person has paused the queue"),
    }
    families = {
        field: GaugeMetricFamily(name, help_text, labels=["queue"]) for field, (name, help_text) in figures.items()
    }
    for row in jobs.queues(db):
        for field, family in families.items():
            family.add_metric([row.name], float(getattr(row, field)))
    return list(families.values())
