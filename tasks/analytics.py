"""The doors of the analytics queue."""

from datetime import timedelta
from typing import Any

from boot.services import Services
from shop import jobs
from shop.analytics.alerts.watch import watch
from shop.analytics.behaviour.live_counters import live_counters
from shop.analytics.behaviour.retrace import retrace
from shop.analytics.behaviour.trending import trending
from shop.analytics.events.ingest import QUIET_S, ingest
from shop.analytics.events.order_facts import order_facts
from shop.analytics.events.partitions import partitions
from shop.analytics.events.recount import recount
from shop.analytics.events.replay import replay
from shop.analytics.events.sessions import sessions
from shop.analytics.privacy.erase import erase
from shop.analytics.privacy.export import export
from shop.analytics.reports.report import House, report
from shop.analytics.tally import tally
from shop.operations.prune import prune
from tasks.broker import Run, performs


@performs(jobs.DRAIN_EVENTS)
def drain_events(services: Services, run: Run) -> dict[str, Any]:
    return dict(ingest(services.db, services.events, run.progress, counters=services.live, quiet_s=QUIET_S))


@performs(jobs.MAKE_PARTITIONS)
def make_partitions(services: Services, run: Run) -> dict[str, Any]:
    return dict(partitions(services.db, run.progress, kept=_kept(services)))


@performs(jobs.NOTE_ORDER_FACTS)
def note_order_facts(services: Services, run: Run) -> dict[str, Any]:
    return dict(order_facts(services.db, run.progress, kept=_kept(services)))


@performs(jobs.DERIVE_SESSIONS)
def derive_sessions(services: Services, run: Run) -> dict[str, Any]:
    return dict(sessions(services.db, run.progress))


@performs(jobs.REFRESH_TRENDING)
def refresh_trending(services: Services, run: Run) -> dict[str, Any]:
    return dict(trending(services.db, run.progress))


@performs(jobs.FILL_LIVE_COUNTERS)
def fill_live_counters(services: Services, run: Run) -> dict[str, Any]:
    return dict(live_counters(services.db, services.live, run.progress))


@performs(jobs.RECOUNT_EVENTS)
def recount_events(services: Services, run: Run) -> dict[str, Any]:
    return dict(recount(services.db, run.progress, kept=_kept(services)))


@performs(jobs.RETRACE_STEPS)
def retrace_steps(services: Services, run: Run) -> dict[str, Any]:
    return dict(retrace(services.db, services.settings.zone, run.progress))


@performs(jobs.REPLAY_QUARANTINED)
def replay_quarantined(services: Services, run: Run, *, by: str, quarantine_id: int | None = None) -> dict[str, Any]:
    return dict(replay(services.db, run.progress, by=by, quarantine_id=quarantine_id))


@performs(jobs.TALLY_REVENUE)
def tally_revenue(services: Services, run: Run) -> dict[str, Any]:
    return dict(tally(services.db, run.progress))


@performs(jobs.WATCH_SIGNALS)
def watch_signals(services: Services, run: Run) -> dict[str, Any]:
    settings = services.settings
    return dict(watch(services.db, services.events, settings.zone, run.progress, currency=settings.shop_currency))


@performs(jobs.NIGHTLY_REPORT)
def nightly_report(services: Services, run: Run, *, day: str, report_id: str | None = None) -> dict[str, Any]:
    settings = services.settings
    house = House(
        settings.shop_name, settings.shop_address, settings.shop_tax_id, settings.zone, settings.shop_currency
    )
    return report(services.db, services.events, house, run.progress, day=day, report_id=report_id)


@performs(jobs.EXPORT_PERSON)
def export_person(services: Services, run: Run, *, request_id: str) -> dict[str, Any]:
    return export(services.db, services.events, run.progress, request_id=request_id)


@performs(jobs.ERASE_PERSON)
def erase_person(services: Services, run: Run, *, request_id: str) -> dict[str, Any]:
    return erase(services.db, services.events, run.progress, request_id=request_id, counters=services.live)


@performs(jobs.PRUNE)
def prune_rows(services: Services, run: Run) -> dict[str, Any]:
    return prune(services.db, run.progress)


def _kept(services: Services) -> timedelta:
    return timedelta(days=services.settings.events_kept_days)
