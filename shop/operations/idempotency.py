"""Once per key: a keyed request and its first answer are one transaction, so a repeat finds what the first one made.

The transaction holds an advisory lock named by the key. A second request that cannot get it is told that the first
is still running; a crash of the first ends its transaction, and with it both its half-done work and the lock.
"""

import hashlib
import hmac
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from db.database import Database, Tx
from shop.errors import Rejected
from shop.operations import queries

KEEP_HOURS = 48
"""The contract promises 24; a day more lets a client that slept over the week-end's first night come back."""

PRUNE_BATCH = 5_000
"""One statement's worth: a fraction of a second, and few enough row locks."""


class KeyRequired(Rejected):
    """The route makes something, so it must be asked with an Idempotency-Key of 1 to 255 printable characters."""

    code = "idempotency_key_required"
    status = 400


class KeyReused(Rejected):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency_key_reused"
    status = 422


class KeyInFlight(Rejected):
    """The first request with this Idempotency-Key has not been answered yet."""

    code = "idempotency_in_flight"
    status = 409


@dataclass(frozen=True, slots=True)
class Keyed:
    """What makes two requests the same one. `route` is the method and the path as asked."""

    caller: str
    route: str
    key: str
    body: bytes

    @property
    def fingerprint(self) -> bytes:
        return hashlib.sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it went out: status below 500, the headers that belong to it, the bytes of its body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Joined(Database):
    """A database whose transactions are savepoints of one that is open: what runs on it commits with its owner."""

    def __init__(self, tx: Tx) -> None:  # pyright: ignore[reportMissingSuperCall] - it has no pool of its own
        self._tx: Tx | None = tx

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        if self._tx is None:
            raise RuntimeError("the keyed request's transaction is over; what runs later needs the real database")
        with self._tx.transaction():
            yield self._tx

    @contextmanager
    def session(self) -> Generator[Tx]:
        raise RuntimeError("a keyed request has one transaction and no session beside it")
        yield  # pyright: ignore[reportUnreachable] - makes this a generator, as the class above has it

    def close(self) -> None:
        """From now on nothing runs on it: its connection goes back to the pool with the outer transaction."""
        self._tx = None


def once(db: Database, keyed: Keyed, work: Callable[[Database], Kept]) -> tuple[Kept, bool]:
    """Run `work` and keep its answer, or answer what was kept (then True).

    `work` gets a database whose transactions are savepoints of the one that keeps the answer. Whatever it raises
    undoes everything and keeps nothing. Raises KeyReused and KeyInFlight.
    """
    with db.transaction() as tx:
        if not queries.lock_key(tx, f"{keyed.caller}\n{keyed.route}\n{keyed.key}"):
            raise KeyInFlight("the first request with this Idempotency-Key is still running")
        first = queries.find_key(tx, caller=keyed.caller, route=keyed.route, key=keyed.key)
        if first is not None:
            if not hmac.compare_digest(first.fingerprint, keyed.fingerprint):
                raise KeyReused("this Idempotency-Key was used before with another body")
            return Kept(first.status, first.headers, first.body), True
        joined = Joined(tx)
        try:
            kept = work(joined)
        finally:
            joined.close()
        queries.insert_key(tx, _row(keyed, kept), keyed.caller, keyed.route, keyed.key)
        return kept, False


def replace_answer(db: Database, keyed: Keyed, kept: Kept) -> None:
    """The caller waited and got a later answer than the one kept at commit: that one is the first answer now."""
    with db.transaction() as tx:
        queries.update_key(tx, _row(keyed, kept), keyed.caller, keyed.route, keyed.key)


def prune_keys(db: Database) -> int:
    """Delete keys older than KEEP_HOURS, a batch per transaction. Answers how many went."""
    gone = 0
    while True:
        with db.transaction() as tx:
            batch = queries.delete_old_keys(tx, hours=KEEP_HOURS, limit=PRUNE_BATCH)
        gone += batch
        if batch < PRUNE_BATCH:
            return gone


def _row(keyed: Keyed, kept: Kept) -> queries.KeyRow:
    return queries.KeyRow(keyed.fingerprint, kept.status, kept.headers, kept.body)
