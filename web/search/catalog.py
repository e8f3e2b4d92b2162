"""The catalogue over HTTP: bringing products in, taking one out."""

from typing import Annotated, Any, Literal

from pydantic import Field

from shop.operations import jobs
from shop.search.catalogue import catalog, sync
from shop.search.catalogue.state import named, state
from web.access import ADMIN, SUPPORT, only
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.limiting import Limit
from web.models import Currency, In, Maybe, Out, Time
from web.operations.jobs import JobBody, job_body
from web.problems import Fault, Invalid, MalformedJson
from web.reading import parse, refuse_cards
from web.routes import JSON, Group
from web.search.searches import ProductBody, product_fields

GROUP = Group("Catalogue", "What search knows of the shop's products.")

NDJSON = "application/x-ndjson"

MAX_BODY = 16 * 1024 * 1024
"""A thousand products with descriptions of 16 KB each; the longest real ones have half of that."""


PER_CALLER = Limit(30, bucket="catalogue-state")
"""Each counts every product."""


class NewProduct(In):
    """`price` in whole minor units."""

    id: str = Field(min_length=1, max_length=128)
    name: str = Field(min_length=1, max_length=2000)
    description: str = Field(max_length=50_000)
    category: str = Field(max_length=500)
    brand: str | None = Field(None, max_length=200)
    price: int = Field(ge=0, le=10**15)
    currency: Currency
    stock: int = Field(ge=0, le=2**31 - 1)
    attributes: dict[str, Any] | None = None
    image_url: str | None = Field(None, max_length=2000)
    rating: float | None = Field(None, ge=0, le=5)
    rating_count: int | None = Field(None, ge=0, le=2**31 - 1)
    active: bool = True


class NewProducts(In):
    """Also taken: the array alone, or one product alone."""

    products: Annotated[list[NewProduct], Field(min_length=1, max_length=catalog.MAX_PRODUCTS)]


class CountedBody(Out):
    """`stale`: can be found by words, not by meaning yet. `batches`: handed in, not applied yet."""

    known: int
    active: int
    available: int
    stale: int
    batches: int


class WordsBody(Out):
    """The index of words. `former_language`: some products are still in it."""

    documents: int
    terms: int
    language: str
    former_language: Maybe[str] = None


class ModelBody(Out):
    version: str
    model: str
    state: Literal["building", "active", "retired"]
    vectors: int
    added_at: Time
    active_since: Maybe[Time] = None
    retired_at: Maybe[Time] = None


class PullBody(Out):
    """`full`: of every product, else of what changed. `newest`: the latest change seen, by the Product service's clock.
    `failure`: why it was given up; the next one begins anew."""

    id: str
    full: bool
    seen: int
    added: int
    changed: int
    rejected: int
    newest: Maybe[Time] = None
    started_at: Time
    ended_at: Maybe[Time] = None
    failure: Maybe[str] = None


class CatalogueBody(Out):
    """`models`: the one that answers first. `pulls`: the newest of everything, then the newest of changes."""

    products: CountedBody
    words: WordsBody
    models: list[ModelBody]
    pulls: list[PullBody]


class ProductsNamed(In):
    id: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]],
        Field(min_length=1, max_length=100),
    ]


class NamedProducts(Out):
    data: list[ProductBody]
    next_cursor: None = None


@GROUP.route(
    "POST", "/v1/catalog/products", who=only("service", "admin"), answers={202: JobBody, 200: JobBody},
    errors=(catalog.BatchTooLarge,), waits=True, max_body=MAX_BODY, accepts=(JSON, NDJSON), body=NewProducts, gzip=True,
)  # fmt: skip
def bring_products(call: Call, raw: bytes) -> Answer:
    """Add products or bring them up to date, up to 1,000 at once.

    A JSON body is taken as a whole or refused as a whole. Of `application/x-ndjson`, one product a line, the good lines
    are taken and the others are told in the job's result, with their numbers; there, price, currency and stock may be
    missing.
    """
    refuse_cards(raw.decode("utf-8", "replace"))
    if call.media_type == NDJSON:
        job_id = catalog.receive_lines(call.db, raw)
    else:
        products = _read(raw)
        job_id = catalog.receive_products(call.db, [product.model_dump(exclude_none=True) for product in products])
    return _accepted(call, job_id)


@GROUP.route("POST", "/v1/catalog/sync", who=ADMIN, answers={202: JobBody, 200: JobBody}, waits=True)
def sync_catalog(call: Call) -> Answer:
    """Pull every product from the Product service.

    Goes on where an interrupted pull was; its progress is the job's. After the first one, what changes there arrives by
    itself every few minutes.
    """
    return _accepted(call, sync.begin(call.db))


@GROUP.route("GET", "/v1/catalog/state", who=SUPPORT, answers={200: CatalogueBody}, limit=PER_CALLER)
def show_catalogue(call: Call) -> CatalogueBody:
    """How many products can be found by words and by meaning, which model answers, and how the last pulls went."""
    return CatalogueBody.model_validate(state(call.db))


@GROUP.route("GET", "/v1/catalog/products", who=SUPPORT, answers={200: NamedProducts})
def name_products(call: Call, query: ProductsNamed) -> NamedProducts:
    """Products by their ids, in the order asked for; what is not in the shop is missing."""
    found = {one.id: one for one in named(call.db, query.id)}
    return NamedProducts(data=[ProductBody(**product_fields(found[one])) for one in query.id if one in found])


@GROUP.route("DELETE", "/v1/catalog/products/{product_id}", who=only("service", "admin"), answers={204: None})
def retire_product(call: Call, product_id: str) -> Answer:
    """Take a product out of search, at once."""
    catalog.retire(call.db, product_id)
    return Answer(None, 204)


def _accepted(call: Call, job_id: str) -> Answer:
    return accepted(
        job_body(jobs.read(call.db, job_id)),
        location=f"/v1/jobs/{job_id}",
        settling=Settling(
            load=lambda db: jobs.read(db, job_id),
            settled=lambda job: job.state in jobs.FINAL,
            answer=lambda job: Answer(job_body(job), 200, location=f"/v1/jobs/{job_id}"),
        ),
    )


def _read(raw: bytes) -> list[NewProduct]:
    enveloped, added = _enveloped(raw)
    try:
        return parse(NewProducts, enveloped).products
    except Invalid as refusal:
        # Pointers lead into the body as it was sent.
        raise Invalid([Fault(fault.pointer.removeprefix(added), fault.detail) for fault in refusal.faults]) from refusal


def _enveloped(raw: bytes) -> tuple[bytes, str]:
    """The body in its envelope, and the pointer to where in it the body lies now."""
    start = raw.lstrip()[:1]
    if not start:
        raise MalformedJson("the body is empty")
    if start == b"[":
        return b'{"products":' + raw + b"}", "/products"
    if start != b"{":
        raise Invalid([Fault("", "must be an object or an array of products")])
    # One product alone is told from an envelope by the field that every product has.
    if b'"products"' in raw.split(b":", 1)[0]:
        return raw, ""
    return b'{"products":[' + raw + b"]}", "/products/0"
