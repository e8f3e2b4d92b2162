"""Events over HTTP: a page hands in what its visitors did, and every single event is answered for."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StrictInt, StrictStr, ValidationError

from shop.analytics.events import consent, names
from shop.analytics.events.accept import Batch, NowhereToKeep, Sender, accept
from shop.cards import holds_card_number
from shop.ports.events import StreamFull
from web.access import ANYONE
from web.answers import Answer
from web.call import Call
from web.limiting import Limit
from web.models import In, Out
from web.problems import RateLimited
from web.reading import parse
from web.routes import Group

GROUP = Group("Events", "What visitors do: taken in batches, stored exactly once, accounted for to the event.")

MAX_BODY = 256 * 1024
"""Bytes, unpacked: 500 events of half a kilobyte."""

MAX_EVENTS = 500

MAX_PROPS = 8 * 1024
"""Bytes of JSON: room for what a page wants to remember, none for a document."""

PER_SENDER = Limit(1200, bucket="events")
"""Many people share one address behind an office's router; each page sends a batch every few seconds."""

FREE_FIELDS = ("session_id", "product_id", "path", "referrer", "campaign", "props")
"""Where a page may write what it likes, also what somebody typed into the wrong field."""

PERSONAL = frozenset(("visitor_id", "session_id", "props"))
"""What is not kept without consent. Paths lose their query and referrers all but the host anyway."""

UUID7 = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"


_LOW_HALF = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HIGH_HALF = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_NO_CHARACTER = re.compile(
    rb"\\u0000|" + _HIGH_HALF + rb"(?!" + _LOW_HALF + rb")|(?<!" + _HIGH_HALF + rb")" + _LOW_HALF
)
"""What JavaScript may put in a text and PostgreSQL has no place for: NUL, and half of a character, which is left where
a page cuts a text in the middle of an emoji. It is replaced by what browsers show for it: refused, it would take the
rest of the batch with it."""


def _written(value: object) -> object:
    # A number would be taken for seconds since 1970, which the contract does not know.
    if not isinstance(value, str):
        raise ValueError("must be a time as RFC 3339 writes it")  # noqa: TRY004 - pydantic reads ValueError
    return value


def _small(props: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(props, allow_nan=False, ensure_ascii=False).encode()) > MAX_PROPS:
        raise ValueError(f"props may have {MAX_PROPS} bytes")
    return props


Moment = Annotated[AwareDatetime, BeforeValidator(_written), Field(json_schema_extra={"format": "date-time"})]


class EventBody(In):
    """One event. `price` in whole minor units; `consent` as true, false, a mask, a word, or purposes."""

    id: Annotated[StrictStr, Field(pattern=UUID7, description="A version 7 UUID, the same on every retry.")]
    name: Annotated[StrictStr, Field(min_length=1, max_length=40)]
    ts: Moment
    visitor_id: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    session_id: Annotated[StrictStr, Field(min_length=1, max_length=64)] | None = None
    product_id: Annotated[StrictStr, Field(min_length=1, max_length=128)] | None = None
    search_id: Annotated[StrictStr, Field(min_length=1, max_length=64)] | None = None
    position: Annotated[StrictInt, Field(ge=0, le=100_000)] | None = None
    quantity: Annotated[StrictInt, Field(ge=0, le=1_000_000)] | None = None
    price: Annotated[StrictInt, Field(ge=0, le=10**15)] | None = None
    currency: Annotated[StrictStr, Field(pattern="^[a-z]{3}$")] | None = None
    path: Annotated[StrictStr, Field(max_length=1024)] | None = None
    referrer: Annotated[StrictStr, Field(max_length=2048)] | None = None
    campaign: Annotated[StrictStr, Field(max_length=200)] | None = None
    consent: bool | StrictInt | StrictStr | dict[str, bool] | None = None
    props: Annotated[dict[str, Any], AfterValidator(_small)] | None = None


class EventsBody(In):
    """Events are checked one by one, so that a wrong one does not spoil the others."""

    sent_at: Annotated[AwareDatetime, Field(description="The sender's clock when it sent this; corrects all times.")]
    events: Annotated[list[Any], Field(min_length=1, max_length=MAX_EVENTS)]


class DocumentedEvents(EventsBody):
    """Up to 500 events."""

    events: Annotated[list[EventBody], Field(min_length=1, max_length=MAX_EVENTS)]  # pyright: ignore[reportIncompatibleVariableOverride]


class RejectedEvent(Out):
    """`code`: reserved_name, unknown_name, invalid_id, unknown_field, missing_field, too_long, invalid_field,
    invalid_event, no_consent."""

    index: int
    code: str
    detail: str


class Taken(Out):
    accepted: int
    rejected: list[RejectedEvent]
    batch: str


