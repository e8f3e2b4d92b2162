"""Search over HTTP: one list per search, with its total, facets and pages, and what is like a product."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from shop.search.answering import facets as counted
from shop.search.answering.answer import answer
from shop.search.answering.asked import Hit, Leg, Mode, Place, SearchRequest, SearchResult, Sort, WrongPlace
from shop.search.answering.gather import LegAway
from shop.search.queries.cards import Shown
from shop.search.queries.filters import Filters
from shop.search.recommending import similar as alike
from shop.search.understanding.understand import PARTS, Part
from web.access import ANYONE, Forbidden
from web.call import Call
from web.models import In, Maybe, Out
from web.paging import read_cursor, write_cursor
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Search", "Finding products by words and by meaning.")

MAX_PRICE = 10**15
MAX_PLACE = 10_000

Word = Annotated[str, Field(min_length=1, max_length=500)]


class SearchQuery(In):
    """`category` and `brand` may be given several times: any of them. Prices are whole minor units, ends included.

    `correct=false` takes every word as it is written. `interpret=false` understands nothing but words, `keep=price`
    (also without, brand, category, colour, size; may be given several times) keeps that part as words: what undoes a
    piece of `query.interpreted`. `personalize=false` forgets who asks. `explain=true` (admins) tells of each product
    why it is where it is. `counted=false` (support) is a trial by people of the shop, and in none of its figures.
    """

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    category: list[Word] = Field(default_factory=list[str], max_length=50)
    brand: list[Word] = Field(default_factory=list[str], max_length=50)
    price_min: int | None = Field(None, ge=0, le=MAX_PRICE)
    price_max: int | None = Field(None, ge=0, le=MAX_PRICE)
    in_stock: bool = False
    rating_min: float | None = Field(None, ge=0, le=5)
    sort: Sort = "relevance"
    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=1000)
    mode: Mode = "hybrid"
    personalize: bool = True
    correct: bool = True
    interpret: bool = True
    keep: list[Part] = Field(default_factory=list[Part], max_length=len(PARTS))
    explain: bool = False
    counted: bool = True


class ProductBody(Out):
    """`price` in whole minor units; `stock` is null where it is not counted."""

    id: str
    name: str
    description: str
    category: str
    brand: Maybe[str] = None
    price: int | None
    currency: str | None
    stock: int | None
    in_stock: bool
    attributes: dict[str, Any]
    image_url: Maybe[str] = None
    rating: Maybe[float] = None
    rating_count: Maybe[int] = None


class WordBody(Out):
    """What a word counts: its rarity in the catalogue times its weight in this product."""

    term: str
    rarity: float
    weight: float


class ExplanationBody(Out):
    """`parts` add up to the score before it is brought between 0 and 1. Ranks count from 1 in each leg; `floor` is the
    similarity from which meaning alone keeps a product, `liking` its similarity to what the asker had before.
    """

    parts: dict[str, float]
    words: list[WordBody]
    lexical_score: float
    lexical_rank: int | None
    similarity: float | None
    semantic_rank: int | None
    floor: float
    liking: float | None
    pinned: bool


class HitBody(ProductBody):
    """`score` is between 0 and 1 and compares within one search only. `pinned`: the shop put it first."""

    score: float
    matched: list[Leg]
    pinned: Maybe[bool] = None
    explanation: Maybe[ExplanationBody] = None


class SimilarBody(ProductBody):
    score: float
    reason: str


class QueryBody(Out):
    """`corrected`: what was searched instead, where a word was misspelt; `correct=false` undoes it.
    `interpreted`: what was understood, by part. `price`: `{min, max, words, hard}`; `without`, `brand`, `category`,
    `colour`, `size`: lists of `{value, words, hard}`. `words` are those of the query it was taken from; `hard` ones are
    required as filters are, others come first. Undone by `keep` or `interpret=false`. `rescued`: nothing was found as
    it was asked, and this was given up: `filters` (what was hard), `spelling`, or `meaning` (what is somewhat alike).
    """

    text: str
    corrected: Maybe[str] = None
    interpreted: dict[str, Any]


class ValueBody(Out):
    value: str
    count: int


class RangeBody(Out):
    """Both ends included; as `price_min` and `price_max` they give `count` products, or more, see below."""

    min: int
    max: int
    count: int


class PricesBody(Out):
    """Of the products priced in `currency`; all null when none has a price."""

    currency: str | None = None
    min: int | None = None
    max: int | None = None
    count: int = 0
    ranges: list[RangeBody] = Field(default_factory=list[RangeBody])


class FacetsBody(Out):
    """Of all products of the list, each facet without its own filter; at least, where `total_is_exact` is false."""

    category: list[ValueBody]
    brand: list[ValueBody]
    price: PricesBody


class SearchBody(Out):
    """total_is_exact false: there are at least `total`. degraded: a part is away, so that only
    words, or only meaning, were compared, or that the answer is a kept one. cached: kept, and nothing changed
    since.
    """

    search_id: str
    query: QueryBody
    total: int
    total_is_exact: bool
    facets: FacetsBody
    data: list[HitBody]
    next_cursor: str | None
    took_ms: float
    cached: bool = False
    degraded: Maybe[bool] = None


class SimilarProducts(Out):
    data: list[SimilarBody]
    next_cursor: None = None


class SimilarQuery(In):
    limit: int = Field(20, ge=1, le=100)


@GROUP.route("GET", "/v1/search", who=ANYONE, answers={200: SearchBody}, errors=(WrongPlace, Forbidden, LegAway))
def search(call: Call, query: SearchQuery) -> SearchBody:
    """Search the catalogue.

    Total, facets and all pages are of one list. A cursor goes with the query, filters, sort and mode it came from;
    later pages keep the `search_id` of the first, to be sent along with events about their products.
    """
    services = call.services
    result = answer(call.db, services.encoder, _request(call, query), services.knowledge, services.recent)
    place = result.next_place
    return SearchBody(
        search_id=result.search_id,
        query=QueryBody(text=query.q, corrected=result.corrected, interpreted=dict(result.interpreted)),
        total=result.total,
        total_is_exact=result.total_is_exact,
        facets=_facets(result),
        data=[_hit(hit) for hit in result.hits],
        next_cursor=write_cursor(place.search_id, place.of, place.at, place.product_id) if place else None,
        took_ms=result.took_ms,
        cached=result.cached,
        degraded=result.degraded or None,
    )


@GROUP.route("GET", "/v1/products/{product_id}/similar", who=ANYONE, answers={200: SimilarProducts})
def similar(call: Call, product_id: str, query: SimilarQuery) -> SimilarProducts:
    """Products that are described alike, the most alike first."""
    found = alike.similar(call.db, call.services.encoder, product_id, limit=query.limit)
    return SimilarProducts(
        data=[SimilarBody(**product_fields(one.product), score=one.score, reason=one.reason) for one in found]
    )


def _request(call: Call, query: SearchQuery) -> SearchRequest:
    if query.price_min is not None and query.price_max is not None and query.price_min > query.price_max:
        raise Invalid([Fault("/price_min", "is above price_max")])
    if query.explain and not call.has("admin"):
        raise Forbidden("only admins are told why")
    if not query.counted and not call.has("support"):
        raise Forbidden("only the shop's own people may search uncounted")
    filters = Filters(
        categories=tuple(sorted({category.lower() for category in query.category})),
        brands=tuple(sorted({brand.lower() for brand in query.brand})),
        price_min=query.price_min,
        price_max=query.price_max,
        in_stock=query.in_stock,
        # A rating has tenths; a number too small for PostgreSQL's real would be an error there.
        rating_min=None if query.rating_min is None else round(query.rating_min, 2),
    )
    return SearchRequest(
        text=query.q,
        filters=filters,
        sort=query.sort,
        mode=query.mode,
        limit=query.limit,
        after=_place(query.cursor),
        customer_id=call.caller.sub,
        visitor_id=call.caller.visitor_id,
        correct=query.correct,
        literal=tuple(sorted(set(query.keep))) if query.interpret else PARTS,
        personal=query.personalize,
        explain=query.explain,
        counted=query.counted,
    )


def _place(cursor: str | None) -> Place | None:
    values = read_cursor(cursor, str, str, int, str)
    if values is None:
        return None
    search_id, of, at, product_id = values
    assert isinstance(at, int), "read_cursor has looked at the types"
    if not 0 <= at <= MAX_PLACE:
        raise Invalid([Fault("/cursor", "is not a cursor of this list")])
    return Place(str(search_id), str(of), at, str(product_id))


def _facets(result: SearchResult) -> FacetsBody:
    price = result.facets.price
    return FacetsBody(
        category=[_value(value) for value in result.facets.category],
        brand=[_value(value) for value in result.facets.brand],
        price=PricesBody.model_validate(price) if price else PricesBody(),
    )


def _value(value: counted.Value) -> ValueBody:
    return ValueBody(value=value.value, count=value.count)


def _hit(hit: Hit) -> HitBody:
    return HitBody(
        **product_fields(hit.product),
        score=hit.score,
        matched=list(hit.matched),
        pinned=hit.pinned or None,
        explanation=ExplanationBody.model_validate(hit.explanation) if hit.explanation else None,
    )


def product_fields(product: Shown) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "category": product.category,
        "brand": product.brand or None,
        "price": product.price,
        "currency": product.currency,
        "stock": product.stock,
        "in_stock": product.available,
        "attributes": product.attributes,
        "image_url": product.image_url,
        "rating": None if product.rating is None else round(product.rating, 2),
        "rating_count": product.rating_count,
    }
