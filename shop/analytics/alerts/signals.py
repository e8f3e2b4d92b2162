"""The list of what is watched, and what to tell the person who hears of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from shop.analytics.alerts import counted, shares, states
from shop.analytics.alerts.look import HOUR, Look, Seen


@dataclass(frozen=True, slots=True)
class Signal:
    """`begins` and `ends`: so many looks in a row make an incident, and end it. `every`: looks that come sooner
    are left out, so that a job that runs twice does not count one look as two."""

    kind: str
    read: Callable[[Look], Iterator[Seen]]
    title: str
    advice: str
    begins: int = 1
    ends: int = 3
    every: timedelta = timedelta(minutes=4)


SIGNALS: tuple[Signal, ...] = (
    Signal(
        "orders",
        counted.orders,
        "Far fewer orders than usual",
        "Try to buy something. Is the shop reachable?",
        begins=2,
    ),
    Signal(
        "revenue", counted.revenue, "Far less revenue than usual", "Look at orders and at refused payments.", begins=2
    ),
    Signal(
        "events",
        counted.events,
        "Events far from the usual",
        "GET /v1/analytics/ingest says what came and from whom.",
        begins=2,
    ),
    Signal(
        "payment_failures",
        shares.payment_failures,
        "More payments are refused than usual",
        "Look at the refused orders: one card after the other from one place is a thief trying cards; "
        "all of one kind is the provider. Stripe's status page tells of faults.",
        begins=2,
    ),
    Signal(
        "tracking_loss",
        shares.tracking_loss,
        "More orders without a trace than usual",
        "Did the tracker leave a page, or a consent dialogue change? The report tells it by card and browser.",
        begins=2,
    ),
    Signal(
        "empty_searches",
        shares.empty_searches,
        "More searches find nothing than usual",
        "GET /v1/search/analytics names them. Is the catalogue whole?",
        begins=2,
    ),
    Signal(
        "ingest_lag",
        states.ingest_lag,
        "Events wait long to be stored",
        "GET /v1/queues: is analytics paused, are its workers alive?",
        begins=2,
    ),
    Signal(
        "unaccounted",
        states.unaccounted,
        "Accepted events are lost",
        "Redis forgot them: a restart without its log, or an eviction. docs/analytics.md says how to set it.",
    ),
    Signal(
        "rollup_difference",
        states.rollup_difference,
        "Sums differ from what they sum",
        "docs/analytics.md names the command that counts them anew.",
    ),
    Signal(
        "quarantine",
        states.quarantine,
        "Accepted events could not be stored",
        "docs/analytics.md says how they are looked at and replayed.",
        ends=1,
    ),
    Signal(
        "dead_jobs",
        states.dead_jobs,
        "A job gave up",
        "“backroom jobs list --state dead” shows them with reasons.",
        ends=1,
    ),
    Signal(
        "sample_ratio",
        states.sample_ratio,
        "An experiment's visitors come in wrong shares",
        "Its results are not shown until the reason is found: docs/analytics.md names the usual ones.",
        every=HOUR,
        ends=2,
    ),
    Signal(
        "guardrail",
        states.guardrail,
        "An experiment makes worse what it must not",
        "Stop it, or know why: GET /v1/experiments/{key}/results shows how much. docs/analytics.md explains.",
        every=HOUR,
        ends=2,
    ),
)

BY_KIND = {signal.kind: signal for signal in SIGNALS}
