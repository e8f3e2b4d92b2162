"""Recommendations over HTTP: what goes with a product, and what somebody may like."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from shop.errors import NotFound
from shop.search.recommending import objections
from shop.search.recommending import recommended as shop
from shop.search.recommending.recommend_list import Recommended
from shop.search.recommending.recommend_rows import MOST, Asker, NoProducts, beside_cart, beside_product
from web.access import ANYONE, VISITOR
from web.call import Call
from web.models import In, Out
from web.problems import Fault, Invalid
from web.routes import Group
from web.search.searches import ProductBody, product_fields

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
    """`row`: `home` is for somebody, `product` and `cart` are about the products named by `product_id`, one or several;
    a cart row without any takes what the asker put into the cart lately.
    """

    row: Literal["home", "product", "cart"] = "home"
    product_id: list[Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]] = Field(
        default_factory=list[str], max_length=MOST
    )
    limit: int = Field(20, ge=1, le=50)
    personalize: bool = True


class PersonalisationIn(In):
    allowed: StrictBool


class PersonalisationBody(Out):
    """`allowed` false: no list is made for this customer or browser, wherever they look."""

    allowed: bool


@GROUP.route("GET", "/v1/products/{product_id}/bought-together", who=ANYONE, answers={200: RecommendedProducts})
def bought_together(call: Call, product_id: str, query: TogetherQuery) -> RecommendedProducts:
    """Products that people bought along with this one.

    Pairs of at least two orders; then what the same people looked at. Sold out products are left out. A product about
    which nothing is known yet has an empty list: `similar` knows more.
    """
    return _listed(shop.bought_together(call.db, product_id, limit=query.limit))


@GROUP.route("GET", "/v1/products/{product_id}/also-viewed", who=ANYONE, answers={200: RecommendedProducts})
def also_viewed(call: Call, product_id: str, query: TogetherQuery) -> RecommendedProducts:
    """Products that the same people looked at shortly before or after this one: what they compared it with.

    Counted over the visits of 180 days, the newer ones more. Sold out products are left out.
    """
    return _listed(shop.also_viewed(call.db, product_id, limit=query.limit))


@GROUP.route(
    "GET", "/v1/recommendations", who=VISITOR, answers={200: RecommendedProducts}, errors=(NoProducts, NotFound)
)
def recommendations(call: Call, query: RecommendQuery) -> RecommendedProducts:
    """What this customer or visitor may like, or what goes with products.

    `row=home`: from their last fifty interests, the newest counting most and a click counting at once: what others took
    after them, and for products that few have seen, what is described alike. Nothing they know or bought already
    (unless people buy it again, and it is time), nothing sold out, of what is nearly the same the best. A stranger, who
    asks with `personalize=false` and who said no to personalisation get what is popular. `row=product`, `row=cart`:
    what was bought along with the products, looked at along with them, or is described alike.
    """
    caller, encoder = call.caller, call.services.encoder
    asker = Asker(caller.sub, caller.visitor_id, query.personalize)
    if query.row == "home":
        if query.product_id:
            raise Invalid([Fault("/product_id", "goes with row=product or row=cart")])
        found = shop.recommended(
            call.db,
            encoder,
            customer_id=caller.sub,
            visitor_id=caller.visitor_id,
            limit=query.limit,
            personal=query.personalize,
        )
    elif query.row == "cart":
        found = beside_cart(call.db, encoder, query.product_id, asker, limit=query.limit)
    elif len(query.product_id) == 1:
        found = beside_product(call.db, encoder, query.product_id[0], asker, limit=query.limit)
    else:
        raise Invalid([Fault("/product_id", "must be one with row=product")])
    return _listed(found)


@GROUP.route("GET", "/v1/personalisation", who=VISITOR, answers={200: PersonalisationBody})
def show_personalisation(call: Call) -> PersonalisationBody:
    """Whether search and recommendations look at what this customer or visitor did."""
    caller = call.caller
    return PersonalisationBody(allowed=objections.allows(call.db, customer_id=caller.sub, visitor_id=caller.visitor_id))


@GROUP.route("PUT", "/v1/personalisation", who=VISITOR, answers={200: PersonalisationBody})
def choose_personalisation(call: Call, body: PersonalisationIn) -> PersonalisationBody:
    """Say no to personalisation, or yes again.

    A no holds from the next request on, for the customer and for the browser they use, and deletes what was kept of
    their interests. It outlives an erasure. `/v1/privacy/erasures` forgets the rest.
    """
    caller = call.caller
    objections.choose(call.db, customer_id=caller.sub, visitor_id=caller.visitor_id, allowed=body.allowed)
    return PersonalisationBody(allowed=body.allowed)


def _listed(found: list[Recommended]) -> RecommendedProducts:
    return RecommendedProducts(
        data=[RecommendedBody(**product_fields(one.product), score=one.score, reason=one.reason) for one in found]
    )
