"""Which products are trending, and why: heat and rise against what is usual, by people, not by clicks."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from db.database import Database, Tx
from shop.analytics.queries import interest
from shop.analytics.queries import trending as queries
from shop.analytics.queries.trending import Candidate, Interest, Listed, Shown
from shop.progress import Progress, unheard


@dataclass(frozen=True, slots=True)
class Span:
    """A window one can ask for. Heat halves in half a window, so that its end weighs four times its beginning."""

    name: str
    window: timedelta
    words: str

    @property
    def half_life_s(self) -> float:
        return self.window.total_seconds() / 2


SPANS = (
    Span("1h", timedelta(hours=1), "in the last hour"),
    Span("24h", timedelta(hours=24), "in the last 24 hours"),
    Span("7d", timedelta(days=7), "in the last 7 days"),
)

LISTED = 50
"""Products a list: more than a page shows, so that what sells out meanwhile leaves no hole."""

CONSIDERED = 150
"""Products a category that are looked at closely: three times the list, because rising can overtake heat."""

LEAST_VISITORS = 3
"""Fewer people than this are not a trend, and two friends could make one. A small shop has no more in an hour."""

PRIOR = 5.0
"""Weight added to both sides of the rise: one view where none is usual is not infinitely more than usual."""

OVERLAP = timedelta(minutes=10)
"""Orders are read again this far back: one may commit after a later one was seen. A noted order is not noted twice."""

FIRST_LOOK = timedelta(days=8)
"""How far back the first run reads orders: the longest window and a day."""


def trending(db: Database, progress: Progress = unheard, *, now: datetime | None = None) -> dict[str, int]:
    """Bring interest from orders up to date, then compute the lists of each window anew. Answers rows per window.

    Looks closely at the hottest products only, so the cost follows what is alive now, not what is stored.
    """
    moment = now or datetime.now(UTC)
    _note_orders(db, moment)
    counts: dict[str, int] = {}
    for done, span in enumerate(SPANS):
        progress(done, len(SPANS))
        with db.transaction() as tx:
            queries.lock_lists(tx)
            counts[span.name] = _refresh(tx, span, moment)
    return counts


def trending_now(db: Database, *, window: str, category: str | None, limit: int) -> list[Shown]:
    """The list of a window (`1h`, `24h`, `7d`), of one category or of all; only what can be bought right now."""
    with db.transaction() as tx:
        return queries.shown(tx, span=window, category=category or "", limit=limit)


def _note_orders(db: Database, now: datetime) -> None:
    with db.transaction() as tx:
        seen_until = queries.cursor_position(tx, "trending.orders")
        interest.note_paid_orders(tx, since=max(seen_until or now - FIRST_LOOK, now - FIRST_LOOK) - OVERLAP)
        queries.move_cursor(tx, "trending.orders", now)


def _refresh(tx: Tx, span: Span, now: datetime) -> int:
    hottest = queries.candidates(
        tx, span=span.name, window=span.window, half_life_s=span.half_life_s, now=now, each=CONSIDERED
    )
    found = queries.interest(tx, [one.product_id for one in hottest], window=span.window, now=now)
    by_product = {one.product_id: one for one in found if one.visitors >= LEAST_VISITORS}
    ranked = _ranked([one for one in hottest if one.product_id in by_product], by_product)
    queries.clear(tx, span.name)
    rows = 0
    for category, products in _lists(ranked).items():
        listed = _listed(products[:LISTED], by_product, span)
        queries.save(tx, span.name, category, listed)
        rows += len(listed)
    return rows


def _ranked(hottest: Sequence[Candidate], by_product: dict[str, Interest]) -> list[tuple[float, Candidate]]:
    scored = [(_score(one.heat, by_product[one.product_id]), one) for one in hottest]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].product_id))


def _score(heat: float, seen: Interest) -> float:
    """Heat on a logarithmic scale, so that the largest product does not always win, plus how far it is above usual."""
    return math.log1p(heat) + max(0.0, math.log(_rise(seen)))


def _rise(seen: Interest) -> float:
    return (_weight(seen) + PRIOR) / (seen.usual + PRIOR)


def _weight(seen: Interest) -> int:
    return seen.views + 3 * seen.carts + 8 * seen.orders


def _lists(ranked: Sequence[tuple[float, Candidate]]) -> dict[str, list[tuple[float, Candidate]]]:
    lists: dict[str, list[tuple[float, Candidate]]] = defaultdict(list)
    for pair in ranked:
        lists[""].append(pair)
        if pair[1].category:
            lists[pair[1].category].append(pair)
    return lists


def _listed(products: Sequence[tuple[float, Candidate]], by_product: dict[str, Interest], span: Span) -> list[Listed]:
    return [
        Listed(
            rank=rank,
            product_id=one.product_id,
            score=round(score, 6),
            visitors=by_product[one.product_id].visitors,
            views=by_product[one.product_id].views,
            carts=by_product[one.product_id].carts,
            orders=by_product[one.product_id].orders,
            reasons=_reasons(by_product[one.product_id], span),
        )
        for rank, (score, one) in enumerate(products, start=1)
    ]


RISING_FROM = 1.5
"""Half as much again as usual is worth saying; less is the noise of any hour."""


def _reasons(seen: Interest, span: Span) -> list[dict[str, Any]]:
    """What speaks for it, strongest first: `{"code", "count" or "times", "text"}`."""
    reasons: list[dict[str, Any]] = []
    if seen.orders:
        reasons.append(_counted("bought", seen.orders, f"bought {_times(seen.orders)} {span.words}"))
    if seen.carts:
        reasons.append(_counted("carted", seen.carts, f"put into a cart {_times(seen.carts)} {span.words}"))
    reasons.append(_counted("seen", seen.visitors, f"{seen.visitors} people were interested {span.words}"))
    if seen.usual > 0 and _rise(seen) >= RISING_FROM:
        times = round(_rise(seen), 1)
        reasons.append({"code": "rising", "times": times, "text": f"{times} times its usual interest"})
    elif seen.usual == 0:
        reasons.append({"code": "new", "text": "no interest in the four weeks before"})
    return reasons


def _counted(code: str, count: int, text: str) -> dict[str, Any]:
    return {"code": code, "count": count, "text": text}


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
