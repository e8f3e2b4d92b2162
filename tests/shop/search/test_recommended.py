"""Recommendations: what goes together is learnt from what people did, and never shown against the rules."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from db.database import Database
from shop.errors import NotFound
from shop.ports.encoder import Encoder
from shop.search.queries import interests
from shop.search.recommending.recommend import recommend
from shop.search.recommending.recommend_list import Recommended
from shop.search.recommending.recommended import bought_together, recommended
from tests.shop.search.made import CountingEncoder, fill, one_value, products, stock

NOW = datetime.now(UTC)
GOOD = [product["id"] for product in products() if product["stock"]]


@pytest.fixture(name="shop")
def _shop(db: Database) -> Database:
    stock(db, products())
    return db


def looked(
    db: Database, visitor: str, *product_ids: str, user: str | None = None, hours_ago: float = 2, **more: object
) -> None:
    """One after the other, a minute apart."""
    for place, product_id in enumerate(product_ids):
        ts = NOW - timedelta(hours=hours_ago) + timedelta(minutes=place)
        values = {
            "id": uuid.uuid4(), "name": "product_view", "ts": ts, "visitor": visitor, "user": user,
            "product": product_id, "consent": None, "bot": 0, **more,
        }  # fmt: skip
        with db.transaction() as tx:
            tx.execute(
                """
                INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, user_id,
                                    product_id, consent, bot_score, fingerprint)
                VALUES (%(id)s, %(name)s, 'web', %(ts)s, %(ts)s, %(ts)s, 'as_sent', %(visitor)s, %(user)s,
                        %(product)s, %(consent)s, %(bot)s, 1)
                """,
                values,
            )


def ordered(db: Database, number: int, customer: str, *product_ids: str) -> None:
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO orders (id, customer_id, cart_id, status, currency, expires_at, paid_at)
            VALUES (%(id)s, %(customer)s, 'cart', 'paid', 'eur', now(), now() - interval '1 day')
            """,
            {"id": f"ord_{number}", "customer": customer},
        )
        for place, product_id in enumerate(product_ids, start=1):
            tx.execute(
                """
                INSERT INTO order_lines (id, order_id, position, product_id, name, quantity, unit_price_minor, total_minor)
                VALUES (%(id)s, %(order)s, %(place)s, %(product)s, 'thing', 1, 100, 100)
                """,
                {"id": f"l_{number}_{place}", "order": f"ord_{number}", "place": place, "product": product_id},
            )


def learn(db: Database) -> dict[str, object]:
    return recommend(db, CountingEncoder(), again=True)


def ask(db: Database, *, customer: str | None = None, visitor: str | None = None, limit: int = 10) -> list[Recommended]:
    return recommended(db, CountingEncoder(), customer_id=customer, visitor_id=visitor, limit=limit)


def ids(found: list[Recommended]) -> list[str]:
    return [one.product.id for one in found]


def test_what_several_orders_had_together_is_bought_together(shop: Database) -> None:
    a, b, c, d = GOOD[:4]
    ordered(shop, 1, "cus_1", a, b, c)
    ordered(shop, 2, "cus_2", a, b)
    ordered(shop, 3, "cus_3", c, d)
    learn(shop)
    found = bought_together(shop, a, limit=10)
    assert ids(found)[0] == b
    assert found[0].reason == "Often bought together"
    assert one_value(shop, "SELECT count(*) FROM item_neighbours WHERE relation = 'together'") == 2


def test_one_order_alone_gives_nothing_away(shop: Database) -> None:
    ordered(shop, 1, "cus_1", *GOOD[:2])
    learn(shop)
    assert one_value(shop, "SELECT count(*) FROM item_neighbours WHERE relation = 'together'") == 0


def test_an_unknown_product_has_nothing_together(shop: Database) -> None:
    with pytest.raises(NotFound):
        bought_together(shop, "nobody", limit=5)
    assert bought_together(shop, GOOD[0], limit=5) == []


def test_what_others_took_next_is_recommended_with_its_reason(shop: Database) -> None:
    a, b, c = GOOD[:3]
    for person in range(30):
        looked(shop, f"vis_{person}", a, b)
    looked(shop, "vis_me", a)
    learn(shop)
    first = ask(shop, visitor="vis_me")[0]
    assert (first.product.id, first.score) == (b, 1.0)
    name = next(product["name"] for product in products() if product["id"] == a)
    assert first.reason == f"Because you looked at {name}"
    assert c != first.product.id


def test_a_click_counts_at_once(shop: Database) -> None:
    a, b = GOOD[:2]
    for person in range(30):
        looked(shop, f"vis_{person}", a, b)
    learn(shop)
    assert all(one.reason == "Popular right now" for one in ask(shop, visitor="vis_new"))
    looked(shop, "vis_new", a, hours_ago=0.1)
    assert ids(ask(shop, visitor="vis_new"))[0] == b


