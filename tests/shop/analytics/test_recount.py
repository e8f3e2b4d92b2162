"""A rollup that is not what its rows say is found, named, told to people, and put right."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from db.database import Database
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.events.recount import recount
from shop.ports.events import EventStream
from tests.shop.analytics.conftest import batch, event


def differences(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.execute(
            "SELECT rollup, differing, off_by, sample -> 0 ->> 'name', settled_by FROM rollup_differences ORDER BY id"
        ).fetchall()


def live_through_a_week(db: Database, stream: EventStream) -> None:
    """Late events, doubled and shuffled batches, machines."""
    dice, now = random.Random(7), datetime.now(UTC)
    lots = [
        batch(
            [
                event(
                    dice.choice(("page_view", "product_view", "cart_add")),
                    ts=now - timedelta(hours=dice.randrange(140)),
                    visitor=f"v{dice.randrange(20)}",
                    product_id=f"p{dice.randrange(5)}",
                )
                for _ in range(20)
            ],
            agent=dice.choice(("Mozilla/5.0 Firefox/140.0", "Googlebot/2.1")),
        )
        for _ in range(20)
    ]
    for lot in dice.sample(lots + lots[:8], 28):
        accept(db, stream, lot)
    ingest(db, stream)


def test_after_any_mix_of_late_and_doubled_events_rollups_are_what_their_rows_say(
    db: Database, stream: EventStream
) -> None:
    live_through_a_week(db, stream)
    found = recount(db)
    assert found["days"] >= 6
    assert (found["differing"], differences(db)) == (0, [])


def test_a_difference_is_noted_once_and_settled_by_its_repair(db: Database, stream: EventStream) -> None:
    live_through_a_week(db, stream)
    with db.transaction() as tx:
        tx.execute(
            "UPDATE event_hours SET events = events + 3 WHERE (hour, name, human) IN"
            " (SELECT hour, name, human FROM event_hours WHERE name = 'cart_add' ORDER BY hour DESC LIMIT 1)"
        )
        tx.execute("UPDATE product_hours SET views = 0 WHERE hour = (SELECT max(hour) FROM product_hours)")
    for _ in range(2):
        assert recount(db)["differing"] == 2
    first, second = differences(db)
    assert (first[0], first[1:]) == ("event_hours", (1, 3, "cart_add", None))
    assert second[0] == "product_hours"

    assert recount(db, repair=True, by="ada")["repaired"] == 2
    assert recount(db)["differing"] == 0
    assert {row[4] for row in differences(db)} == {"ada"}


def test_what_is_right_again_by_itself_is_settled(db: Database, stream: EventStream) -> None:
    live_through_a_week(db, stream)
    with db.transaction() as tx:
        tx.execute("INSERT INTO event_hours VALUES (date_trunc('hour', now()), 'wishlist_add', true, 1)")
    assert recount(db)["differing"] == 1
    with db.transaction() as tx:
        tx.execute("DELETE FROM event_hours WHERE name = 'wishlist_add'")
    assert recount(db)["differing"] == 0
    assert [row[4] for row in differences(db)] == ["recount"]


def test_every_older_day_has_its_night(db: Database, stream: EventStream) -> None:
    now = datetime.now(UTC)
    with db.transaction() as tx:
        tx.execute("INSERT INTO event_hours VALUES (now() - interval '300 days', 'page_view', true, 1)")
    nights = [recount(db, now=now + timedelta(days=n)) for n in range(25)]
    assert all(night["days"] <= 23 for night in nights)
    assert sum(night["differing"] for night in nights) == 1
    assert recount(db, whole=True)["days"] == 301
