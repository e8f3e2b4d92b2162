"""Trending over HTTP: what people are interested in right now, and why it is on the list."""

from typing import Any, Literal

from pydantic import Field

from shop.analytics.behaviour.trending import trending_now
from web.access import ANYONE
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.routes import Group

GROUP = Group("Trending", "Products on the rise, counted by people and not by clicks.")

Window = Literal["1h", "24h", "7d"]


class TrendingQuery(In):
    window: Window = "24h"
    category: str | None = Field(None, min_length=1, max_length=500)
    limit: int = Field(20, ge=1, le=100)


class TrendingBody(Out):
    """`reasons`: what speaks for it, strongest first, each with `code`, `text` and a `count` or `times`."""

    id: str
    name: str
    category: str
    brand: str
    price: int | None
    currency: str | None
    image_url: str | None
    score: float
    visitors: int
    reasons: list[dict[str, Any]]


class TrendingList(Out):
    window: Window
    category: Maybe[str] = None
    computed_at: Time | None
    data: list[TrendingBody]
    next_cursor: None = None


@GROUP.route("GET", "/v1/trending", who=ANYONE, answers={200: TrendingList})
def listed(call: Call, query: TrendingQuery) -> TrendingList:
    """What is trending.

    At least three people must have shown interest within the window. What is sold out or not for sale is left out at
    once; ranks are brought up to date about every minute.
    """
    shown = trending_now(call.db, window=query.window, category=query.category, limit=query.limit)
    return TrendingList(
        window=query.window,
        category=query.category,
        computed_at=shown[0].computed_at if shown else None,
        data=[
            TrendingBody(
                id=one.id,
                name=one.name,
                category=one.category,
                brand=one.brand,
                price=one.price,
                currency=one.currency,
                image_url=one.image_url,
                score=one.score,
                visitors=one.visitors,
                reasons=one.reasons,
            )
            for one in shown
        ],
    )
