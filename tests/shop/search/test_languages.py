"""The index in the shop's language: its stems, its accents, and a change of language while shoppers search."""

import pytest

from db.database import Database
from shop.ports.encoder import Encoder
from shop.progress import Interrupted
from shop.search.answering.find import SearchRequest, find
from shop.search.answering.known import Knowledge
from shop.search.catalogue.reindex import BITE, reindex
from shop.search.language.languages import STEMMERS, language_of
from shop.search.language.text import stem, terms
from shop.search.suggesting.suggest import suggest
from tests.shop.search.made import one_value, stock

ROWS = [
    {"id": "a", "name": "Rote Häuser für Vögel", "description": "aus Holz"},
    {"id": "b", "name": "Vogelhaus, grün", "description": "mit Dach"},
    {"id": "c", "name": "Tisch ohne Schublade", "price": 4000, "currency": "eur"},
    {"id": "d", "name": "Tisch mit Schublade", "price": 9000, "currency": "eur"},
]


def found(db: Database, encoder: Encoder, text: str, knowledge: Knowledge | None = None) -> set[str]:
    result = find(db, encoder, SearchRequest(text=text, mode="lexical", correct=False), knowledge)
    return {hit.product.id for hit in result.hits}


@pytest.mark.parametrize("language", sorted(STEMMERS))
def test_every_language_that_may_be_set_has_its_stemmer(language: str) -> None:
    assert language_of(language).name == language
    assert stem("haus", language)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Häuser", "hauser"), ("Crème brûlée", "creme brulee"), ("Smørrebrød", "smorrebrod"), ("Łódź", "lodz"), ("straße", "strasse")],
)  # fmt: skip
def test_accents_make_no_difference(one: str, other: str) -> None:
    assert terms(one) == terms(other)


def test_the_shops_language_stems_products_and_queries(db: Database, encoder: Encoder) -> None:
    assert reindex(db, "german") == {"products": 0, "language": "german"}
    stock(db, ROWS)
    assert found(db, encoder, "haus fur vogel") == {"a"}
    assert found(db, encoder, "tische") == {"c", "d"}
    result = find(db, encoder, SearchRequest(text="tisch unter 50 euro", mode="lexical"))
    assert [hit.product.id for hit in result.hits] == ["c"]
    assert find(db, encoder, SearchRequest(text="tisch ohne schublade", mode="lexical")).query.refused == ("schublade",)


def test_a_change_of_language_is_made_in_bites_while_search_looks_under_both(db: Database, encoder: Encoder) -> None:
    many = [{"id": f"x{number}", "name": f"Stuhl {number}"} for number in range(BITE)]
    stock(db, [*many, *ROWS])
    suggest(db)
    knowledge = Knowledge()
    assert found(db, encoder, "haus", knowledge) == set()

    def killed(done: int, total: int | None) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        reindex(db, "german", killed)
    assert one_value(db, "SELECT count(*) FROM search_documents WHERE language = 'english'") == len(ROWS)
    # What is over is found by its German stems, what is not by its English ones.
    assert found(db, encoder, "rote hauser", knowledge) == {"a"}
    assert len(found(db, encoder, "stuhle", knowledge)) == 20
    assert reindex(db, "german")["products"] == len(ROWS)
    assert found(db, encoder, "haus", knowledge) == {"a"}
    assert one_value(db, "SELECT former_language IS NULL FROM search_corpus") is True
    assert one_value(db, "SELECT stem FROM search_words WHERE word = 'hauser'") == stem("hauser", "german")
    assert one_value(db, "SELECT sum(documents) FROM search_terms") == one_value(
        db, "SELECT count(*) FROM search_postings"
    )
    assert reindex(db, "german") == {"products": 0, "language": "german"}
