"""Reads a waiting batch back into rows for the store; what cannot be read is named, never dropped."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

COLUMNS = (
    "event_id",
    "name",
    "source",
    "ts",
    "ts_client",
    "sent_at",
    "received_at",
    "clock",
    "visitor_id",
    "user_id",
    "session_id",
    "consent",
    "bot_score",
    "bot_reason",
    "path",
    "referrer_host",
    "channel",
    "campaign",
    "device",
    "product_id",
    "order_id",
    "search_id",
    "position",
    "quantity",
    "price_minor",
    "currency",
    "props",
    "fingerprint",
)
"""In the order in which they are copied; `seq` and `via` go before them."""

WITH_DEFAULT = {"bot_score": 0}


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch as it waited. `place` names it where the batch itself does not say who it is."""

    place: str
    via: str
    events: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch read back. `rows` hold one value per column; `unread` is how many events it was said to hold when it
    could not be read: `body` is then the batch to the byte, `raw` the same for people's eyes."""

    id: str
    via: str
    sender: str
    received_at: datetime
    rows: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    rejected: Counter[str] = field(default_factory=Counter[str])
    unread: int = 0
    raw: str = ""
    body: bytes = b""
    reason: str = ""

    @property
    def minute(self) -> datetime:
        return self.received_at.astimezone(UTC).replace(second=0, microsecond=0)


def read(kept: Iterable[Kept], *, now: datetime) -> list[Batch]:
    """`now` stands in for the time of arrival of a batch that cannot be read."""
    return [_read(one, now) for one in kept]


def _read(kept: Kept, now: datetime) -> Batch:
    try:
        entry = json.loads(kept.body)
        received_at = datetime.fromisoformat(entry["received_at"])
        return Batch(
            id=str(entry["batch"]),
            via=kept.via,
            sender=str(entry["sender"]),
            received_at=received_at,
            rows=[_values(row, entry["received_at"]) for row in entry["rows"]],
            rejected=Counter({str(code): int(n) for code, n in entry["rejected"].items()}),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Batch(
            id=kept.place,
            via=kept.via,
            sender="unknown",
            received_at=now,
            unread=kept.events,
            body=kept.body,
            raw=kept.body.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}"),
            reason=f"batch cannot be read: {type(error).__name__}",
        )


def _values(row: dict[str, Any], received_at: str) -> tuple[Any, ...]:
    given = {**WITH_DEFAULT, **row, "received_at": received_at}
    props = given.get("props")
    given["props"] = None if props is None else json.dumps(props, ensure_ascii=False)
    return tuple(given.get(column) for column in COLUMNS)


def as_json(row: tuple[Any, ...]) -> str:
    """A row as it is kept in quarantine: exactly, in ASCII, so that PostgreSQL keeps what it could not store."""
    pairs = cast(dict[str, Any], dict(zip(COLUMNS, row, strict=True)))
    return json.dumps({k: v for k, v in pairs.items() if v is not None}, default=str)
