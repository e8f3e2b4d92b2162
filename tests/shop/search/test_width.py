"""How widely the graph is searched grows with the shop."""

import pytest

from db.database import Database
from shop.search.queries import find, versions
from shop.search.queries.find import EF_SEARCH, MANY


@pytest.mark.parametrize(
    ("products", "width"), [(0, EF_SEARCH), (MANY - 1, EF_SEARCH), (MANY, 2 * EF_SEARCH), (5 * MANY, 2 * EF_SEARCH)]
)
def test_a_large_shop_is_searched_twice_as_wide(db: Database, products: int, width: int) -> None:
    for begin in (versions.begin, find.prepare):
        with db.transaction() as tx:
            tx.execute("UPDATE search_corpus SET documents = %(products)s", {"products": products})
            begin(tx, ef_search=EF_SEARCH)
            row = tx.execute("SELECT current_setting('hnsw.ef_search')::integer").fetchone()
        assert row == (width,)
