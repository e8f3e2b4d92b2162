"""Searches counted by day say what the searches themselves say, whatever happens afterwards."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg import sql

from db.database import Database
from shop.search.analytics import SearchAnalytics, analytics
from shop.search.catalogue.forget import forget
from shop.search.days.recount import DaysDiffer, recount
from shop.search.days.sum_up import sum_up
from tests.shop.search.made import CountingEncoder, one_value

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = datetime.now(BERLIN).date()
FIRST = TODAY - timedelta(days=6)
WORDS = ("sofa", "knife", "belt", "", "unicorn")


@dataclass
class Asked:
    id: str
    at: datetime
    query: str
    visitor: str
    total: int
    clicks: dict[str, int] = field(default_factory=dict[str, int])


def moment(day: date, hour: float = 12) -> datetime:
    return datetime.combine(day, time.min, BERLIN) + timedelta(hours=hour)


def searched(
    db: Database, search_id: str, at: datetime, query: str = "sofa", visitor: str = "v1", total: int = 3
) -> Asked:
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO search_queries (id, searched_at, visitor_id, query, normalised, sort, mode, total,
                                        total_is_exact, ranker, took_ms, cached)
            VALUES (%(id)s, %(at)s, %(visitor)s, %(query)s, %(query)s, 'relevance', 'hybrid', %(total)s, true, 'test',
                    %(took)s, %(cached)s)
            """,
            {
                "id": search_id, "at": at, "visitor": visitor, "query": query, "total": total,
                "took": 5 + len(search_id), "cached": total == 2,
            },
        )  # fmt: skip
    return Asked(search_id, at, query, visitor, total)


def clicked(db: Database, asked: Asked, product_id: str, place: int) -> None:
    asked.clicks[product_id] = place
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO search_outcomes (search_id, product_id, searched_at, position, clicked_at)
            VALUES (%(id)s, %(product)s, %(at)s, %(place)s, %(at)s)
            """,
            {"id": asked.id, "product": product_id, "at": asked.at, "place": place},
        )


def ordered(db: Database, asked: Asked, product_id: str, number: int) -> None:
    """1,000 minor units, of which nothing was given back yet."""
    values = {"id": f"ord_{number}", "search": asked.id, "product": product_id, "line": f"l_{number}"}
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO orders (id, customer_id, cart_id, status, currency, subtotal_minor, total_minor,
                                amount_captured, expires_at, paid_at)
            VALUES (%(id)s, 'cus', 'cart', 'paid', 'eur', 1000, 1000, 1000, now(), now())
            """,
            values,
        )
        tx.execute(
            """
            INSERT INTO order_lines (id, order_id, position, product_id, name, quantity, unit_price_minor, total_minor)
            VALUES (%(line)s, %(id)s, 1, %(product)s, 'thing', 1, 1000, 1000)
            """,
            values,
        )
        tx.execute(
            "UPDATE search_outcomes SET order_id = %(id)s WHERE search_id = %(search)s AND product_id = %(product)s",
            values,
        )


def refunded(db: Database, number: int, amount: int) -> None:
    with db.transaction() as tx:
        tx.execute(
            "UPDATE orders SET amount_refunded = %(amount)s, updated_at = now() WHERE id = %(id)s",
            {"id": f"ord_{number}", "amount": amount},
        )


def told(db: Database, first: date = FIRST, last: date = TODAY, zone: ZoneInfo = BERLIN) -> SearchAnalytics:
    return analytics(db, CountingEncoder(), first=first, last=last, zone=zone, currency="eur", limit=10)


def by_query(found: SearchAnalytics) -> dict[str, tuple[Any, ...]]:
    return {
        row.query: (row.searches, row.without_result, row.unclicked, row.clicked, row.bought, row.sold)
        for row in found.top
    }


