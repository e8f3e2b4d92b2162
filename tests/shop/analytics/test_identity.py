"""A browser is a customer's while nobody else was ever signed in there, and people may decide otherwise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.database import Database
from shop.analytics.events.accept import accept
from shop.analytics.events.identity import NobodyAskedFor, decide, identity
from shop.analytics.events.ingest import ingest
from shop.analytics.events.order_facts import order_facts
from shop.errors import NotFound
from shop.ports.events import EventStream
from tests.shop.analytics import books
from tests.shop.analytics.conftest import batch, event


def seen(db: Database, stream: EventStream, visitor: str, customer: str | None, *, hours_ago: float = 0) -> None:
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    lot = batch([event(visitor=visitor, ts=at)])
    accept(db, stream, replace(lot, sender=replace(lot.sender, user_id=customer)))
    ingest(db, stream)


def persons(db: Database, visitor: str) -> list[str | None]:
    with db.transaction() as tx:
        rows = tx.execute(
            "SELECT person FROM event_person WHERE visitor_id = %s ORDER BY ts, event_id", (visitor,)
        ).fetchall()
    return [row[0] for row in rows]


def test_the_anonymous_past_is_theirs_who_sign_in_until_somebody_else_does(db: Database, stream: EventStream) -> None:
    seen(db, stream, "v1", None, hours_ago=5)
    assert persons(db, "v1") == [None]
    seen(db, stream, "v1", "ann", hours_ago=4)
    seen(db, stream, "v1", None, hours_ago=3)
    assert persons(db, "v1") == ["ann", "ann", "ann"]
    seen(db, stream, "v1", "bob", hours_ago=2)
    assert persons(db, "v1") == [None, "ann", None, "bob"]


def test_a_link_says_from_when_to_when_whatever_order_events_come_in(db: Database, stream: EventStream) -> None:
    for hours in (3, 9, 5):
        seen(db, stream, "v1", "ann", hours_ago=hours)
    (link,) = identity(db, customer_id="ann").links
    assert (link.last_at - link.first_at).total_seconds() == pytest.approx(6 * 3600, abs=5)
    with pytest.raises(NobodyAskedFor):
        identity(db)


def test_an_undone_link_gives_back_the_past_and_can_be_done_again(db: Database, stream: EventStream) -> None:
    seen(db, stream, "v1", None, hours_ago=5)
    seen(db, stream, "v1", "ann", hours_ago=4)
    seen(db, stream, "v1", "bob", hours_ago=3)

    decide(db, visitor_id="v1", customer_id="bob", linked=False, reason="he only paid for her", decided_by="ada")
    assert persons(db, "v1") == ["ann", "ann", "bob"]
    seen(db, stream, "v1", "bob", hours_ago=1)
    assert persons(db, "v1")[0] == "ann", "what a person decided is not decided anew by a sign-in"

    decide(db, visitor_id="v1", customer_id="bob", linked=True, reason="he lives there", decided_by="ada")
    assert persons(db, "v1")[0] is None
    told = identity(db, visitor_id="v1")
    assert [(one.linked, one.reason, one.decided_by) for one in told.decisions] == [
        (True, "he lives there", "ada"),
        (False, "he only paid for her", "ada"),
    ]
    with pytest.raises(NotFound):
        decide(db, visitor_id="v1", customer_id="eve", linked=False, reason="-", decided_by="ada")


def test_an_order_links_its_browser_and_nobody_where_none_is_known(db: Database, stream: EventStream) -> None:
    books.paid_order(db, at=datetime.now(UTC), customer="ann", visitor="v1")
    books.paid_order(db, at=datetime.now(UTC), customer="bob", visitor=None)
    order_facts(db)
    assert [one.visitor_id for one in identity(db, customer_id="ann").links] == ["v1"]
    assert identity(db, customer_id="bob").links == []
