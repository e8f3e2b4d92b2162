"""Kept answers: the same for everybody, of this very state of the shop, and all there is while the database is away."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clients.answers import connect as answers
from clients.encoder import connect as model
from db.database import Database
from shop.ports.encoder import Encoder, Vectors
from shop.search import merchandise
from shop.search.answering.answer import REST_S, Recent, answer
from shop.search.answering.asked import SearchRequest, SearchResult
from shop.search.answering.flights import Flights
from shop.search.answering.known import Knowledge
from shop.search.catalogue import catalog
from shop.search.vectors.embed import embed
from tests.shop.search.made import fill, one_value, products, stock

SOFAS = SearchRequest(text="red sofa", limit=5)
NOBODY = "postgresql://nobody@127.0.0.1:9/nothing"
"""A port where no server is."""

Ask = Callable[..., SearchResult]


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    fill(db, encoder)
    return db


@pytest.fixture(name="knowledge")
def _knowledge() -> Knowledge:
    return Knowledge()


@pytest.fixture(name="recent")
def _recent(redis_url: str) -> Recent:
    return Recent(answers(redis_url, "a secret of the tests"))


@pytest.fixture(name="ask")
def _ask(shop: Database, encoder: Encoder, knowledge: Knowledge, recent: Recent) -> Ask:
    def ask(request: SearchRequest = SOFAS, **changed: Any) -> SearchResult:
        return answer(shop, encoder, replace(request, **changed), knowledge, recent)

    return ask


def shown(result: SearchResult) -> list[tuple[str, float, int | None]]:
    return [(hit.product.id, hit.score, hit.product.price) for hit in result.hits]


def test_the_same_question_gets_the_kept_answer_under_a_search_id_of_its_own(shop: Database, ask: Ask) -> None:
    first, again = ask(), ask(text="  RED   Sofa")
    assert (first.cached, again.cached, again.degraded) == (False, True, False)
    assert again.search_id != first.search_id
    assert replace(again, search_id="", query=first.query, took_ms=0.0, cached=False, next_place=None) == replace(
        first, search_id="", took_ms=0.0, next_place=None
    )
    assert one_value(shop, "SELECT count(*) FILTER (WHERE cached) FROM search_queries") == 1
    assert one_value(shop, "SELECT first_products FROM search_queries WHERE cached") == [
        h.product.id for h in first.hits
    ]


def test_the_pages_behind_a_kept_answer_go_on_in_its_list(ask: Ask) -> None:
    whole = [hit.product.id for hit in ask(limit=100).hits]
    ask()
    page = ask()
    found = [hit.product.id for hit in page.hits]
    while page.next_place is not None:
        page = ask(after=page.next_place)
        assert not page.cached
        found += [hit.product.id for hit in page.hits]
    assert found == whole


@pytest.mark.parametrize(
    "changed",
    [
        {"limit": 6}, {"sort": "price_asc"}, {"mode": "lexical"}, {"correct": False}, {"literal": ("colour",)},
        {"text": "red sofas"},
    ],
)  # fmt: skip
def test_another_question_is_answered_anew(ask: Ask, changed: dict[str, Any]) -> None:
    ask()
    assert not ask(**changed).cached


def test_a_new_price_is_shown_at_once(shop: Database, ask: Ask) -> None:
    assert ask().hits[0].product.id == ask().hits[0].product.id
    row = next(row for row in products() if row["id"] == ask().hits[0].product.id)
    stock(shop, [{**row, "price": 99}])
    result = ask()
    assert not result.cached
    assert {hit.product.id: hit.product.price for hit in result.hits}[row["id"]] == 99
    assert ask().cached


def test_a_retired_product_is_gone_at_once(shop: Database, ask: Ask) -> None:
    gone = ask().hits[0].product.id
    assert ask().cached
    catalog.retire(shop, gone)
    result = ask(limit=100)
    assert gone not in [hit.product.id for hit in [*ask().hits, *result.hits]]


def test_another_process_never_shows_what_this_one_changed(
    shop: Database, encoder: Encoder, redis_url: str, ask: Ask
) -> None:
    """It has read the versions long ago, and its kept answer is still in Redis."""
    theirs, memory = Knowledge(), Recent(answers(redis_url, "a secret of the tests"))
    answer(shop, encoder, SOFAS, theirs, memory)
    was = answer(shop, encoder, SOFAS, theirs, memory)
    assert was.cached
    catalog.retire(shop, was.hits[0].product.id)
    now = answer(shop, encoder, SOFAS, theirs, memory)
    assert not now.cached
    assert was.hits[0].product.id not in [hit.product.id for hit in now.hits]
    assert ask().cached is False  # this process has brands of another state: it makes its own
    assert shown(ask()) == shown(now)


def test_new_vectors_and_new_pins_are_another_state(shop: Database, encoder: Encoder, ask: Ask) -> None:
    ask()
    stock(shop, [{**products()[0], "id": "new", "name": "Red settee"}])
    ask(mode="semantic")
    assert ask(mode="semantic").cached
    embed(shop, encoder)
    result = ask(mode="semantic")
    assert not result.cached
    ask()
    merchandise.save_pins(shop, query="red sofa", product_ids=["p059"], starts_at=None, ends_at=None)
    assert ask().hits[0].product.id == "p059"


def test_what_is_kept_is_never_somebodys_own(shop: Database, ask: Ask) -> None:
    with shop.transaction() as tx:
        tx.execute(
            """
            INSERT INTO user_interests (person, product_id, kind, last_at)
            SELECT 'c:usr_ada', 'p0' || n, 2, now() FROM generate_series(48, 52) n
            """
        )
    ada, ben = {"customer_id": "usr_ada"}, {"customer_id": "usr_ben"}
    own = ask(text="medium", limit=20, **ada)
    assert own.personal
    assert not own.cached
    everyones = ask(text="medium", limit=20, **ben)
    assert not everyones.cached  # nothing was kept of Ada's
    assert shown(everyones) != shown(own)
    assert ask(text="medium", limit=20, **ben).cached
    assert ask(text="medium", limit=20).cached
    again = ask(text="medium", limit=20, **ada)
    assert not again.cached
    assert shown(again) == shown(own)
    assert ask(text="medium", limit=20, personal=False, **ada).cached


def test_without_redis_everything_is_found_anew(shop: Database, encoder: Encoder) -> None:
    knowledge, recent = Knowledge(), Recent(answers("redis://127.0.0.1:9/0", "secret"))
    first, again = (answer(shop, encoder, SOFAS, knowledge, recent) for _ in range(2))
    assert (again.cached, again.degraded) == (False, False)
    assert shown(first) == shown(again)


def test_without_the_model_words_answer_and_nothing_of_it_is_kept(
    shop: Database, encoder: Encoder, knowledge: Knowledge, recent: Recent, tmp_path: Any
) -> None:
    for _ in range(2):
        result = answer(shop, model(tmp_path), SOFAS, knowledge, recent)
        assert (result.degraded, result.cached) == (True, False)
        assert {hit.matched for hit in result.hits} == {("lexical",)}
    assert not answer(shop, encoder, SOFAS, knowledge, recent).degraded


@pytest.mark.parametrize(("table", "leg"), [("search_postings", "semantic"), ("product_embeddings", "lexical")])
def test_while_one_part_is_repaired_the_other_answers(shop: Database, ask: Ask, table: str, leg: str) -> None:
    whole = ask()
    with shop.session() as repair, repair.transaction():
        repair.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")  # type: ignore[arg-type]
        kept, other = ask(), ask(text="blue belt")
    assert shown(kept) == shown(whole)
    assert kept.cached
    assert (other.degraded, other.cached) == (True, False)
    assert {hit.matched for hit in other.hits} == {(leg,)}
    assert one_value(shop, "SELECT degraded FROM search_queries WHERE query = 'blue belt'")
    assert not ask(text="blue belt").degraded


def test_while_the_database_is_away_kept_answers_are_shown_and_say_so(
    ask: Ask, encoder: Encoder, knowledge: Knowledge, redis_url: str
) -> None:
    now = [0.0]
    recent = Recent(answers(redis_url, "a secret of the tests"), clock=lambda: now[0])
    was = ask()
    nobody = Database(NOBODY, size=1)
    result = answer(nobody, encoder, SOFAS, knowledge, recent)
    assert (result.cached, result.degraded) == (True, True)
    assert shown(result) == shown(was)
    assert not recent.may_ask()
    now[0] += 2 * REST_S
    assert [recent.may_ask(), recent.may_ask()] == [True, False], "one of them looks whether it is there again"
    recent.database_is(there=True)
    assert recent.may_ask()
    nobody.close()


class Slow:
    """The real model; a first question of it does not end before it may."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.model, self.checksum = encoder.model, encoder.checksum
        self.asked = 0
        self.began, self.may_end = threading.Event(), threading.Event()

    def warm(self) -> None: ...

    def sibling(self, model: str, checksum: str) -> Encoder | None:
        return None

    def knows(self, word: str) -> bool:
        return self._encoder.knows(word)

    def encode(self, texts: Any) -> Vectors:
        self.asked += 1
        self.began.set()
        assert self.may_end.wait(20)
        return self._encoder.encode(texts)