def test_the_order_of_time_counts(shop: Database) -> None:
    camera, bag, film = GOOD[0], GOOD[20], GOOD[40]
    for person in range(30):
        looked(shop, f"vis_{person}", bag, camera, film)
    looked(shop, "vis_me", camera)
    learn(shop)
    assert ids(ask(shop, visitor="vis_me"))[:2] == [film, bag]


def test_what_is_bought_known_sold_out_or_gone_is_never_recommended(shop: Database) -> None:
    a, bought, known, gone = GOOD[:4]
    sold_out = next(product["id"] for product in products() if not product["stock"])
    for person in range(30):
        looked(shop, f"vis_{person}", a, bought, a, known, a, gone, a, sold_out)
    ordered(shop, 1, "cus_me", bought)
    looked(shop, "vis_me", known, a, user="cus_me")
    stock(shop, [{**product, "active": False} for product in products() if product["id"] == gone])
    learn(shop)
    found = ask(shop, customer="cus_me", visitor="vis_me", limit=50)
    assert not {a, bought, known, gone, sold_out} & set(ids(found))
    assert all(one.product.available for one in found)
    assert len(ids(found)) == len(set(ids(found)))


def test_a_stranger_gets_what_is_popular_and_so_does_who_wants_nothing_personal(shop: Database) -> None:
    a, b = GOOD[:2]
    for person in range(30):
        looked(shop, f"vis_{person}", a, b)
    learn(shop)
    found = recommended(shop, CountingEncoder(), customer_id=None, visitor_id="vis_1", limit=5, personal=False)
    for shown in (found, ask(shop, visitor="vis_stranger", limit=5), ask(shop, limit=5)):
        assert [one.reason for one in shown] == ["Popular right now"] * 5


@pytest.mark.parametrize(("consent", "bot"), [(1, 0), (0, 0), (7, 90)])
def test_who_said_no_and_who_is_a_machine_teaches_nothing(shop: Database, consent: int, bot: int) -> None:
    looked(shop, "vis_1", *GOOD[:2], consent=consent, bot=bot)
    looked(shop, "vis_1", *GOOD[2:4], hours_ago=0.1, consent=0)
    learn(shop)
    assert one_value(shop, "SELECT count(*) FROM user_interests") == 0
    assert all(one.reason == "Popular right now" for one in ask(shop, visitor="vis_1"))


def test_a_list_is_not_all_of_one_kind(shop: Database) -> None:
    sofas = [product["id"] for product in products() if "Sofas" in product["category"] and product["stock"]]
    for person in range(30):
        looked(shop, f"vis_{person}", *sofas)
    looked(shop, "vis_me", sofas[0])
    learn(shop)
    shown = ask(shop, visitor="vis_me", limit=6)
    assert sum("Sofas" in one.product.category for one in shown) == 2


def test_a_product_nobody_knows_is_judged_by_its_description(db: Database, encoder: Encoder) -> None:
    fill(db, encoder)
    looked(db, "vis_me", GOOD[0], hours_ago=0.1)
    recommend(db, encoder, again=True)
    found = recommended(db, encoder, customer_id=None, visitor_id="vis_me", limit=6)
    assert found[0].product.category == "Home > Furniture > Sofas"
    assert found[0].reason.startswith("Because you looked at ")


def test_active_people_are_worked_out_ahead_until_they_do_something(shop: Database) -> None:
    a, b, c, d = GOOD[:4]
    for person in range(30):
        looked(shop, f"vis_{person}", a, b)
        looked(shop, f"two_{person}", c, d)
    looked(shop, "vis_me", a)
    learn(shop)
    assert one_value(shop, "SELECT product_ids[1] FROM user_recommendations WHERE person = 'v:vis_me'") == b
    assert recommend(shop, CountingEncoder())["people"] == 0
    assert ids(ask(shop, visitor="vis_me"))[0] == b
    looked(shop, "vis_me", c, hours_ago=-0.2)
    assert ids(ask(shop, visitor="vis_me"))[0] == d


def test_learning_twice_gives_the_same_and_forgets_what_is_over(shop: Database) -> None:
    for person in range(5):
        looked(shop, f"vis_{person}", *GOOD[:6])
    first, again = learn(shop), learn(shop)
    assert (first["also"], again["also"]) == (6, 6)
    with shop.transaction() as tx:
        tx.execute("UPDATE user_interests SET last_at = now() - interval '200 days'")
        tx.execute("DELETE FROM events")
        assert interests.forget(tx, days=180, limit=100) == 30
    assert learn(shop)["also"] == 0
    assert one_value(shop, "SELECT count(*) FROM item_neighbours") == 0
