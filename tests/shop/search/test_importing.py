"""Taking a catalogue in: what is good goes in, what is bad is told, what is known stays untouched."""

from typing import Any

import pytest

from db.database import Database
from shop.errors import NotFound
from shop.search.catalogue import catalog
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.index import DRIFT
from shop.search.catalogue.product import BadRow
from shop.search.catalogue.reweigh import reweigh
from tests.shop.search.made import one_value, products, stock


def test_bad_rows_are_told_with_their_line_and_the_rest_goes_in(db: Database) -> None:
    rows = [
        (1, {"id": "a", "name": "Chair"}),
        (2, {"id": "b"}),
        (3, BadRow("not JSON")),
        (5, {"id": "c", "name": "Table"}),
    ]
    report = import_products(db, rows)
    assert (report.read, report.added, report.rejected) == (4, 2, 2)
    assert report.problems == [(2, "name is missing"), (3, "not JSON")]
    assert one_value(db, "SELECT array_agg(id ORDER BY id) FROM products") == ["a", "c"]


def test_each_row_is_accounted_for(db: Database) -> None:
    stock(db, products())
    rows = [*products(), {**products()[0], "price": 1}, {"id": "new", "name": "New"}, {"id": "bad"}]
    report = stock(db, rows)
    assert (report.added, report.changed, report.unchanged, report.repeated, report.rejected) == (1, 1, 59, 1, 1)
    assert report.read == len(rows) == 63


def test_rows_that_say_nothing_new_are_not_touched(db: Database) -> None:
    stock(db, products())
    before = one_value(db, "SELECT array_agg(xmin::text ORDER BY id) FROM products")
    report = stock(db, products())
    assert report.unchanged == 60
    assert one_value(db, "SELECT array_agg(xmin::text ORDER BY id) FROM products") == before


def test_of_an_id_that_comes_twice_the_later_row_counts(db: Database) -> None:
    stock(db, [{"id": "a", "name": "First"}, {"id": "a", "name": "Second"}])
    assert one_value(db, "SELECT name FROM products") == "Second"


def test_one_embedding_is_staged_for_many_batches(db: Database) -> None:
    report = stock(db, ({"id": str(number), "name": f"Chair {number}"} for number in range(2500)))
    assert report.added == 2500
    assert one_value(db, "SELECT count(*) FROM jobs WHERE name = 'search.embed'") == 1


def test_a_new_price_asks_for_no_new_vector_and_no_new_words(db: Database) -> None:
    stock(db, products())
    with db.transaction() as tx:
        tx.execute("DELETE FROM jobs")
    before = one_value(db, "SELECT array_agg(xmin::text ORDER BY product_n) FROM search_documents")
    stock(db, [{**row, "price": 5, "stock": 3} for row in products()])
    assert one_value(db, "SELECT count(*) FROM jobs") == 0
    assert one_value(db, "SELECT array_agg(xmin::text ORDER BY product_n) FROM search_documents") == before
    assert one_value(db, "SELECT count(*) FROM products WHERE price = 5") == 60


def test_the_lexical_index_stays_what_a_fresh_one_would_be(db: Database) -> None:
    stock(db, products())
    stock(db, [{**row, "name": f"Renamed {row['name']}"} for row in products()[:20]])
    stock(db, [{**row, "active": False} for row in products()[20:30]])
    stock(db, [{**row, "description": "Entirely other words"} for row in products()[25:40]])
    catalog.retire(db, "p050")
    assert _index(db) == _fresh_index(db)
    assert _index(db)["documents"] == 60 - 5 - 1


def test_a_retired_product_comes_back_with_the_next_import(db: Database) -> None:
    stock(db, products())
    catalog.retire(db, "p003")
    assert one_value(db, "SELECT active FROM products WHERE id = 'p003'") is False
    assert stock(db, products()).changed == 1
    assert one_value(db, "SELECT active FROM products WHERE id = 'p003'") is True
    assert _index(db)["documents"] == 60


def test_a_batch_that_waited_neither_brings_back_what_was_retired_nor_an_older_price(db: Database) -> None:
    stock(db, products())
    price = "SELECT price FROM products WHERE id = %(id)s"
    catalog.receive_products(db, [{**products()[3], "price": 1}, {**products()[4], "price": 2}])
    first = one_value(db, "SELECT id FROM catalogue_batches")
    catalog.retire(db, "p003")
    catalog.receive_products(db, [{**products()[4], "price": 3}])
    second = one_value(db, "SELECT id FROM catalogue_batches WHERE id <> %(id)s", id=first)
    catalog.catalog(db, second)
    assert catalog.catalog(db, first)["changed"] == 0
    assert one_value(db, "SELECT active FROM products WHERE id = 'p003'") is False
    assert one_value(db, price, id="p004") == 3
    catalog.receive_products(db, [{**products()[3], "price": 4}])
    catalog.catalog(db, one_value(db, "SELECT max(id) FROM catalogue_batches"))
    assert one_value(db, "SELECT active FROM products WHERE id = 'p003'") is True
    assert one_value(db, price, id="p003") == 4


