"""Rows beside a product and a cart, and a no to personalisation that holds everywhere."""

import pytest

from db.database import Database
from shop.errors import NotFound
from shop.search.queries import interests
from shop.search.queries.cards import Shown
from shop.search.recommending.objections import allows, choose
from shop.search.recommending.recommend import recommend
from shop.search.recommending.recommend_list import Recommended, diverse, twins
from shop.search.recommending.recommend_rows import Asker, NoProducts, beside_cart, beside_product
from shop.search.recommending.recommended import also_viewed, recommended
from tests.shop.search.made import CountingEncoder, fill, one_value, products
from tests.shop.search.test_recommended import GOOD, ids, looked, ordered

CAMERA, BAG, FILM, OTHER, LIKED = GOOD[0], GOOD[12], GOOD[24], GOOD[36], GOOD[44]
NOBODY = Asker()


@pytest.fixture(name="shop")
def _shop(db: Database) -> Database:
    """Two orders of camera and bag; thirty visitors who looked at the camera and then at the film."""
    fill(db, CountingEncoder())
    ordered(db, 1, "cus_1", CAMERA, BAG)
    ordered(db, 2, "cus_2", CAMERA, BAG)
    for person in range(30):
        looked(db, f"vis_{person}", CAMERA, FILM)
    recommend(db, CountingEncoder())
    return db


def product_row(db: Database, product_id: str, asker: Asker = NOBODY) -> list[Recommended]:
    return beside_product(db, CountingEncoder(), product_id, asker, limit=10)


def home(db: Database, visitor: str, customer: str | None = None) -> set[str]:
    found = recommended(db, CountingEncoder(), customer_id=customer, visitor_id=visitor, limit=10)
    return {one.reason for one in found}


def test_a_product_has_orders_first_then_looks_then_what_is_described_alike(shop: Database) -> None:
    found = product_row(shop, CAMERA)
    name = next(product["name"] for product in products() if product["id"] == CAMERA)
    assert ids(found)[:2] == [BAG, FILM]
    assert [one.reason for one in found[:3]] == [
        f"Often bought together with {name}",
        f"Often looked at along with {name}",
        f"Described like {name}",
    ]
    assert CAMERA not in ids(found)
    assert len(ids(found)) == len(set(ids(found))) == 10


def test_what_is_popular_fills_a_row_and_takes_no_place_of_what_goes_with_the_product(shop: Database) -> None:
    with shop.transaction() as tx:  # one shop for one thing: a third of a row would be of it
        tx.execute("UPDATE products SET category = 'Photo', brand = 'Same' WHERE name LIKE '%%camera%%'")
    for person in range(30):
        looked(shop, f"vis_else_{person}", OTHER, LIKED)
    recommend(shop, CountingEncoder())
    for limit in (4, 10, 30):
        found = beside_product(shop, CountingEncoder(), CAMERA, NOBODY, limit=limit)
        popular = [one.reason == "Popular right now" for one in found]
        assert popular == sorted(popular)
        assert len(found) == len(set(ids(found)))


def test_what_the_asker_bought_is_not_offered_beside_it_again(shop: Database) -> None:
    assert BAG not in ids(product_row(shop, CAMERA, Asker(customer_id="cus_1")))
    assert BAG in ids(product_row(shop, CAMERA, Asker(customer_id="cus_1", personal=False)))


def test_a_cart_gets_what_goes_with_what_is_in_it(shop: Database) -> None:
    found = beside_cart(shop, CountingEncoder(), [OTHER, CAMERA], NOBODY, limit=5)
    assert ids(found)[0] == BAG
    assert not {OTHER, CAMERA} & set(ids(found))


