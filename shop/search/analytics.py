"""How search does: what people ask, what they find, click and buy, and what it costs when they do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import ClassVar
from zoneinfo import ZoneInfo

from db.database import Database, Tx
from shop.errors import Rejected
from shop.ports.encoder import Encoder, EncoderUnavailable
from shop.search.answering.gather import EF_SEARCH
from shop.search.answering.rank import HARDLY
from shop.search.days.spans import range_of
from shop.search.queries import analytics as queries
from shop.search.queries import cards, find
from shop.search.queries.analytics import QueryRow, Totals
from shop.search.queries.filters import NO_FILTERS
from shop.search.queries.vectors import written
from shop.search.vectors.models import answering

LONGEST_DAYS = 400

PATIENCE_S = 60

LEAST = 5
"""Searches of a query, before it is said to lose money: two without an order are no sign of anything."""

NEAR = 3
"""Products shown as what would have matched."""

BUCKET = 1.02
"""Times are counted in buckets, each 2% above the one before: `search_times` in the database has the same."""


class RangeTooLong(Rejected):
    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Near:
    """`similarity`: the cosine of the query and the product's description."""

    product_id: str
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Unfound:
    """A query that found nothing at least once, and the nearest by meaning that can be had without any filter. None are
    near: nothing like it is sold, or the model is away.
    """

    row: QueryRow
    would_match: Sequence[Near]


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, within 1% of the true ones; None where nothing was searched."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class SearchAnalytics:
    """`lost` estimates what searches without a result would have brought, had they brought what others bring."""

    totals: Totals
    latency: Latency
    lost: int
    top: Sequence[QueryRow]
    without_result: Sequence[Unfound]
    unclicked: Sequence[QueryRow]
    losing: Sequence[QueryRow]


def analytics(
    db: Database, encoder: Encoder, *, first: date, last: date, zone: ZoneInfo, currency: str, limit: int
) -> SearchAnalytics:
    """Searches from the beginning of `first` to the end of `last`, days of the shop's zone; money in minor units of
    `currency`, orders in others left out. Days that are counted are taken as counted, the others read.

    Raises RangeTooLong.
    """
    if (last - first).days >= LONGEST_DAYS:
        raise RangeTooLong(f"search analytics may have {LONGEST_DAYS} days")
    with db.transaction() as tx:
        queries.take_time(tx, seconds=PATIENCE_S)
        within = range_of(tx, first, last, zone)
        totals = queries.totals(tx, within, currency=currency)
        latency = _latency(queries.times(tx, within))
        found = totals.searches - totals.without_result
        a_search = totals.sold / (totals.searches or 1)
        rows = queries.queries_of(tx, within, currency=currency, a_search=a_search, least=LEAST, limit=limit)
        nothing = sorted((row for row in rows if row.without_result), key=lambda row: row.by_without_result)[:limit]
        would_match = _nearest(tx, encoder, [row.query for row in nothing])
    return SearchAnalytics(
        totals=totals,
        latency=latency,
        lost=round(totals.without_result * totals.sold / found) if found else 0,
        top=sorted(rows, key=lambda row: row.by_searches)[:limit],
        without_result=[Unfound(row, would_match.get(row.query, [])) for row in nothing],
        unclicked=sorted((row for row in rows if row.unclicked), key=lambda row: row.by_unclicked)[:limit],
        losing=sorted((row for row in rows if row.lost), key=lambda row: row.by_lost)[:limit],
    )


def _latency(times: Sequence[tuple[int, int]]) -> Latency:
    return Latency(*(_quantile(times, share) for share in (0.5, 0.95, 0.99)))


def _quantile(times: Sequence[tuple[int, int]], share: float) -> float | None:
    wanted, passed = ceil(share * sum(searches for _, searches in times)), 0
    for bucket, searches in times:
        passed += searches
        if passed >= wanted:
            return BUCKET ** (bucket + 0.5)
    return None


def _nearest(tx: Tx, encoder: Encoder, texts: Sequence[str]) -> dict[str, list[Near]]:
    if not texts:
        return {}
    try:
        vectors = encoder.encode(list(texts))
    except EncoderUnavailable:
        return {}
    version = answering(tx, encoder)
    find.prepare(tx, ef_search=EF_SEARCH)
    return {text: _near(tx, version, written(vector.tolist())) for text, vector in zip(texts, vectors, strict=True)}


def _near(tx: Tx, version: str, vector: str) -> list[Near]:
    ns = find.nearest(tx, version=version, vector=vector, filters=NO_FILTERS, limit=NEAR)
    found = cards.cards(tx, ns, version=version, vector=vector)
    names = {product.id: product.name for product in cards.shown(tx, [card.id for card in found])}
    near = [
        Near(card.id, names[card.id], round(card.similarity, 4))
        for card in found
        if card.similarity is not None and card.similarity >= HARDLY and card.id in names
    ]
    return sorted(near, key=lambda one: (-one.similarity, one.product_id))
