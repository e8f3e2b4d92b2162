"""Recommendations over HTTP: what goes with a product, and what somebody may like."""

from pydantic import Field

from shop.search import recommended as shop
from shop.search.recommended import Recommended
from web.access import ANYONE, VISITOR
from web.call import Call
from web.models import In, Out
from web.routes import Group
from web.search import ProductBody, product_fields

GROUP = Group("Recommendations", "What goes together, and what somebody may like.")


class RecommendedBody(ProductBody):
    """`score` compares within this list only; `reason` is a sentence for the shopper."""

    score: float
    reason: str


class RecommendedProducts(Out):
    data: list[RecommendedBody]
    next_cursor: None = None


class TogetherQuery(In):
    limit: int = Field(10, ge=1, le=50)


class RecommendQuery(In):
    limit: int = Field(20, ge=1, le=50)
    personalize: bool = True


@GROUP.route("GET", "/v1/products/{product_id}/bought-together", who=ANYONE, answers={200: RecommendedProducts})
def bought_together(call: Call, product_id: str, query: TogetherQuery) -> RecommendedProducts:
    """Products that people bought along with this one.

    Pairs of at least two orders; then what the same people looked at. Sold out products are left out. A product about
    which nothing is known yet has an empty list: `similar` knows more.
    """
    return _listed(shop.bought_together(call.db, product_id, limit=query.limit))


@GROUP.route("GET", "/v1/recommendations", who=VISITOR, answers={200: RecommendedProducts})
def recommendations(call: Call, query: RecommendQuery) -> RecommendedProducts:
    """What this customer or visitor may like.

    From their last fifty interests, the newest counting most and a click counting at once: what others took after them,
    and for products that few have seen, what is described alike. Nothing they know or bought already, nothing sold
    out. A stranger, or whoever asks with `personalize=false`, gets what is popular.
    """
    return _listed(
        shop.recommended(
            call.db,
            call.services.encoder,
            customer_id=call.caller.sub,
            visitor_id=call.caller.visitor_id,
            limit=query.limit,
            personal=query.personalize,
        )
    )


def _listed(found: list[Recommended]) -> RecommendedProducts:
    return RecommendedProducts(
        data=[RecommendedBody(**product_fields(one.product), score=one.score, reason=one.reason) for one in found]
    )