def test_a_cart_that_is_not_named_is_what_the_asker_put_into_it(shop: Database) -> None:
    looked(shop, "vis_me", CAMERA, hours_ago=0.1, name="cart_add")
    found = beside_cart(shop, CountingEncoder(), [], Asker(visitor_id="vis_me"), limit=5)
    assert ids(found)[0] == BAG
    for nobody in (NOBODY, Asker(visitor_id="vis_other"), Asker(visitor_id="vis_me", personal=False)):
        with pytest.raises(NoProducts):
            beside_cart(shop, CountingEncoder(), [], nobody, limit=5)


def test_an_unknown_product_has_no_row(shop: Database) -> None:
    with pytest.raises(NotFound):
        product_row(shop, "nobody")


def test_a_no_holds_at_once_and_forgets_and_a_yes_begins_anew(shop: Database) -> None:
    looked(shop, "vis_me", CAMERA, hours_ago=0.1)
    recommend(shop, CountingEncoder())
    assert home(shop, "vis_me") != {"Popular right now"}
    choose(shop, customer_id=None, visitor_id="vis_me", allowed=False)
    assert home(shop, "vis_me") == {"Popular right now"}
    assert not allows(shop, customer_id=None, visitor_id="vis_me")
    assert one_value(shop, "SELECT count(*) FROM user_interests WHERE person = 'v:vis_me'") == 0
    assert one_value(shop, "SELECT count(*) FROM user_recommendations WHERE person = 'v:vis_me'") == 0
    choose(shop, customer_id=None, visitor_id="vis_me", allowed=True)
    assert allows(shop, customer_id=None, visitor_id="vis_me")
    assert home(shop, "vis_me") != {"Popular right now"}


def test_after_a_no_neither_events_nor_orders_become_interests(shop: Database) -> None:
    choose(shop, customer_id="cus_me", visitor_id="vis_me", allowed=False)
    looked(shop, "vis_me", CAMERA)
    looked(shop, "vis_me", FILM, user="cus_else")
    looked(shop, "vis_third", FILM, user="cus_me")
    ordered(shop, 3, "cus_me", OTHER)
    recommend(shop, CountingEncoder())
    persons = ["v:vis_me", "c:cus_me", "c:cus_else"]
    kept = one_value(shop, "SELECT count(*) FROM user_interests WHERE person = ANY(%(persons)s)", persons=persons)
    assert kept == 0


def test_a_browser_that_said_no_makes_a_customer_a_stranger_there(shop: Database) -> None:
    looked(shop, "vis_home", CAMERA, user="cus_me")
    recommend(shop, CountingEncoder())
    choose(shop, customer_id=None, visitor_id="vis_work", allowed=False)
    assert home(shop, "vis_work", "cus_me") == {"Popular right now"}
    assert home(shop, "vis_home", "cus_me") != {"Popular right now"}


def test_what_was_taken_over_during_a_no_is_deleted_by_the_next_run(shop: Database) -> None:
    choose(shop, customer_id=None, visitor_id="vis_me", allowed=False)
    with shop.transaction() as tx:  # as a run that began before the no leaves it
        tx.execute(
            "INSERT INTO user_interests (person, product_id, kind, last_at) VALUES ('v:vis_me', %(id)s, 1, now())",
            {"id": LIKED},
        )
        assert interests.history(tx, ["v:vis_me"], visitor_id="vis_me", limit=5) == []
    recommend(shop, CountingEncoder())
    assert one_value(shop, "SELECT count(*) FROM user_interests WHERE person = 'v:vis_me'") == 0


def rebought(db: Database, product_id: str, *, people: int, gap_days: int, first: int = 100) -> None:
    """So many customers who bought it twice, so many days apart."""
    for number in range(people):
        for time in range(2):
            ordered(db, first + 2 * number + time, f"cus_again_{number}", product_id)
            with db.transaction() as tx:
                tx.execute(
                    "UPDATE orders SET paid_at = now() - make_interval(days => %(days)s) WHERE id = %(id)s",
                    {"days": 1 + gap_days * time, "id": f"ord_{first + 2 * number + time}"},
                )


