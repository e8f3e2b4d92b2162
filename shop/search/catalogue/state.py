"""Tells how the catalogue stands, for people: what can be found by words, what by meaning, what is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.database import Database
from shop.search.queries import state as queries
from shop.search.queries.cards import Shown, shown
from shop.search.queries.state import Counted, ModelState, Pull, Words


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """`pulls`: the newest of everything first, then the newest of changes; what there was none of is missing."""

    products: Counted
    words: Words
    models: Sequence[ModelState]
    pulls: Sequence[Pull]


def state(db: Database) -> CatalogueState:
    """All of one moment. Counts every product: a second for a million."""
    with db.transaction() as tx:
        queries.one_moment(tx)
        return CatalogueState(
            queries.counted(tx), queries.words(tx), queries.model_states(tx), queries.newest_pulls(tx)
        )


def named(db: Database, product_ids: Sequence[str]) -> list[Shown]:
    """Those of these products that are in the shop, in no order."""
    with db.transaction() as tx:
        return shown(tx, product_ids)
