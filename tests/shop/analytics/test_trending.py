"""Trending ranks by people and by rise, says why, and shows only what can be bought."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.behaviour.trending import trending, trending_now
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.ports.events import EventStream
from tests.shop.analytics import books
from tests.shop.analytics.conftest import batch, event

NOW = datetime.now(UTC)


def look(
    db: Database, stream: EventStream, product: str, people: int, *, ago: timedelta, name: str = "product_view"
) -> None:
    at = NOW - ago
    lot = [event(name, ts=at, visitor=f"{product}-{n}", product_id=product) for n in range(people)]
    for n in range(0, len(lot), 200):
        accept(db, stream, batch(lot[n : n + 200], received_at=NOW))
    ingest(db, stream)


def listed(db: Database, window: str, category: str | None = None) -> list[str]:
    return [one.id for one in trending_now(db, window=window, category=category, limit=50)]


def test_more_people_and_stronger_interest_rank_first(db: Database, stream: EventStream) -> None:
    for name in ("seen", "carted", "bought"):
        books.product(db, name)
    look(db, stream, "seen", 8, ago=timedelta(minutes=10))
    look(db, stream, "carted", 8, ago=timedelta(minutes=10))
    look(db, stream, "carted", 5, ago=timedelta(minutes=10), name="cart_add")
    look(db, stream, "bought", 8, ago=timedelta(minutes=10))
    for n in range(5):
        books.paid_order(db, [("bought", 1, 1000)], at=NOW - timedelta(minutes=5), visitor=f"bought-{n}")

    trending(db)

    for window in ("1h", "24h", "7d"):
        assert listed(db, window) == ["bought", "carted", "seen"]
    reasons = trending_now(db, window="24h", category=None, limit=1)[0].reasons
    assert [(reason["code"], reason.get("count")) for reason in reasons] == [("bought", 5), ("seen", 8), ("new", None)]
    assert reasons[0]["text"] == "bought 5 times in the last 24 hours"


def test_one_person_reloading_makes_no_trend(db: Database, stream: EventStream) -> None:
    books.product(db, "p1")
    books.product(db, "p2")
    accept(db, stream, batch([event(visitor="same", product_id="p1") for _ in range(300)]))
    look(db, stream, "p2", 3, ago=timedelta(minutes=1))

    trending(db)
    assert listed(db, "1h") == ["p2"]
    with db.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM product_interest WHERE product_id = 'p1'").fetchone() == (1,)


def test_each_window_forgets_what_is_older(db: Database, stream: EventStream) -> None:
    for name, ago in (("fresh", 0.2), ("today", 5), ("week", 60)):
        books.product(db, name)
        look(db, stream, name, 5, ago=timedelta(hours=ago))

    trending(db)
    assert listed(db, "1h") == ["fresh"]
    assert listed(db, "24h") == ["fresh", "today"]
    assert listed(db, "7d") == ["fresh", "today", "week"]


def test_what_rises_above_its_usual_overtakes_what_is_always_large(db: Database, stream: EventStream) -> None:
    books.product(db, "evergreen")
    books.product(db, "riser")
    with db.transaction() as tx:  # 28 days at 40 a day
        tx.execute(
            "INSERT INTO product_hours (product_id, hour, views)"
            " SELECT 'evergreen', date_trunc('hour', now()) - make_interval(days => n), 40 FROM generate_series(2, 28) AS n"
        )
    look(db, stream, "evergreen", 40, ago=timedelta(hours=3))
    look(db, stream, "riser", 25, ago=timedelta(hours=3))

    trending(db)
    assert listed(db, "24h") == ["riser", "evergreen"]


def test_categories_have_their_own_lists_and_unbuyable_products_are_left_out(db: Database, stream: EventStream) -> None:
    books.product(db, "boot", category="Shoes")
    books.product(db, "hat", category="Hats")
    books.product(db, "sold-out", category="Hats", stock=0)
    books.product(db, "gone", category="Hats", active=False)
    for name in ("boot", "hat", "sold-out", "gone", "unknown-product"):
        look(db, stream, name, 4, ago=timedelta(minutes=1))

    trending(db)
    assert listed(db, "24h", "hats") == ["hat"]
    assert set(listed(db, "24h")) == {"boot", "hat"}
    with db.transaction() as tx:
        tx.execute("UPDATE products SET stock = 0 WHERE id = 'boot'")
    assert listed(db, "24h") == ["hat"]  # at once, without waiting for the next refresh


def test_running_twice_and_late_events_give_the_same_list_as_in_order(db: Database, stream: EventStream) -> None:
    books.product(db, "p1")
    books.product(db, "p2")
    books.paid_order(db, [("p1", 1, 1000)], at=NOW - timedelta(hours=2), customer="c1")
    look(db, stream, "p2", 4, ago=timedelta(hours=1))
    trending(db, now=NOW)
    look(db, stream, "p1", 4, ago=timedelta(hours=30))  # late: older than what is stored
    trending(db, now=NOW)
    trending(db, now=NOW)

    with db.transaction() as tx:
        heat = tx.execute("SELECT span, product_id, log_heat FROM product_heat ORDER BY 1, 2").fetchall()
        tx.execute("TRUNCATE product_heat, product_interest, product_hours, trending, analytics_cursors")
        tx.execute("TRUNCATE events, event_batches, event_hours, ingest_ledger")
    look(db, stream, "p1", 4, ago=timedelta(hours=30))
    look(db, stream, "p2", 4, ago=timedelta(hours=1))
    trending(db, now=NOW)
    with db.transaction() as tx:
        again = tx.execute("SELECT span, product_id, log_heat FROM product_heat ORDER BY 1, 2").fetchall()
    assert [row[:2] for row in heat] == [row[:2] for row in again]
    assert all(abs(one[2] - other[2]) < 1e-9 for one, other in zip(heat, again, strict=True))


def test_a_product_untouched_for_a_year_does_not_break_the_sums(db: Database, stream: EventStream) -> None:
    books.product(db, "old")
    with db.transaction() as tx:
        tx.execute("INSERT INTO product_heat VALUES ('1h', 'old', -30000, now() - interval '1 year')")
    look(db, stream, "old", 3, ago=timedelta(minutes=1))
    trending(db)
    assert listed(db, "1h") == ["old"]
