"""How the provider's news reach us: by which secrets, since when not, in which version, and what waits for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.database import Database, Tx
from shop.payments.queries import orders, tallies
from shop.payments.queries.tallies import Tally
from shop.ports.notices import Notices

RETIRE_AFTER = timedelta(hours=24)
"""The longest time for which Stripe signs with a secret that was rolled. One that was needed within it still is."""

SILENT_AFTER = timedelta(hours=2)
"""An order that was paid makes news within seconds, and Stripe repeats what failed within minutes at first."""

RECENTLY = timedelta(hours=24)
"""What was wrong and has not been for a day is history."""

UNREAD_S = 600.0
"""Deliveries are read within a second; ten minutes are no rush hour any more."""

COUNTED = 10_000
"""Deliveries of a state that are counted one by one; beyond that it is "at least"."""

ALERTED = 1_000
"""Enough for a person to know; a readiness probe asks every few seconds."""


@dataclass(frozen=True, slots=True)
class SecretUse:
    """`place` counts from 1, the newest; None for one that is no longer configured.

    `retire_ok`: a newer one is in use and this one was not needed for a day, so it can be taken out of the setting.
    """

    label: str
    place: int | None
    count: int
    last_verified_at: datetime | None
    retire_ok: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to look at, though the shop goes on working. `code` is for machines, `sentence` says what to do."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Figures:
    """For graphs. `waiting` by state, never more than COUNTED each; `settled` by state and `arrived` by way, for ever.

    `only_sweep_saw`: events that the provider lists and that never arrived by themselves.
    """

    waiting: dict[str, int]
    settled: dict[str, int]
    arrived: dict[str, int]
    only_sweep_saw: int
    other_version: int
    oldest_unread_s: float


def secrets(db: Database, notices: Notices) -> list[SecretUse]:
    """The configured ones in their order, then those that were used before."""
    with db.transaction() as tx:
        now, used = orders.clock(tx), _of_kind(tallies.tallies(tx), "secret")
    return _secrets(notices.labels, used, now)


def alerts(db: Database, notices: Notices) -> list[Alert]:
    """What to look at, worst first. Reads a few dozen rows and the first entries of indexes, however long the inbox."""
    with db.transaction() as tx:
        return [alert for alert in _alerts(tx, notices) if alert is not None]


def figures(db: Database, notices: Notices) -> Figures:
    with db.transaction() as tx:
        told = tallies.tallies(tx)
        waiting = tallies.waiting(tx, at_most=COUNTED)
        oldest_s = tallies.oldest_unread_s(tx)
    arrived = {name: tally.count for name, tally in _of_kind(told, "source").items()}
    settled = {name: tally.count for name, tally in _of_kind(told, "state").items()}
    versions = _of_kind(told, "version").items()
    return Figures(
        waiting=waiting,
        settled=settled,
        arrived=arrived,
        only_sweep_saw=arrived.get("poll", 0) - arrived.get("late", 0),
        other_version=sum(tally.count for name, tally in versions if name != notices.version),
        oldest_unread_s=oldest_s,
    )


def _secrets(labels: Sequence[str], used: dict[str, Tally], now: datetime) -> list[SecretUse]:
    newest = used.get(labels[0])
    found = [
        SecretUse(
            label=label,
            place=place,
            count=used[label].count if label in used else 0,
            last_verified_at=used[label].last_at if label in used else None,
            retire_ok=place > 1 and newest is not None and _is_over(used.get(label), newest, now),
        )
        for place, label in enumerate(labels, start=1)
    ]
    gone = sorted((tally for label, tally in used.items() if label not in labels), key=lambda tally: tally.last_at)
    return found + [SecretUse(tally.name, None, tally.count, tally.last_at, retire_ok=False) for tally in gone[::-1]]


def _is_over(old: Tally | None, newest: Tally, now: datetime) -> bool:
    return old is None or (old.last_at < newest.last_at and now - old.last_at > RETIRE_AFTER)


def _alerts(tx: Tx, notices: Notices) -> list[Alert | None]:
    now, told = orders.clock(tx), tallies.tallies(tx)
    waiting = tallies.waiting(tx, at_most=ALERTED)
    used = _of_kind(told, "secret")
    return [
        _silent(tx, used, now),
        _unread(tallies.oldest_unread_s(tx)),
        _wrong_address(_of_kind(told, "source").get("wrong_address"), now),
        _old_secret(_secrets(notices.labels, used, now), now),
        _other_version(_of_kind(told, "version"), notices.version, now),
        _orphans(waiting.get("orphan", 0)),
    ]


def _silent(tx: Tx, used: dict[str, Tally], now: datetime) -> Alert | None:
    last = max((tally.last_at for tally in used.values()), default=None)
    paid = tallies.first_paid_after(tx, last)
    if paid is None or now - paid < SILENT_AFTER:
        return None
    since = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "ever"
    return Alert(
        "webhooks_silent",
        f"No webhook was verified {since}, though orders were paid: look at the endpoint and its secret in Stripe's "
        "dashboard (Developers, Webhooks) and compare it with STRIPE_WEBHOOK_SECRETS. The sweep finds the news "
        "meanwhile.",
    )


def _unread(oldest_s: float) -> Alert | None:
    if oldest_s < UNREAD_S:
        return None
    return Alert(
        "webhooks_unread",
        f"The oldest delivery has waited {oldest_s / 60:.0f} minutes to be read: look at backroom jobs queues and "
        "backroom jobs list --state dead.",
    )


def _wrong_address(refused: Tally | None, now: datetime) -> Alert | None:
    if refused is None or now - refused.last_at > RECENTLY:
        return None
    return Alert(
        "webhooks_wrong_address",
        "Deliveries with a right signature were refused for their address: compare STRIPE_WEBHOOK_ADDRESSES with the "
        "list Stripe publishes, and PROXY_HOPS with the proxies in front of the shop.",
    )


def _old_secret(found: Sequence[SecretUse], now: datetime) -> Alert | None:
    """Only once the newest works: until then a rotation is under way, and all is as it should be."""
    if found[0].last_verified_at is None:
        return None
    old = [
        use.label
        for use in found[1:]
        if use.place is not None and use.last_verified_at is not None and now - use.last_verified_at <= RETIRE_AFTER
    ]
    if not old:
        return None
    return Alert(
        "webhooks_old_secret",
        f"The old webhook secret {', '.join(old)} still verifies deliveries: let it expire in Stripe's dashboard, or "
        "look for a second endpoint that uses it. backroom deliveries secrets says when it may go.",
    )


def _other_version(versions: dict[str, Tally], ours: str, now: datetime) -> Alert | None:
    others = sorted(name for name, seen in versions.items() if name != ours and now - seen.last_at <= RECENTLY)
    if not others:
        return None
    return Alert(
        "webhooks_other_version",
        f"Events come in version {', '.join(others)}, this code was written for {ours}: set the endpoint's version in "
        "Stripe's dashboard. Nothing is lost meanwhile, since every object is asked for again in our own version.",
    )


def _orphans(number: int) -> Alert | None:
    if number == 0:
        return None
    many = f"{number:,}{' or more' if number >= ALERTED else ''}"
    return Alert(
        "webhooks_orphans",
        f"{many} deliveries could not be placed and wait for a person: backroom deliveries list --state orphan.",
    )


def _of_kind(told: Sequence[Tally], kind: str) -> dict[str, Tally]:
    return {tally.name: tally for tally in told if tally.kind == kind}
