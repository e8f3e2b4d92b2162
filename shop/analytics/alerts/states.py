"""Signals of what should not be there at all: waiting and lost events, dead jobs, wrong sums, wrong splits."""

from collections.abc import Iterator
from datetime import timedelta

from shop.analytics.alerts.baseline import Verdict
from shop.analytics.alerts.look import HOUR, Look, Seen
from shop.analytics.alerts.words import count, minutes
from shop.analytics.events import conservation
from shop.analytics.events.ingest import waiting
from shop.analytics.experiments import readout
from shop.analytics.experiments.inference import SRM_P, mismatch
from shop.analytics.queries import conservation as conservation_rows
from shop.analytics.queries import signals

LAG_BAD_S = 300.0
"""Five minutes: live figures are wrong by then, and a drain that is merely busy has long caught up."""
LAG_CALM_S = 60.0


def ingest_lag(look: Look) -> Iterator[Seen]:
    """How long accepted events wait until they are stored."""
    on_the_way = waiting(look.db, look.stream)
    with look.db.transaction() as tx:
        stored = signals.lag_s(tx, since=look.now - timedelta(minutes=10))
        last = signals.last_stored(tx)
    lag = stored or 0.0
    if on_the_way.events and last is not None:
        lag = max(lag, (look.now - last).total_seconds())
    verdict: Verdict = "bad" if lag > LAG_BAD_S else "calm" if lag < LAG_CALM_S else "between"
    words = f"events wait {minutes(lag)} until they are stored; {count(on_the_way.events, 'event')} on the way"
    yield Seen("ingest_lag", "", verdict, lag, 0.0, words)


SETTLED = timedelta(minutes=2)
"""The newest minutes are still moving from the door to the store."""


def unaccounted(look: Look) -> Iterator[Seen]:
    """Events that the door counted and nobody else knows, of two hours."""
    end = (look.now - SETTLED).replace(second=0, microsecond=0)
    found = conservation.ledger(look.db, look.stream, start=end - 2 * HOUR, end=end)
    if found.unaccounted is None:
        yield Seen("unaccounted", "", "unknown", 0.0, None, "the door's own count cannot be asked")
        return
    lost = found.unaccounted
    words = f"{count(lost, 'event')} of the last two hours accepted and known to nobody"
    yield Seen("unaccounted", "", "bad" if lost else "calm", lost, 0.0, words)


def rollup_difference(look: Look) -> Iterator[Seen]:
    """Sums that the nightly check found to differ from what they sum, one at a time; none that agrees."""
    with look.db.transaction() as tx:
        rows = signals.different_sums(tx)
    for name, days, off_by in rows:
        words = f"{name} differs from the events on {count(days, 'day')}, by {off_by:,} in all"
        yield Seen("rollup_difference", name, "bad", days, 0.0, words)


def quarantine(look: Look) -> Iterator[Seen]:
    """Accepted events that could not be stored and wait for a person."""
    with look.db.transaction() as tx:
        waits = conservation_rows.open_quarantine(tx)
    words = f"{count(waits, 'event')} could not be stored and wait in quarantine"
    yield Seen("quarantine", "", "bad" if waits else "calm", waits, 0.0, words)


def dead_jobs(look: Look) -> Iterator[Seen]:
    """Jobs that gave up and wait for a person, one kind at a time; none that has no dead one."""
    with look.db.transaction() as tx:
        rows = signals.dead_jobs(tx)
    for name, dead in rows:
        yield Seen("dead_jobs", name, "bad", dead, 0.0, f"{count(dead, 'job')} {name} gave up")


def sample_ratio(look: Look) -> Iterator[Seen]:
    """Running experiments whose visitors do not come in the planned shares."""
    with look.db.transaction() as tx:
        running = signals.splits(tx)
    for one in running:
        p = mismatch(one.exposed, one.weights)
        verdict: Verdict = "unknown" if p is None else "bad" if p < SRM_P else "calm" if p > 10 * SRM_P else "between"
        came = " / ".join(f"{number:,}" for number in one.exposed)
        words = f"experiment {one.key}: visitors came {came}, p = {p:.2g}" if p is not None else "too few visitors yet"
        yield Seen("sample_ratio", one.key, verdict, 1.0 if p is None else p, None, words)


def guardrail(look: Look) -> Iterator[Seen]:
    """Running experiments with guardrails: none may be broken. Nothing is said where the split is wrong."""
    with look.db.transaction() as tx:
        keys = signals.guarded(tx)
    for key in keys:
        # One experiment a transaction: a readout reads all its visitors.
        found = readout.results(look.db, key, currency=look.currency, now=look.now)
        verdicts = {
            (metric.name, variant): effect.guard.verdict
            for metric in found.metrics
            for variant, effect in zip(found.experiment.row.variants[1:], metric.effects, strict=False)
            if effect.guard is not None
        }
        broken = [f"{name} of {variant}" for (name, variant), verdict in verdicts.items() if verdict == "broken"]
        verdict: Verdict = "bad" if broken else "calm" if verdicts else "unknown"
        words = (
            f"experiment {key} makes worse: {', '.join(broken)}" if broken else f"experiment {key} breaks no guardrail"
        )
        yield Seen("guardrail", key, verdict, len(broken), 0.0, words)