class History:
    """What happened, in Python's words: the other way to know the numbers."""

    def __init__(self, db: Database, seed: int) -> None:
        self.db, self.dice = db, random.Random(seed)
        self.searches: list[Asked] = []
        self.sold: dict[str, dict[int, int]] = defaultdict(dict)
        self.number = 0

    def goes_on(self) -> None:
        self.dice.choice((self.search, self.search, self.click, self.click, self.order, self.refund, self.erase))()

    def search(self) -> None:
        self.number += 1
        at = moment(FIRST + timedelta(days=self.dice.randrange(6)), self.dice.uniform(0, 23.9))
        query, visitor = self.dice.choice(WORDS), f"v{self.dice.randrange(4)}"
        self.searches.append(
            searched(
                self.db, f"sch_{self.number}", at, query, visitor, 0 if query == "unicorn" else self.dice.randint(1, 3)
            )
        )

    def click(self) -> None:
        asked = self.dice.choice(self.searches) if self.searches else None
        product_id = f"p{self.dice.randrange(3)}"
        if asked and asked.total and product_id not in asked.clicks:
            clicked(self.db, asked, product_id, self.dice.randint(1, 9))

    def order(self) -> None:
        open_ = [one for one in self.searches if one.clicks and not self.sold[one.id]]
        if open_:
            asked = self.dice.choice(open_)
            self.number += 1
            ordered(self.db, asked, self.dice.choice(list(asked.clicks)), self.number)
            self.sold[asked.id][self.number] = 1000

    def refund(self) -> None:
        sales = [(one, number) for one, orders in self.sold.items() for number in orders]
        if sales:
            search_id, number = self.dice.choice(sales)
            amount = self.dice.randrange(1001)
            refunded(self.db, number, amount)
            self.sold[search_id][number] = 1000 - amount

    def erase(self) -> None:
        visitor = f"v{self.dice.randrange(4)}"
        one_value(self.db, "SELECT forget_searches(NULL, ARRAY[%(visitor)s])", visitor=visitor)
        self.searches = [one for one in self.searches if one.visitor != visitor]
        self.sold = defaultdict(dict, {one.id: self.sold[one.id] for one in self.searches})

    def expected(self) -> dict[str, tuple[Any, ...]]:
        rows: defaultdict[str, list[int]] = defaultdict(lambda: [0] * 6)
        for one in self.searches:
            parts = (
                1, one.total == 0, one.total > 0 and not one.clicks, bool(one.clicks), bool(self.sold[one.id]),
                sum(self.sold[one.id].values()),
            )  # fmt: skip
            rows[one.query] = [sofar + part for sofar, part in zip(rows[one.query], parts, strict=True)]
        return {query: tuple(row) for query, row in rows.items()}

    def holds(self) -> bool:
        found, expected = told(self.db), self.expected()
        sums = [sum(column) for column in zip(*expected.values(), strict=True)] if expected else [0] * 6
        totals = found.totals
        firsts = [1 / min(one.clicks.values()) for one in self.searches if one.clicks]
        assert (
            totals.searches,
            totals.without_result,
            totals.unclicked,
            totals.clicked,
            totals.bought,
            totals.sold,
        ) == (tuple(sums))
        assert totals.reciprocal == (pytest.approx(sum(firsts) / len(firsts), abs=1e-8) if firsts else None)
        expected.pop("", None)  # no words, in no list
        assert by_query(found) == expected
        return True


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_whatever_order_days_say_what_searches_say(db: Database, seed: int) -> None:
    history = History(db, seed)
    for _ in range(30):
        for _ in range(history.dice.randrange(8)):
            history.goes_on()
        assert history.holds()  # also between a change and the next count
        if history.dice.random() < 0.5:
            sum_up(db, zone=BERLIN)
            assert history.holds()
    sum_up(db, zone=BERLIN)
    assert recount(db, zone=BERLIN)["days"]


def test_counted_days_are_read_as_they_were_counted(db: Database) -> None:
    clicked(db, searched(db, "sch_1", moment(FIRST)), "p1", 2)
    assert sum_up(db, zone=BERLIN)["searches"] == 1
    assert sum_up(db, zone=BERLIN) == {"days": 0, "searches": 0}
    with db.transaction() as tx:
        tx.execute("UPDATE search_day_queries SET searches = 7")
        tx.execute("UPDATE search_days SET searches = 8 WHERE searches > 0")
    assert (told(db).totals.searches, told(db).top[0].searches) == (8, 7)