def bought_days_ago(db: Database, customer: str, product_id: str, days: int) -> None:
    ordered(db, 900, customer, product_id)
    with db.transaction() as tx:
        tx.execute(
            "UPDATE orders SET paid_at = now() - make_interval(days => %(days)s) WHERE id = 'ord_900'", {"days": days}
        )
        tx.execute(
            """
            INSERT INTO user_interests (person, product_id, kind, last_at)
            VALUES (%(person)s, %(product)s, 3, now() - make_interval(days => %(days)s))
            """,
            {"person": f"c:{customer}", "product": product_id, "days": days},
        )


@pytest.mark.parametrize(("days", "shown"), [(10, False), (25, True), (60, True), (100, False)])
def test_what_is_used_up_is_offered_again_when_it_is_time(shop: Database, days: int, shown: bool) -> None:
    rebought(shop, OTHER, people=3, gap_days=30)
    bought_days_ago(shop, "cus_me", OTHER, days)
    assert recommend(shop, CountingEncoder(), again=True)["again"] == 1
    found = recommended(shop, CountingEncoder(), customer_id="cus_me", visitor_id=None, limit=10)
    assert (OTHER in ids(found)) == shown
    if shown:
        assert found[0].reason == f"You bought it {days} days ago; many buy it again after 30"
    beside = product_row(shop, next(one for one in GOOD if one not in (OTHER, CAMERA)), Asker(customer_id="cus_me"))
    assert shown or OTHER not in ids(beside)


def test_a_thing_that_few_bought_twice_is_not_offered_again(shop: Database) -> None:
    rebought(shop, OTHER, people=2, gap_days=30)
    bought_days_ago(shop, "cus_me", OTHER, 30)
    assert recommend(shop, CountingEncoder(), again=True)["again"] == 0
    assert OTHER not in ids(recommended(shop, CountingEncoder(), customer_id="cus_me", visitor_id=None, limit=20))


def test_who_said_no_is_reminded_of_nothing(shop: Database) -> None:
    rebought(shop, OTHER, people=3, gap_days=30)
    bought_days_ago(shop, "cus_me", OTHER, 30)
    recommend(shop, CountingEncoder(), again=True)
    choose(shop, customer_id="cus_me", visitor_id=None, allowed=False)
    found = recommended(shop, CountingEncoder(), customer_id="cus_me", visitor_id=None, limit=10)
    assert not [one for one in found if one.reason.startswith("You bought")]


def test_what_people_looked_at_along_with_it_is_told_apart_from_orders(shop: Database) -> None:
    found = also_viewed(shop, CAMERA, limit=10)
    assert (ids(found), found[0].reason) == ([FILM, BAG], "Often looked at along with it")  # BAG by two people only
    with pytest.raises(NotFound):
        also_viewed(shop, "nothing", limit=10)


def test_of_what_is_nearly_the_same_one_is_shown_before_the_others() -> None:
    def one(product_id: str, score: float) -> Recommended:
        shown = Shown(product_id, product_id, "", product_id, product_id, 1, "eur", 1, True, {}, None, None, None)
        return Recommended(shown, score, "")

    found = [one("a", 1.0), one("twin of a", 0.9), one("b", 0.6), one("c", 0.3)]
    alike = {("a", "twin of a"): 0.95, ("twin of a", "a"): 0.95}
    assert ids(diverse(found, 4, alike)) == ["a", "b", "twin of a", "c"]
    assert ids(diverse(found, 4, {})) == ["a", "twin of a", "b", "c"]


def test_twins_are_found_by_what_is_written_about_them(db: Database) -> None:
    made = products()[:3]
    for product in made[:2]:
        product |= {"name": "Same thing", "description": "", "attributes": {}}
    fill(db, CountingEncoder(), made)
    with db.transaction() as tx:
        pairs = twins(tx, CountingEncoder(), [product["id"] for product in made])
    assert set(pairs) == {("p000", "p001"), ("p001", "p000")}
    assert pairs["p000", "p001"] == pytest.approx(1, abs=0.01)
