"""The log of searches: what was asked, how it was read, what came first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from db.database import Tx

LONGEST_QUERY = 500


@dataclass(frozen=True, slots=True)
class Search:
    id: str
    customer_id: str | None
    visitor_id: str | None
    query: str
    normalised: str
    interpreted: Mapping[str, Any]
    filters: Mapping[str, Any]
    sort: str
    mode: str
    total: int
    total_is_exact: bool
    first_products: Sequence[str]
    ranker: str
    degraded: bool
    took_ms: float
    corrected: str | None = None
    teams: str | None = None
    cached: bool = False


def insert_search(tx: Tx, search: Search) -> None:
    tx.execute(
        """
        INSERT INTO search_queries (id, customer_id, visitor_id, query, normalised, corrected, interpreted, filters,
                                    sort, mode, total, total_is_exact, first_products, ranker, degraded, cached,
                                    took_ms, teams)
        VALUES (%(id)s, %(customer_id)s, %(visitor_id)s, %(query)s, %(normalised)s, %(corrected)s, %(interpreted)s,
                %(filters)s, %(sort)s, %(mode)s, %(total)s, %(total_is_exact)s, %(first_products)s, %(ranker)s,
                %(degraded)s, %(cached)s, %(took_ms)s, %(teams)s)
        """,
        {
            "id": search.id,
            "customer_id": search.customer_id,
            "visitor_id": search.visitor_id,
            "query": search.query,
            "normalised": search.normalised,
            "corrected": search.corrected,
            "interpreted": Jsonb(search.interpreted),
            "filters": Jsonb(search.filters),
            "sort": search.sort,
            "mode": search.mode,
            "total": search.total,
            "total_is_exact": search.total_is_exact,
            "first_products": list(search.first_products),
            "ranker": search.ranker,
            "degraded": search.degraded,
            "cached": search.cached,
            "took_ms": search.took_ms,
            "teams": search.teams,
        },
    )


def delete_old_searches(tx: Tx, *, before: datetime, limit: int) -> int:
    """With what became of them."""
    gone = tx.execute(
        """
        DELETE FROM search_queries
         WHERE id IN (SELECT id FROM search_queries
                       WHERE searched_at < %(before)s LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    )
    return gone.rowcount