def test_a_wrong_day_is_found_at_night_told_and_counted_again(db: Database) -> None:
    searched(db, "sch_1", moment(FIRST))
    sum_up(db, zone=BERLIN)
    for table in ("search_days", "search_day_queries", "search_day_times"):
        with db.transaction() as tx:
            tx.execute(
                sql.SQL("UPDATE {} SET searches = 7 WHERE day = %(day)s").format(sql.Identifier(table)), {"day": FIRST}
            )
        with pytest.raises(DaysDiffer, match=str(FIRST)):
            recount(db, zone=BERLIN)
        assert told(db).totals.searches == 1  # at once, from the searches
        assert sum_up(db, zone=BERLIN) == {"days": 1, "searches": 1}
    assert recount(db, zone=BERLIN) == {"days": (TODAY - FIRST).days}


def test_another_time_zone_has_other_days(db: Database) -> None:
    searched(db, "sch_1", moment(FIRST, 0.5))  # the evening before in London
    sum_up(db, zone=BERLIN)
    london = ZoneInfo("Europe/London")
    for _ in range(2):
        assert told(db, FIRST, FIRST, zone=london).totals.searches == 0
        assert told(db, FIRST - timedelta(days=1), FIRST, zone=london).totals.searches == 1
        sum_up(db, zone=london)
    assert told(db, FIRST, FIRST).totals.searches == 1


def test_a_whole_day_that_moves_its_clock_is_counted_once(db: Database) -> None:
    spring = date(2026, 3, 25)
    for number in range(24 * 10):
        searched(db, f"sch_{number}", moment(spring).astimezone(UTC) + timedelta(hours=number))
    each = [spring + timedelta(days=day) for day in range(11)]
    before = [told(db, day, day).totals.searches for day in each]
    sum_up(db, zone=BERLIN)
    assert [told(db, day, day).totals.searches for day in each] == before
    assert sum(before) == 240
    assert 23 in before


def test_old_days_keep_their_numbers_and_lose_the_words_of_the_few(db: Database) -> None:
    old = TODAY - timedelta(days=20)
    sofas = [searched(db, f"sch_{number}", moment(old), "sofa", visitor=f"v{number}") for number in range(4)]
    for asked in sofas:
        clicked(db, asked, "p1", 1)
    ordered(db, sofas[0], "p1", 1)
    clicked(db, lone := searched(db, "sch_lone", moment(old), "letter of jane doe"), "p2", 2)
    ordered(db, lone, "p2", 2)
    searched(db, "sch_none", moment(old), "")
    before = told(db, old, TODAY)
    sum_up(db, zone=BERLIN)
    assert forget(db, searches_days=10, zone=BERLIN)["searches"] == 6
    assert one_value(db, "SELECT count(*) FROM search_queries") == 0
    for _ in range(2):
        after = told(db, old, TODAY)
        assert after.totals == before.totals
        assert by_query(after) == {"sofa": (4, 0, 0, 4, 1, 1000)}
        assert sum_up(db, zone=BERLIN)["searches"] == 0
        assert forget(db, searches_days=10, zone=BERLIN)["searches"] == 0
    assert one_value(db, "SELECT count(*) FROM search_texts WHERE text LIKE '%%jane%%'") == 0
    assert one_value(db, "SELECT count(*) FROM search_touched") == 0


def test_an_erased_person_is_in_no_number_and_their_words_are_gone(db: Database) -> None:
    searched(db, "sch_1", moment(FIRST), "my own words", visitor="v_me")
    searched(db, "sch_2", moment(FIRST), "sofa")
    sum_up(db, zone=BERLIN)
    one_value(db, "SELECT forget_searches(NULL, ARRAY['v_me'])")
    assert by_query(told(db)) == {"sofa": (1, 0, 1, 0, 0, 0)}
    sum_up(db, zone=BERLIN)
    assert by_query(told(db)) == {"sofa": (1, 0, 1, 0, 0, 0)}
    assert one_value(db, "SELECT string_agg(text, ',') FROM search_texts") == "sofa"


def test_a_count_that_dies_leaves_days_to_be_read_from_searches(db: Database) -> None:
    for number in range(3):
        searched(db, f"sch_{number}", moment(FIRST + timedelta(days=number)))

    class Killed(Exception):
        pass

    def dies(done: int, total: int | None) -> None:
        raise Killed

    with pytest.raises(Killed):
        sum_up(db, dies, zone=BERLIN)
    assert told(db).totals.searches == 3
    assert sum_up(db, zone=BERLIN)["searches"] == 2
    assert told(db).totals.searches == 3