def test_batches_that_wait_one_after_the_other_are_all_applied(db: Database) -> None:
    stock(db, products())
    for price in (1, 2, 3):
        catalog.receive_products(db, [{**products()[4], "price": price}])
    with db.transaction() as tx:
        waiting = tx.execute("SELECT id FROM catalogue_batches ORDER BY id").fetchall()
    assert [catalog.catalog(db, batch_id)["changed"] for (batch_id,) in waiting] == [1, 1, 1]
    assert one_value(db, "SELECT price FROM products WHERE id = 'p004'") == 3


def test_retiring_what_never_was_is_refused(db: Database) -> None:
    with pytest.raises(NotFound):
        catalog.retire(db, "nobody")


def test_when_products_grow_longer_all_weights_are_made_anew(db: Database) -> None:
    stock(db, products())
    stock(db, [{"id": f"l{number}", "name": "Long", "description": "many words " * 200} for number in range(60)])
    assert one_value(db, "SELECT count(*) FROM jobs WHERE name = 'search.reweigh'") == 1
    assert reweigh(db) == {"products": 120}
    assert reweigh(db) == {"products": 0}
    off = one_value(
        db,
        """
        SELECT max(abs(p.weight - search_weight(words.count, d.length, (c.total_length / c.documents::real)::real)))
          FROM search_corpus c
          CROSS JOIN search_documents d
          CROSS JOIN unnest(d.term_ids, d.counts) AS words(term_id, count)
          JOIN search_postings p ON p.term_id = words.term_id AND p.product_n = d.product_n
        """,
    )
    assert off < DRIFT / 1000


def test_a_batch_from_the_api_is_kept_until_its_job_applies_it(db: Database) -> None:
    job_id = catalog.receive_products(db, products())
    batch_id = one_value(db, "SELECT args->>'batch_id' FROM jobs WHERE id = %(id)s", id=job_id)
    assert one_value(db, "SELECT count(*) FROM products") == 0
    assert catalog.catalog(db, batch_id)["added"] == 60
    assert catalog.catalog(db, batch_id)["unchanged"] == 60
    assert one_value(db, "SELECT applied_at IS NOT NULL FROM catalogue_batches") is True


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_of_none_or_too_many_is_refused(db: Database, count: int) -> None:
    with pytest.raises(catalog.BatchTooLarge):
        catalog.receive_lines(db, b'{"id": "x", "name": "x"}\n' * count)


def _index(db: Database) -> dict[str, Any]:
    with db.transaction() as tx:
        return {
            "documents": one_value(db, "SELECT documents FROM search_corpus"),
            "length": one_value(db, "SELECT total_length FROM search_corpus"),
            "terms": tx.execute("SELECT term, documents FROM search_terms WHERE documents > 0 ORDER BY 1").fetchall(),
            "postings": tx.execute(
                """
                SELECT t.term, pr.id FROM search_postings p
                  JOIN search_terms t ON t.id = p.term_id JOIN products pr ON pr.n = p.product_n ORDER BY 1, 2
                """
            ).fetchall(),
        }


def _fresh_index(db: Database) -> dict[str, Any]:
    """Everything from the products' rows alone, by the same code on empty tables."""
    with db.transaction() as tx:
        rows = tx.execute(
            "SELECT id, name, description, category, brand, attributes FROM products WHERE active"
        ).fetchall()
        kept = _index(db)
        tx.execute("DELETE FROM search_postings")
        tx.execute("DELETE FROM search_documents")
        tx.execute("UPDATE search_terms SET documents = 0")
        tx.execute("UPDATE search_corpus SET documents = 0, total_length = 0")
        tx.execute("UPDATE products SET row_hash = decode(repeat('00', 16), 'hex'), content_hash = row_hash")
        tx.execute("UPDATE products SET content_hash = decode(repeat('00', 16), 'hex')")
    names = ("id", "name", "description", "category", "brand", "attributes")
    stock(db, [dict(zip(names, row, strict=True)) for row in rows])
    fresh = _index(db)
    assert kept is not fresh
    return fresh
