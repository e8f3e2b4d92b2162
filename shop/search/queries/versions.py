"""How new the catalogue and the merchandising are: numbers that every change raises in its own transaction."""

from dataclasses import dataclass
from typing import Literal

from psycopg.rows import args_row

from db.database import Tx
from shop.search.queries.find import MANY

Name = Literal["catalogue", "merchandising"]


@dataclass(frozen=True, slots=True)
class State:
    """`versions` of the catalogue and of the merchandising; `documents`: how many products are indexed."""

    versions: tuple[int, int]
    documents: int


def bump(tx: Tx, name: Name) -> None:
    tx.execute(
        "UPDATE search_versions SET version = version + 1, changed_at = now() WHERE name = %(name)s", {"name": name}
    )


def begin(tx: Tx, *, ef_search: int) -> State:
    """The settings of one search, and the numbers it begins with.

    Iterative scans go on until enough has passed. Statements are planned once for all values: planning would take as
    long as words do. Losing the last log lines in a power cut is no loss worth a disk write per search. A statement of
    three seconds, or one that waits a quarter of a second for somebody who repairs an index, gives up: what the other
    leg finds is worth more to a shopper.
    """
    cur = tx.cursor(row_factory=args_row(_state))
    found = cur.execute(
        """
        SELECT (SELECT version FROM search_versions WHERE name = 'catalogue'),
               (SELECT version FROM search_versions WHERE name = 'merchandising'),
               (SELECT documents FROM search_corpus),
               set_config('hnsw.ef_search', (%(ef_search)s::integer * CASE WHEN (SELECT documents FROM search_corpus)
                                                                               >= %(many)s THEN 2 ELSE 1 END)::text,
                          true),
               set_config('hnsw.iterative_scan', 'relaxed_order', true),
               set_config('plan_cache_mode', 'force_generic_plan', true),
               set_config('synchronous_commit', 'off', true),
               set_config('statement_timeout', '3s', true),
               set_config('lock_timeout', '250ms', true)
        """,
        {"ef_search": ef_search, "many": MANY},
    ).fetchone()
    assert found is not None, "a SELECT without FROM has a row"
    return found


def _state(catalogue: int, merchandising: int, documents: int, *_settings: str) -> State:
    return State((catalogue, merchandising), documents)