@GROUP.route(
    "POST",
    "/v1/events",
    who=ANYONE,
    answers={202: Taken},
    errors=(NowhereToKeep,),
    limit=PER_SENDER,
    max_body=MAX_BODY,
    # A page that is being closed can send only text/plain.
    accepts=("application/json", "text/plain"),
    body=DocumentedEvents,
    gzip=True,
)
def take(call: Call, raw: bytes) -> Answer:
    """Hand in events.

    The answer comes once the batch is durably queued. An event that is refused is named with its place and reason;
    the others are accepted. Facts of orders (`order_paid` and the like) are refused from outside. Sending the same
    event again, with the same id, stores it once.
    """
    received_at = datetime.now(UTC)
    body = parse(EventsBody, _NO_CHARACTER.sub(rb"\\ufffd", raw) if b"\\u" in raw else raw)
    accepted: list[dict[str, Any]] = []
    rejected: list[RejectedEvent] = []
    for index, given in enumerate(body.events):
        try:
            accepted.append(_with_consent(call, _checked(given, call.caller.visitor_id)))
        except Refused as refusal:
            rejected.append(RejectedEvent(index=index, code=refusal.code, detail=refusal.detail))
    counts = Counter(one.code for one in rejected)
    stranger = _stranger(call, received_at) if any("visitor_id" not in event for event in accepted) else ""
    batch = Batch(accepted, counts, body.sent_at, received_at, _sender(call, stranger))
    try:
        batch_id = accept(call.db, call.services.events, batch)
    except StreamFull as full:
        raise RateLimited({"Retry-After": str(round(full.retry_after_s))}) from full
    return Answer(Taken(accepted=len(accepted), rejected=rejected, batch=batch_id), 202)


class Refused(ValueError):
    """One event is not taken."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def _checked(given: Any, visitor_id: str | None) -> dict[str, Any]:
    """The event as JSON values without what was not given. Raises Refused."""
    if not isinstance(given, dict):
        raise Refused("invalid_event", "an event is a JSON object")
    name = _name(given.get("name"))
    try:
        event = EventBody.model_validate({"visitor_id": visitor_id, **given} if visitor_id else given)
        said = None if event.consent is None else consent.mask(event.consent)
    except ValidationError as error:
        raise _refusal(error) from error
    except ValueError as error:
        raise Refused("invalid_field", f"consent: {error}") from error
    plain = event.model_dump(mode="json", exclude_none=True)
    if holds_card_number(json.dumps([plain.get(field) for field in FREE_FIELDS])):
        raise Refused("invalid_field", "it holds a card number, which only the payment provider may be told")
    return plain | {"id": event.id.lower(), "name": name} | ({} if said is None else {"consent": said})


def _name(name: object) -> str:
    """Checked before everything else: a reserved name is the answer, whatever else is wrong."""
    if not isinstance(name, str):
        raise Refused("missing_field" if name is None else "invalid_field", "name: must be a text")
    known = names.registered(name)
    if known in names.RESERVED:
        raise Refused("reserved_name", f"{known} is written by the shop itself, from its orders")
    if known not in names.KNOWN:
        raise Refused("unknown_name", "name: is not in the registry of events")
    return known


_CODES = {
    "extra_forbidden": "unknown_field",
    "missing": "missing_field",
    "string_too_long": "too_long",
}


def _refusal(error: ValidationError) -> Refused:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = str(fault["loc"][0]) if fault["loc"] else ""
    # The name of an unknown field comes from outside and may be anything of any length.
    detail = f"{field[:60]}: {fault['msg'].removeprefix('Value error, ')}"
    if field == "id" and fault["type"] != "missing":
        return Refused("invalid_id", "id: must be a version 7 UUID")
    if field == "props" and "bytes" in fault["msg"]:
        return Refused("too_long", detail)
    return Refused(_CODES.get(fault["type"], "invalid_field"), detail)


def _with_consent(call: Call, event: dict[str, Any]) -> dict[str, Any]:
    """The event, without anything personal where its visitor did not agree. Raises Refused where the shop wants none.

    Who says nothing of consent has asked for it elsewhere. Browsers that send GPC or DNT are taken at their word.
    """
    said = 0 if _opted_out(call) else event.get("consent")
    if said is None or said & consent.ANALYTICS:
        return event
    if call.services.settings.events_without_consent == "refuse":
        raise Refused("no_consent", "consent: this visitor did not agree to be counted")
    return {name: value for name, value in event.items() if name not in PERSONAL} | {"consent": said}


def _opted_out(call: Call) -> bool:
    return not call.has("service") and "1" in (call.header("Sec-GPC"), call.header("DNT"))


def _stranger(call: Call, at: datetime) -> str:
    return call.services.strangers.name(call.db, at, call.address, call.header("User-Agent") or "")


def _sender(call: Call, stranger: str) -> Sender:
    if call.has("service"):
        return Sender("server", None, "", stranger)
    return Sender("web", call.caller.sub, (call.header("User-Agent") or "")[:1000], stranger)
