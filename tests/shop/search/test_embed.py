"""Vectors: made once for each wording, kept as soon as made, whatever happens in between."""

import pytest

from db.database import Database
from shop.progress import Interrupted
from shop.search.queries import vectors as queries
from shop.search.vectors.embed import FIRST_LOAD, SAVE, AlreadyEmbedding, embed
from tests.shop.search.made import CountingEncoder, one_value, products, stock


def test_only_new_and_reworded_products_are_embedded(db: Database) -> None:
    encoder = CountingEncoder()
    stock(db, products())
    assert embed(db, encoder)["embedded"] == 60
    assert embed(db, encoder)["embedded"] == 0
    stock(db, [{**products()[0], "price": 1}, {**products()[1], "name": "Reworded"}])
    encoder.texts.clear()
    assert embed(db, encoder)["embedded"] == 1
    assert encoder.texts[0].startswith("Reworded. ")


def test_a_killed_run_loses_nothing_that_was_saved(db: Database) -> None:
    stock(db, ({"id": str(number), "name": f"Chair {number}"} for number in range(SAVE + 10)))

    def killed(done: int, total: int | None) -> None:
        assert (done, total) == (SAVE, SAVE + 10)
        raise Interrupted

    with pytest.raises(Interrupted):
        embed(db, CountingEncoder(), killed)
    encoder = CountingEncoder()
    assert embed(db, encoder) | {"seconds": 0, "per_second": 0, "seconds_per_1000": 0} == {
        "embedded": 10, "remaining": 0, "seconds": 0, "per_second": 0, "seconds_per_1000": 0,
    }  # fmt: skip
    assert len(encoder.texts) == 10


def test_a_bite_stages_the_next_one_until_nothing_is_left(db: Database) -> None:
    stock(db, products())
    with db.transaction() as tx:
        tx.execute("DELETE FROM jobs")
    assert embed(db, CountingEncoder(), bite=50)["remaining"] == 10
    assert one_value(db, "SELECT count(*) FROM jobs WHERE name = 'search.embed' AND state = 'staged'") == 1
    with db.transaction() as tx:
        tx.execute("DELETE FROM jobs")
    assert embed(db, CountingEncoder(), bite=50)["remaining"] == 0
    assert one_value(db, "SELECT count(*) FROM jobs") == 0


def test_a_run_whose_time_is_up_keeps_what_it_has_and_leaves_the_rest_to_the_next_bite(db: Database) -> None:
    stock(db, ({"id": str(number), "name": f"Chair {number}"} for number in range(SAVE + 10)))
    with db.transaction() as tx:
        tx.execute("DELETE FROM jobs")
    found = embed(db, CountingEncoder(), run_s=0)
    assert (found["embedded"], found["remaining"]) == (SAVE, 10)
    assert one_value(db, "SELECT count(*) FROM jobs WHERE name = 'search.embed' AND state = 'staged'") == 1
    assert embed(db, CountingEncoder(), run_s=0)["remaining"] == 0


def test_a_second_worker_comes_back_later_without_spending_an_attempt(db: Database) -> None:
    with db.session() as other:
        assert queries.claim(other)
        with pytest.raises(AlreadyEmbedding) as refused:
            embed(db, CountingEncoder())
        assert not refused.value.spends_attempt
    assert embed(db, CountingEncoder())["embedded"] == 0


def test_a_product_reworded_while_it_is_embedded_is_embedded_again(db: Database) -> None:
    stock(db, products()[:1])

    class Slow(CountingEncoder):
        """While it computes, an import rewords the product."""

        def encode(self, texts):  # type: ignore[no-untyped-def]
            if not self.texts:
                stock(db, [{**products()[0], "name": "Reworded"}])
            return super().encode(texts)

    encoder = Slow()
    assert embed(db, encoder)["remaining"] == 1
    embed(db, encoder)
    assert encoder.texts[1].startswith("Reworded. ")


def test_another_model_gets_vectors_of_its_own(db: Database) -> None:
    stock(db, products())
    embed(db, CountingEncoder())
    other = CountingEncoder()
    other.model = "another"
    assert embed(db, other)["embedded"] == 60
    assert one_value(db, "SELECT count(*) FROM product_embeddings") == 120


def test_a_first_load_builds_the_index_when_all_is_there(db: Database) -> None:
    stock(db, ({"id": str(number), "name": f"Chair {number}"} for number in range(FIRST_LOAD)))
    index = "SELECT to_regclass('product_embeddings_v') IS NOT NULL"
    seen: list[bool] = []
    embed(db, CountingEncoder(), lambda done, total: seen.append(one_value(db, index)))
    assert seen == [False] * len(seen) != []
    assert one_value(db, index) is True
    embed(db, CountingEncoder())
    assert one_value(db, "SELECT count(*) FROM search_sample") == 300


def test_vectors_of_products_that_are_gone_are_not_made(db: Database) -> None:
    stock(db, [{**row, "active": False} for row in products()])
    assert embed(db, CountingEncoder())["embedded"] == 0
