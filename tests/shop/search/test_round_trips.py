"""How often a search goes to PostgreSQL and back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, find
from shop.search.answering.known import Knowledge
from shop.search.queries.filters import Filters
from tests.shop.search.made import fill

WITHIN = 10
"""Messages that wait for an answer: the pool's check, BEGIN, what is known, spelling, terms, candidates, products, list,
log, COMMIT. Where a word is misspelt, or the query names a colour, there are more."""

FILTERED = WITHIN + 6
"""Besides: planning for these values and what passes; both, terms and candidates for the facet without its filter."""

Ask = Callable[[SearchRequest], int]


@pytest.fixture(name="shop")
def _shop(database_url: str, encoder: Encoder) -> Iterator[Database]:
    """All of whose transactions are on one connection."""
    db = Database(database_url, size=1)
    fill(db, encoder)
    yield db
    db.close()


@pytest.fixture(name="round_trips")
def _round_trips(shop: Database, encoder: Encoder, tmp_path: Path) -> Ask:
    """How many, counted on the wire by the driver's own trace, of a search in a process that knows the shop."""
    knowledge = Knowledge()
    find(shop, encoder, SearchRequest(text="warm up"), knowledge)

    def count(request: SearchRequest) -> int:
        with shop.transaction() as tx:
            connection = tx
        with (tmp_path / "trace").open("w+") as file:
            connection.pgconn.trace(file.fileno())
            assert find(shop, encoder, request, knowledge).total > 0
            connection.pgconn.untrace()
            file.seek(0)
            times = sum("\tF\t" in line and line.split("\t")[3].strip() in {"Query", "Sync"} for line in file)
        assert times > 3, "the trace has what a transaction is made of"
        return times

    return count


COUCH = SearchRequest(text="couch for the living room", limit=5)


def test_a_new_search_goes_to_the_database_ten_times(round_trips: Ask) -> None:
    assert round_trips(COUCH) <= WITHIN


def test_a_filter_costs_six_ways_more(round_trips: Ask) -> None:
    assert round_trips(replace(COUCH, filters=Filters(brands=("nordholm",)))) <= FILTERED


def test_a_search_in_words_alone_needs_no_more(round_trips: Ask) -> None:
    assert round_trips(replace(COUCH, mode="lexical")) <= WITHIN
