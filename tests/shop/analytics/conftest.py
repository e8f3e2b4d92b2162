"""Events as a page sends them, and a stream on the test's own Redis."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients import event_stream
from shop.analytics.events.accept import Batch, Sender
from shop.ports.events import EventStream

PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(name="stream")
def _stream(redis_url: str) -> EventStream:
    return event_stream.connect(redis_url)


def event_id(moment: datetime | None = None) -> str:
    """A version 7 id of that moment."""
    at = moment or datetime.now(UTC)
    bits = int(at.timestamp() * 1000) << 80 | (uuid.uuid4().int & ((1 << 80) - 1))
    bits = bits & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=bits & ~(0x3 << 62) | 2 << 62))


def event(
    name: str = "product_view", *, ts: datetime | None = None, visitor: str = "v1", **more: Any
) -> dict[str, Any]:
    at = ts or datetime.now(UTC)
    return {"id": event_id(at), "name": name, "ts": at.isoformat(), "visitor_id": visitor, **more}


def batch(
    events: Sequence[Mapping[str, Any]],
    *,
    rejected: Mapping[str, int] | None = None,
    received_at: datetime | None = None,
    sent_at: datetime | None = None,
    agent: str = PERSON,
    kind: str = "web",
) -> Batch:
    received = received_at or datetime.now(UTC)
    return Batch(
        events, rejected or {}, sent_at or received - timedelta(seconds=1), received, Sender(kind, None, agent)
    )
