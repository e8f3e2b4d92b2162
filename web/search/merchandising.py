"""Synonyms and pins over HTTP: what the shop decides about searches."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StrictStr

from shop.errors import NotFound
from shop.search import merchandise
from shop.search.merchandise import KeptAlready, NoSuchProduct, SaysNothing
from web.access import ADMIN
from web.answers import Answer
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Merchandising", "Synonyms and pinned products. Each change holds from the next search on.")

MOST_TERMS, MOST_PINNED = 20, 50

Kind = Literal["equal", "one_way"]
State = Literal["suggested", "active", "dismissed"]


def _storable(value: str) -> str:
    if "\0" in value or not value.strip():
        raise ValueError("must not be blank or hold a null character")
    return value.strip()


Term = Annotated[StrictStr, Field(min_length=1, max_length=100), AfterValidator(_storable)]
Words = Annotated[StrictStr, Field(min_length=1, max_length=500), AfterValidator(_storable)]
Id = Annotated[StrictStr, Field(min_length=1, max_length=40), AfterValidator(_storable)]
ProductId = Annotated[StrictStr, Field(min_length=1, max_length=128), AfterValidator(_storable)]


class SynonymsIn(In):
    """Without `id`: new ones, or those that are the same already. `equal`: each term finds the others too; `one_way`:
    who asks for the first finds the others, not the reverse. `state` makes learned ones active or dismisses them.
    """

    id: Id | None = None
    kind: Kind = "equal"
    terms: Annotated[list[Term], Field(min_length=2, max_length=MOST_TERMS, examples=[["sofa", "couch"]])]
    state: State = "active"


class SynonymsBody(Out):
    """`source` learned: suggested from searches, with its `evidence`; applied only once it is active."""

    id: str
    kind: Kind
    terms: list[str]
    state: State
    source: Literal["admin", "learned"]
    evidence: dict[str, Any]
    created_at: Time
    updated_at: Time


class SynonymsFilter(Paged):
    state: State | None = None


class ById(In):
    id: Id


class PinsIn(In):
    """`product_ids` are shown first for this query, in this order, as far as they pass the filters, while now is
    between `from` and `until`. Writings of a query that search takes for the same have the same pins.
    """

    query: Words
    product_ids: Annotated[list[ProductId], Field(min_length=1, max_length=MOST_PINNED)]
    from_: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = None


class PinsBody(Out):
    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    query: str
    product_ids: list[str]
    starts_at: Maybe[Time] = Field(None, serialization_alias="from")
    ends_at: Maybe[Time] = Field(None, serialization_alias="until")
    created_at: Time
    updated_at: Time


class PinsFilter(Paged):
    query: Words | None = None


class PinsNamed(In):
    """One of the two."""

    id: Id | None = None
    query: Words | None = None


@GROUP.route("GET", "/v1/search/synonyms", who=ADMIN, answers={200: Page[SynonymsBody]})
def list_synonyms(call: Call, query: SynonymsFilter) -> Page[SynonymsBody]:
    """Synonyms, newest first; `state=suggested` are those that searches suggest and that wait for a decision."""
    rows = merchandise.synonyms(call.db, state=query.state, before=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=SynonymsBody.model_validate, place=lambda row: (row.id,))


@GROUP.route(
    "PUT", "/v1/search/synonyms", who=ADMIN, answers={200: SynonymsBody}, errors=(SaysNothing, KeptAlready, NotFound)
)
def put_synonyms(call: Call, body: SynonymsIn) -> SynonymsBody:
    """Add synonyms or change them. Sent twice, they are kept once."""
    saved = merchandise.save_synonyms(call.db, synonyms_id=body.id, kind=body.kind, terms_=body.terms, state=body.state)
    return SynonymsBody.model_validate(saved)


@GROUP.route("DELETE", "/v1/search/synonyms", who=ADMIN, answers={204: None}, errors=(NotFound,))
def delete_synonyms(call: Call, query: ById) -> Answer:
    """Take synonyms back, by their id."""
    merchandise.forget_synonyms(call.db, query.id)
    return Answer(None, 204)


@GROUP.route("GET", "/v1/search/pins", who=ADMIN, answers={200: Page[PinsBody]})
def list_pins(call: Call, query: PinsFilter) -> Page[PinsBody]:
    """Pinned products by query, newest first."""
    rows = merchandise.pins(call.db, query=query.query, before=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=PinsBody.model_validate, place=lambda row: (row.id,))


@GROUP.route("PUT", "/v1/search/pins", who=ADMIN, answers={200: PinsBody}, errors=(SaysNothing, NoSuchProduct))
def put_pins(call: Call, body: PinsIn) -> PinsBody:
    """Pin products to a query, in place of those it had."""
    if body.from_ is not None and body.until is not None and body.until <= body.from_:
        raise Invalid([Fault("/until", "is not after from")])
    saved = merchandise.save_pins(
        call.db, query=body.query, product_ids=body.product_ids, starts_at=body.from_, ends_at=body.until
    )
    return PinsBody.model_validate(saved)


@GROUP.route("DELETE", "/v1/search/pins", who=ADMIN, answers={204: None}, errors=(NotFound,))
def delete_pins(call: Call, query: PinsNamed) -> Answer:
    """Unpin everything of a query, named by itself or by the id of its pins."""
    if (query.id is None) == (query.query is None):
        raise Invalid([Fault("/id", "is needed, or query, not both")])
    merchandise.forget_pins(call.db, pins_id=query.id, query=query.query)
    return Answer(None, 204)
