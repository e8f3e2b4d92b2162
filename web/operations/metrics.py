"""Figures for Prometheus: how requests went in all processes of this web server, and how the shop stands."""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from boot.services import Database, Services
from shop.analytics.alerts import incidents
from shop.analytics.alerts.signals import SIGNALS
from shop.operations import alive, jobs
from shop.operations.queries import DatabaseUnavailable
from shop.payments.clocks import concerns
from shop.payments.news import endpoint
from shop.ports.events import EventStream, StreamUnavailable
from shop.ports.notices import Notices

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


def exposition(services: Services) -> bytes:
    """Everything in Prometheus' text format. Without PostgreSQL or Redis the rest is told all the same."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(_Of(_own.collect()))
    registry.register(_Of([*_events(services.events), *_of_postgresql(services.db, services.notices)]))
    return generate_latest(registry)


class _Of(Collector):
    """A collector of what was collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_postgresql(db: Database, notices: Notices) -> Iterable[Metric]:
    up = GaugeMetricFamily("backroom_postgresql_up", "1 while PostgreSQL answers this process", 1)
    try:
        return [up, *_queues(db), *_alive(db), *_payments(db), *_alerts(db), *_webhooks(db, notices)]
    except DatabaseUnavailable:
        return [GaugeMetricFamily(up.name, up.documentation, 0)]


def _events(stream: EventStream) -> Iterable[Metric]:
    up = GaugeMetricFamily("backroom_redis_up", "1 while Redis answers this process", 1)
    try:
        waiting = stream.waiting()
    except StreamUnavailable:
        return [GaugeMetricFamily(up.name, up.documentation, 0)]
    return [
        up,
        GaugeMetricFamily("backroom_events_waiting", "Accepted events that are not stored yet", waiting.events),
        GaugeMetricFamily("backroom_events_waiting_bytes", "Their size in Redis", waiting.size),
    ]


def _alive(db: Database) -> Iterable[Metric]:
    found = alive.alive(db)
    processes = GaugeMetricFamily("backroom_workers", "Worker processes that are alive", labels=["queue"])
    threads = GaugeMetricFamily("backroom_worker_threads", "Jobs they can do at a time", labels=["queue"])
    for family, counts in ((processes, found.processes), (threads, found.threads)):
        for queue, count in counts.items():
            family.add_metric([queue], count)
    return [
        processes,
        threads,
        GaugeMetricFamily("backroom_clock_up", "1 while a control process keeps the time", float(found.clock)),
    ]


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


def _payments(db: Database) -> Iterable[Metric]:
    found = concerns.concerns(db)
    return [
        GaugeMetricFamily(
            "backroom_outcomes_unknown", "Requests to the payment provider without a verdict", found.unknown
        ),
        GaugeMetricFamily(
            "backroom_outcomes_unknown_oldest_seconds",
            "For how long the oldest of them is unknown",
            found.unknown_for_s,
        ),
        GaugeMetricFamily(
            "backroom_authorizations_expiring", "Uncaptured payments whose card's deadline is near", found.expiring
        ),
        GaugeMetricFamily(
            "backroom_differences_unexplained",
            "Differences of the latest reconciliation that nobody explained",
            found.unexplained,
        ),
        *_reconciled(found.reconciled_s),
    ]


def _reconciled(ago_s: float | None) -> Iterable[Metric]:
    """A shop that never reconciled has no age, rather than a false one."""
    name = "backroom_reconciliation_age_seconds"
    family = GaugeMetricFamily(name, "For how long the books were not laid beside the provider's", labels=[])
    if ago_s is not None:
        family.add_metric([], ago_s)
    return [family]


def _alerts(db: Database) -> Iterable[Metric]:
    family = GaugeMetricFamily("backroom_alerts", "Incidents that are not over", labels=["kind"])
    found = incidents.going_on(db)
    for signal in SIGNALS:
        family.add_metric([signal.kind], float(found.get(signal.kind, 0)))
    return [family]


def _webhooks(db: Database, notices: Notices) -> Iterable[Metric]:
    found = endpoint.figures(db, notices)
    waiting = GaugeMetricFamily(
        "backroom_webhook_waiting",
        f"Deliveries not settled yet, at most {endpoint.COUNTED} of a state",
        labels=["state"],
    )
    settled = CounterMetricFamily("backroom_webhook_settled", "What became of deliveries", labels=["state"])
    arrived = CounterMetricFamily("backroom_webhook_arrived", "How events came, and how often again", labels=["way"])
    for family, counts in ((waiting, found.waiting), (settled, found.settled), (arrived, found.arrived)):
        for name, count in sorted(counts.items()):
            family.add_metric([name], float(count))
    only_swept, unread = "backroom_webhook_only_sweep_saw", "backroom_webhook_oldest_unread_seconds"
    return [
        waiting,
        settled,
        arrived,
        GaugeMetricFamily(
            only_swept, "Events that the sweep found and that never came by themselves", found.only_sweep_saw
        ),
        CounterMetricFamily(
            "backroom_webhook_other_version", "Events in another version than ours", found.other_version
        ),
        GaugeMetricFamily(unread, "For how long the oldest delivery waits to be read", found.oldest_unread_s),
    ]
