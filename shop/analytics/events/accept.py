"""Takes a batch of checked events and keeps it: in the stream, or in PostgreSQL while Redis is away."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar

from db import outbox
from db.database import Database, DatabaseUnavailable
from shop import jobs
from shop.analytics.events import visitors
from shop.analytics.events.clock import correct
from shop.analytics.events.ingest import DRAIN_KEY
from shop.analytics.queries import inbox
from shop.errors import NotYet
from shop.ids import new_id
from shop.ports.events import EventStream, StreamUnavailable


@dataclass(frozen=True, slots=True)
class Sender:
    """`kind` is web or server; `user_id` is the customer's, when a token said so.

    `stranger` stands in for the visitor of events that name none, because their visitor did not agree to it.
    """

    kind: str
    user_id: str | None
    user_agent: str
    stranger: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in one request. `events` are checked, as JSON values, without `visitor_id` where there is no consent;
    `rejected` counts the refused ones by code."""

    events: Sequence[Mapping[str, Any]]
    rejected: Mapping[str, int]
    sent_at: datetime
    received_at: datetime
    sender: Sender

    @property
    def received(self) -> int:
        return len(self.events) + sum(self.rejected.values())


class NowhereToKeep(NotYet):
    """Neither Redis nor PostgreSQL took the batch. The sender still has it and must send it again."""

    code: ClassVar[str] = "events_unavailable"


def accept(db: Database, stream: EventStream, batch: Batch) -> str:
    """Answers the batch's id once it is durably kept. Raises StreamFull (429) or NowhereToKeep (503)."""
    batch_id = new_id("bat")
    body = body_of(batch_id, batch)
    try:
        stream.append(body, events=batch.received, received_at=batch.received_at)
    except StreamUnavailable:
        # It may have been kept all the same; the drain knows a batch by its id and takes it once.
        _keep_in_inbox(db, batch, body)
    return batch_id


def body_of(batch_id: str, batch: Batch) -> bytes:
    """The batch as it waits for the drain: JSON, its rows as the store will have them."""
    entry = {
        "batch": batch_id,
        "sender": batch.sender.kind,
        "received_at": batch.received_at.isoformat(),
        "rejected": dict(batch.rejected),
        "rows": [_row(event, batch) for event in batch.events],
    }
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode()


def _row(event: Mapping[str, Any], batch: Batch) -> dict[str, Any]:
    """The columns of `events` that are known now; the drain only copies."""
    ts = datetime.fromisoformat(event["ts"])
    moment, how = correct(ts, batch.sent_at, batch.received_at)
    score, reason = (0, None) if batch.sender.kind == "server" else visitors.bot_score(batch.sender.user_agent)
    host = visitors.referrer_host(event.get("referrer"))
    row = {
        "event_id": event["id"],
        "name": event["name"],
        "source": batch.sender.kind,
        "ts": moment.isoformat(),
        "ts_client": ts.isoformat(),
        "sent_at": batch.sent_at.isoformat(),
        "clock": how,
        "visitor_id": event.get("visitor_id", batch.sender.stranger),
        "user_id": batch.sender.user_id if "visitor_id" in event else None,
        "bot_score": score,
        "bot_reason": reason,
        "path": visitors.plain_path(event.get("path")),
        "referrer_host": host,
        "channel": visitors.channel(event.get("campaign"), host),
        "device": None if batch.sender.kind == "server" else visitors.device(batch.sender.user_agent),
        "price_minor": event.get("price"),
        "fingerprint": _fingerprint(event),
        **{name: event.get(name) for name in _AS_SENT},
    }
    return {name: value for name, value in row.items() if value is not None}


_AS_SENT = (
    "session_id",
    "consent",
    "campaign",
    "product_id",
    "search_id",
    "position",
    "quantity",
    "currency",
    "props",
)


def _fingerprint(event: Mapping[str, Any]) -> int:
    """64 bits of what the event says; sent_at is not in it, because a retry changes that."""
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(blake2b(canonical.encode(), digest_size=8).digest(), signed=True)


def _keep_in_inbox(db: Database, batch: Batch, body: bytes) -> None:
    try:
        with db.transaction() as tx:
            inbox.keep(tx, body=body, events=batch.received, received_at=batch.received_at)
            outbox.stage(tx, jobs.DRAIN_EVENTS, unique_key=DRAIN_KEY)
    except DatabaseUnavailable as error:
        raise NowhereToKeep("events cannot be kept at the moment", retry_after_s=5) from error
