"""Payouts to our bank: a state folded from facts like an order's, and the entries that follow from it.

leaves      payouts +x   stripe -x     the provider's movement says so (settle.py)
paid        bank +x      payouts -x
failed      stripe +x    payouts -x    the provider's movement says so; one that was paid before first comes back
"""

from collections.abc import Sequence
from datetime import datetime

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.payments.books.entries import Posting
from shop.payments.queries import ledger as books
from shop.payments.queries import payouts as rows
from shop.payments.queries.payouts import HouseFact, Payout
from shop.ports.settlements import PayoutSeen

NEWS = ("payout.",)
"""Kinds of news that are about payouts."""

TIER = {"pending": 0, "in_transit": 1, "paid": 2, "canceled": 3, "failed": 3}
"""A payout that was paid can still come back from the bank, some days later; one that came back stays so."""

CAME_BACK = frozenset({"canceled", "failed"})


def take_news(db: Database) -> tuple[str, str | None]:
    """News of a payout make the provider's books be read now; answers what became of them and why."""
    with db.transaction() as tx:
        outbox.stage(tx, jobs.SETTLE_MOVEMENTS, unique_key=jobs.SETTLE_MOVEMENTS.name)
    return "applied", "the provider's books are read"


def paid_out(db: Database, *, status: str | None, before_id: str | None, limit: int) -> list[Payout]:
    """Newest first."""
    with db.transaction() as tx:
        return rows.payouts(tx, status=status, before_id=before_id, limit=limit)


def payout_seen(tx: Tx, seen: PayoutSeen, *, seen_at: datetime) -> bool:
    """Take one look at a payout into account; False if it tells nothing new."""
    new = rows.append(
        tx,
        HouseFact(
            chain=seen.id,
            kind="payout.seen",
            source="sweep",
            # What was seen names the fact: the same look again is no news.
            source_key=f"{seen.status}:{seen.failure_code or ''}:{seen.arrival_at:%Y-%m-%d}",
            seen_at=seen_at,
            subject=seen.id,
            amount_minor=seen.amount,
            currency=seen.currency,
            data={"status": seen.status, "failure_code": seen.failure_code},
        ),
    )
    if not new:
        return False
    known = rows.facts_of(tx, seen.id)
    status = state_of(known)
    rows.save(
        tx,
        provider_id=seen.id,
        status=status,
        amount=seen.amount,
        currency=seen.currency,
        automatic=seen.automatic,
        failure_code=seen.failure_code if status in CAME_BACK else None,
        arrival_at=seen.arrival_at,
        made_at=seen.made_at,
    )
    _book(tx, seen, was_paid=any(_status(fact) == "paid" for fact in known), status=status)
    return True


def state_of(known: Sequence[HouseFact]) -> str:
    """The status that all looks add up to, in whatever order they came; a new word of the provider's counts least."""
    return max((_status(fact) for fact in known), key=lambda status: (TIER.get(status, -1), status))


def _status(fact: HouseFact) -> str:
    return str((fact.data or {}).get("status"))


def _book(tx: Tx, seen: PayoutSeen, *, was_paid: bool, status: str) -> None:
    arrived = {"bank": seen.amount, "payouts": -seen.amount}
    if was_paid:
        _enter(tx, seen, f"payout paid:{seen.id}", arrived)
    if was_paid and status in CAME_BACK:
        _enter(tx, seen, f"payout back:{seen.id}", {account: -amount for account, amount in arrived.items()})


def _enter(tx: Tx, seen: PayoutSeen, cause: str, postings: dict[str, int]) -> None:
    lines = [Posting(account, seen.currency, amount) for account, amount in postings.items()]
    books.enter(tx, order_id=None, kind="payout", cause=cause, lines=lines, memo=seen.failure_code)