def test_ten_who_ask_the_same_at_once_are_one_search(
    shop: Database, encoder: Encoder, knowledge: Knowledge, recent: Recent, ask: Ask
) -> None:
    ask(text="blue belt")  # the process knows its shop
    recent.flights = Flights(wait_s=20)
    slow, results = Slow(encoder), list[SearchResult]()
    threads = [
        threading.Thread(target=lambda: results.append(answer(shop, slow, SOFAS, knowledge, recent))) for _ in range(10)
    ]
    threads[0].start()
    assert slow.began.wait(20)
    for thread in threads[1:]:
        thread.start()
    slow.may_end.set()
    for thread in threads:
        thread.join()
    assert slow.asked == 1
    assert sorted(result.cached for result in results) == [False] + [True] * 9
    assert len({result.search_id for result in results}) == 10


def test_whoever_waited_for_nothing_goes_next() -> None:
    flights = Flights[str](wait_s=20)
    boarded, results = threading.Event(), list[str | None]()

    def fails() -> None:
        with pytest.raises(ZeroDivisionError), flights.boarded("q"):
            boarded.set()
            assert waiting.wait(20)
            raise ZeroDivisionError

    def goes_next() -> None:
        waiting.set()
        with flights.boarded("q") as flight:
            results.append(flight.landed)

    waiting = threading.Event()
    first, second = threading.Thread(target=fails), threading.Thread(target=goes_next)
    first.start()
    assert boarded.wait(20)
    second.start()
    first.join()
    second.join()
    assert results == [None]


def test_nobody_waits_for_ever() -> None:
    flights = Flights[str](wait_s=0.0)
    with flights.boarded("q"), flights.boarded("q") as impatient:
        assert impatient.landed is None
