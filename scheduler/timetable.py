"""The timetable: which job, when, and what happens to the slots that were missed. Nothing else is decided here."""

from dataclasses import dataclass
from typing import Literal

from db.outbox import Job
from shop import jobs


@dataclass(frozen=True, slots=True)
class Entry:
    """`cron` in the shop's time zone. A `dated` job is given the day before its slot, as `day="2026-11-21"`.

    `missed` says what follows when no clock ran: only the latest missed slot, or each of them (at most
    `clock.ALL_LIMIT`, the newest). `at_once`: a clock that sees the entry for the first time stages its job right away.
    """

    job: Job
    cron: str
    dated: bool = False
    at_once: bool = False
    missed: Literal["latest", "all"] = "latest"

    @property
    def name(self) -> str:
        return f"{self.job.name} {self.cron}"


TIMETABLE = (
    Entry(jobs.FETCH_KEYS, cron="*/15 * * * *", at_once=True),
    Entry(jobs.SWEEP_PAYMENTS, cron="* * * * *"),
    Entry(jobs.WATCH_PAYMENTS, cron="* * * * *"),
    Entry(jobs.NOTE_ORDER_FACTS, cron="* * * * *", at_once=True),
    Entry(jobs.DERIVE_SESSIONS, cron="* * * * *", at_once=True),
    Entry(jobs.REFRESH_TRENDING, cron="* * * * *"),
    Entry(jobs.TALLY_REVENUE, cron="*/15 * * * *", at_once=True),
    Entry(jobs.WATCH_SIGNALS, cron="*/5 * * * *"),
    Entry(jobs.FILL_LIVE_COUNTERS, cron="1-56/5 * * * *", at_once=True),
    Entry(jobs.RECOUNT_EVENTS, cron="0 4 * * *"),
    Entry(jobs.SYNC_PRODUCTS, cron="*/3 * * * *"),
    Entry(jobs.REFRESH_SUGGESTIONS, cron="* * * * *", at_once=True),
    Entry(jobs.RECOMMEND_PRODUCTS, cron="*/2 * * * *"),
    Entry(jobs.LEARN_FROM_SEARCHES, cron="*/5 * * * *"),
    Entry(jobs.SUM_UP_SEARCHES, cron="2-57/5 * * * *"),
    Entry(jobs.RECOUNT_SEARCHES, cron="10 4 * * *"),
    Entry(jobs.EMBED_PRODUCTS, cron="17 * * * *"),
    Entry(jobs.REINDEX_PRODUCTS, cron="*/10 * * * *", at_once=True),
    Entry(jobs.REMIND_OF_DISPUTES, cron="27 * * * *", at_once=True),
    Entry(jobs.FORGET_VECTORS, cron="*/15 * * * *"),
    Entry(jobs.NIGHTLY_REPORT, cron="10 2 * * *", dated=True, missed="all"),
    Entry(jobs.SETTLE_MOVEMENTS, cron="*/10 * * * *"),
    Entry(jobs.VERIFY_LEDGER, cron="40 1 * * *"),
    Entry(jobs.RECONCILE_PAYMENTS, cron="50 1 * * *"),
    Entry(jobs.FORGET_DELIVERIES, cron="50 3 * * *"),
    Entry(jobs.PRUNE, cron="30 3 * * *"),
    Entry(jobs.MAKE_PARTITIONS, cron="20 3 * * *", at_once=True),
    Entry(jobs.RETRACE_STEPS, cron="25 4 * * *", at_once=True),
)
