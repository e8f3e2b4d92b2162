"""Funnels that people keep, and who the people of a funnel are."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StrictStr

from shop.analytics.behaviour import funnel as funnels
from shop.analytics.behaviour import saved
from shop.analytics.behaviour.saved import NameTaken
from shop.analytics.queries.funnel import TooMuchWork, Walker
from shop.analytics.queries.funnels import Saved
from shop.analytics.revenue import RangeTooLong
from shop.errors import NotFound
from web.access import ADMIN, SUPPORT
from web.analytics.figures import DayOrMoment
from web.analytics.funnel import PER_CALLER, DefinitionBody, FunnelAnswer, FunnelBody, answered, check, funnel_of
from web.answers import Answer
from web.call import Call
from web.models import In, Out, Time
from web.paging import Page, Paged, page_of, read_cursor
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Saved funnels", "Funnels that are asked again and again, and who is behind a number.")


def _name(text: str) -> str:
    if "\0" in text or not text.strip():
        raise ValueError("must not be blank or hold a null character")
    return text.strip()


class SavedIn(In):
    """`definition` is a funnel without a range."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=120), AfterValidator(_name)]
    definition: DefinitionBody


class SavedBody(Out):
    id: str
    name: str
    definition: DefinitionBody
    made_by: str
    created_at: Time
    updated_at: Time


class ResultQuery(In):
    """Days in the shop's zone, both included, or times; without them the last 28 days."""

    from_: DayOrMoment | None = Field(None, alias="from")
    to: DayOrMoment | None = None


class PeopleQuery(Paged):
    """`step` from 1. Who got there and no further, or with `further` whoever got there."""

    step: int = Field(ge=1, le=10)
    further: bool = False


class PersonBody(Out):
    """`unit`: the visitor (of a session, too) or the customer. `steps`: how far they got from any of their entries."""

    unit: str
    entered_at: Time
    steps: int


@GROUP.route("GET", "/v1/analytics/funnels", who=SUPPORT, answers={200: Page[SavedBody]})
def list_funnels(call: Call, query: Paged) -> Page[SavedBody]:
    """The funnels that were kept, the newest first."""
    rows = saved.listed(call.db, before=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=_body, place=lambda row: (row.id,))


@GROUP.route("POST", "/v1/analytics/funnels", who=SUPPORT, answers={201: SavedBody}, errors=(NameTaken,))
def keep_funnel(call: Call, body: SavedIn) -> Answer:
    """Keep a funnel under a name."""
    check(body.definition)
    row = saved.keep(call.db, name=body.name, definition=_definition(body), by=call.customer_id)
    return Answer(_body(row), 201, location=f"/v1/analytics/funnels/{row.id}")


@GROUP.route("GET", "/v1/analytics/funnels/{funnel_id}", who=SUPPORT, answers={200: SavedBody}, errors=(NotFound,))
def show_funnel(call: Call, funnel_id: str) -> SavedBody:
    """A funnel that was kept."""
    return _body(saved.kept(call.db, funnel_id))


@GROUP.route(
    "PUT", "/v1/analytics/funnels/{funnel_id}", who=SUPPORT, answers={200: SavedBody}, errors=(NotFound, NameTaken)
)
def change_funnel(call: Call, funnel_id: str, body: SavedIn) -> SavedBody:
    """Another name, or another definition."""
    check(body.definition)
    return _body(saved.change(call.db, funnel_id, name=body.name, definition=_definition(body)))


@GROUP.route("DELETE", "/v1/analytics/funnels/{funnel_id}", who=SUPPORT, answers={204: None}, errors=(NotFound,))
def forget_funnel(call: Call, funnel_id: str) -> Answer:
    """Keep it no longer."""
    saved.forget(call.db, funnel_id)
    return Answer(None, 204)


@GROUP.route(
    "GET",
    "/v1/analytics/funnels/{funnel_id}/result",
    who=SUPPORT,
    answers={200: FunnelAnswer},
    errors=(NotFound, RangeTooLong, TooMuchWork),
    limit=PER_CALLER,
)
def result_of(call: Call, funnel_id: str, query: ResultQuery) -> FunnelAnswer:
    """What the funnel says now, of entries in the range."""
    return answered(call, _ranged(_body(saved.kept(call.db, funnel_id)).definition, query))


@GROUP.route(
    "POST",
    "/v1/analytics/funnel/people",
    who=ADMIN,
    answers={200: Page[PersonBody]},
    errors=(RangeTooLong, TooMuchWork),
    limit=PER_CALLER,
)
def people(call: Call, body: FunnelBody, query: PeopleQuery) -> Page[PersonBody]:
    """Who got to a step of a funnel and no further, the newest entry first.

    For admins: it names visitors and customers.
    """
    if query.step > len(body.steps):
        raise Invalid([Fault("/step", f"the funnel has {len(body.steps)} steps")])
    place = read_cursor(query.cursor, str, str)
    after = None if place is None else _walker(str(place[0]), str(place[1]))
    rows = funnels.walkers(
        call.db, funnel_of(call, body), step=query.step, further=query.further, after=after, limit=query.limit + 1
    )
    return page_of(
        rows, query.limit, body=PersonBody.model_validate, place=lambda row: (row.entered_at.isoformat(), row.unit)
    )


def _walker(entered_at: str, unit: str) -> Walker:
    try:
        return Walker(unit, datetime.fromisoformat(entered_at), 0)
    except ValueError as error:
        raise Invalid([Fault("/cursor", "is not a cursor of this list")]) from error


def _ranged(definition: DefinitionBody, query: ResultQuery) -> FunnelBody:
    given = definition.model_dump(mode="json", exclude_none=True)
    return FunnelBody.model_validate({**given, "from": query.from_, "to": query.to})


def _definition(body: SavedIn) -> dict[str, object]:
    return body.definition.model_dump(mode="json", exclude_none=True)


def _body(row: Saved) -> SavedBody:
    definition = DefinitionBody.model_validate(row.definition)
    return SavedBody(
        id=row.id,
        name=row.name,
        definition=definition,
        made_by=row.made_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
