"""The row before the call: what is asked of the provider, under which key, and until when it can be repeated.

Whoever asks holds no transaction. `ensure` and `begin` commit first; after the answer `close` is committed together
with the facts it brought. A worker that dies in between leaves an undecided row, and the next run sends the same body
under the same key, or looks first once the provider may have forgotten the key.
"""

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from db.database import Database, Tx
from db.ids import new_id
from shop import jobs
from shop.payments.queries import attempts as rows
from shop.payments.queries import orders, watching
from shop.payments.rows import Attempt
from shop.ports.gateway import OutcomeUnknown

JOBS = {
    "create": jobs.PLACE_ORDER,
    "confirm": jobs.CONFIRM_PAYMENT,
    "capture": jobs.CAPTURE_PAYMENT,
    "cancel": jobs.CANCEL_ORDER,
}
"""Which job asks for an undecided attempt of an order again."""

REPLAY_FOR = timedelta(hours=23)
"""Stripe keeps keys for at least 24 hours; one hour is left for clocks and queues."""


@dataclass(frozen=True, slots=True)
class Asking:
    """An attempt that is about to be sent. `asked_at` is the database's time before the call.

    `look_first` says that this was sent before and its key may be forgotten over there.
    """

    attempt: Attempt
    asked_at: datetime
    look_first: bool


def ensure(tx: Tx, order_id: str, operation: str, body: Mapping[str, Any], *, refund_id: str | None = None) -> Attempt:
    """The undecided attempt of this operation, made now if there is none. The caller holds the order's lock."""
    if found := rows.undecided(tx, order_id, operation, refund_id):
        return found
    rows.insert_attempt(
        tx,
        attempt_id=new_id("att"),
        order_id=order_id,
        refund_id=refund_id,
        operation=operation,
        body=body,
        fingerprint=fingerprint(body),
        replay_for_s=REPLAY_FOR.total_seconds(),
    )
    made = rows.undecided(tx, order_id, operation, refund_id)
    assert made is not None, "it was inserted in this transaction"
    return made


def begin(db: Database, order_id: str, operation: str, *, refund_id: str | None = None) -> Asking | None:
    """Count a try of the undecided attempt and commit; None if there is nothing undecided."""
    with db.transaction() as tx:
        attempt = rows.undecided(tx, order_id, operation, refund_id)
        if attempt is None:
            return None
        asked_at = rows.begin(tx, attempt.id)
        return Asking(attempt, asked_at, look_first=attempt.tries > 0 and asked_at > attempt.deadline)


@contextmanager
def in_doubt(db: Database, attempt: Attempt) -> Generator[None]:
    """Around the call: when no verdict comes back, it is written down that nobody knows, since when, and when
    somebody looks next. The error goes on to the job, which comes back on its own within minutes.
    """
    try:
        yield
    except OutcomeUnknown:
        with db.transaction() as tx:
            watching.note_doubt(tx, attempt.id)
        raise


def renew(tx: Tx, attempt: Attempt, why: str) -> None:
    """Give up a key that cannot bring an answer any more, and wish the same under a new one."""
    orders.lock_order(tx, attempt.order_id)
    if rows.close(tx, attempt.id, outcome="abandoned", error=why):
        ensure(tx, attempt.order_id, attempt.operation, attempt.body, refund_id=attempt.refund_id)


def new_wish() -> str:
    """A name for a wish that survives its being asked under several keys."""
    return new_id("wsh")


def fingerprint(body: Mapping[str, Any]) -> str:
    """SHA-256 of the body in one spelling."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
