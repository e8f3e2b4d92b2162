"""Reading a request: bytes within the limit, JSON that is JSON, fields that are known and right."""

import json
import re
import zlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import ClientDisconnected, NotFound, RequestEntityTooLarge

from shop.cards import holds_card_number
from web.problems import Fault, Invalid, MalformedJson, TooLarge, UnsupportedMediaType
from web.routes import Route

Model = TypeVar("Model", bound=BaseModel)

MAX_FAULTS = 50
"""A body of a thousand wrong rows needs no thousand explanations."""

_SUSPECT = re.compile(rb"\\u0000|\x00|NaN|Infinity|[eE]\+?\d{3}")
"""Bodies that may hold what JSON or PostgreSQL has no place for; only these are walked through."""


def read_body(request: Request, route: Route) -> bytes:
    """The body's bytes, unpacked. Raises TooLarge and UnsupportedMediaType."""
    # A body without a length is cut off at this number, not refused; the one byte more tells the two apart.
    request.max_content_length = route.max_body + 1
    if request.content_length is not None and request.content_length > route.max_body:
        raise TooLarge(f"the body may have {route.max_body} bytes")
    try:
        raw = request.get_data(cache=True, parse_form_data=False)
    except RequestEntityTooLarge as error:
        raise TooLarge(f"the body may have {route.max_body} bytes") from error
    except ClientDisconnected as error:
        raise MalformedJson("the body ended early") from error
    if len(raw) > route.max_body:
        raise TooLarge(f"the body may have {route.max_body} bytes")
    if not raw:
        return raw
    if request.mimetype and request.mimetype not in route.accepts:
        raise UnsupportedMediaType(f"the body must be {' or '.join(route.accepts)}")
    return _unpacked(raw, request.headers.get("Content-Encoding", "identity").strip().lower(), route)


def parse(model: type[Model], raw: bytes) -> Model:
    """The body as its model; an empty body is an empty object. Raises MalformedJson and Invalid."""
    try:
        body = model.model_validate_json(raw or b"{}", strict=True)
    except ValidationError as error:
        raise _refused(error, lambda: json.loads(canonical(raw))) from error
    if _SUSPECT.search(raw):
        _refuse_nul(body.model_dump(), "")
        canonical(raw)
    return body


def canonical(raw: bytes) -> bytes:
    """The same bytes for the same JSON value, however it was spelled. Raises MalformedJson."""
    try:
        value = json.loads(raw or b"{}", parse_constant=_refuse_constant)
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedJson("the body is not valid JSON in UTF-8") from error


def parse_query(model: type[Model], request: Request) -> Model:
    """The query string as its model. A name given twice is a list where the model has one, else a fault."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        given[name] = values if _takes_list(model, name) else values[0]
        if len(values) > 1 and not _takes_list(model, name):
            raise Invalid([Fault(f"/{_escaped(name)}", "is given more than once")])
    try:
        query = model.model_validate(given, strict=False)  # model_validate_strings knows no lists
    except ValidationError as error:
        raise _refused(error, lambda: given) from error
    _refuse_nul(given, "")
    return query


def refuse_unknown_query(request: Request) -> None:
    """For routes without a query."""
    if request.args:
        raise Invalid([Fault(f"/{_escaped(name)}", "is not a parameter of this route") for name in request.args])


def refuse_cards(value: Any, pointer: str = "") -> None:
    """Raise Invalid where a text of the request holds a card number: it must not even reach a log or a table."""
    if isinstance(value, str) and holds_card_number(value):
        raise Invalid(
            [Fault(pointer, "holds a card number; the shop takes only what the payment provider makes of it")]
        )
    if isinstance(value, dict):
        for name, part in value.items():
            refuse_cards(str(name), pointer)
            refuse_cards(part, f"{pointer}/{_escaped(str(name))}")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            refuse_cards(part, f"{pointer}/{index}")


def check_path(values: dict[str, str]) -> None:
    """What PostgreSQL cannot hold as text names nothing."""
    if any("\x00" in value or "\ufffd" in value for value in values.values()):
        raise NotFound


def _unpacked(raw: bytes, encoding: str, route: Route) -> bytes:
    if encoding == "identity":
        return raw
    if encoding != "gzip" or not route.gzip:
        raise UnsupportedMediaType(f"Content-Encoding {encoding!r} is not read here")
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacking.decompress(raw, route.max_body + 1)
    except zlib.error as error:
        raise MalformedJson("the body is not gzip") from error
    if len(unpacked) > route.max_body:
        raise TooLarge(f"the unpacked body may have {route.max_body} bytes")
    if not unpacking.eof:
        raise MalformedJson("the gzip body ended early")
    return unpacked


def _refused(error: ValidationError, given: Callable[[], Any]) -> MalformedJson | Invalid:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if faults[0]["type"] == "json_invalid":
        return MalformedJson("the body is not valid JSON in UTF-8")
    whole = given()
    return Invalid(
        [
            Fault(_pointer(fault["loc"], whole, fault["type"] == "missing"), _sentence(fault["type"], fault["msg"]))
            for fault in faults[:MAX_FAULTS]
        ]
    )


def _pointer(place: tuple[int | str, ...], value: Any, missing: bool) -> str:
    """To what was given; names of the forms that were tried on it, where there are several, lead nowhere."""
    pointer = ""
    for part in place[:-1] if missing else place:
        inside = _inside(value)
        if part in inside:
            value = inside[part]
            pointer += f"/{_named(str(part))}"
    return f"{pointer}/{_named(str(place[-1]))}" if missing else pointer


def _inside(value: Any) -> dict[Any, Any]:
    if isinstance(value, list):
        return dict(enumerate(cast(list[Any], value)))
    return cast(dict[Any, Any], value) if isinstance(value, dict) else {}


def _named(part: str) -> str:
    # An unknown field may be named by a number that must be shown nowhere, not even to who sent it.
    return "(a card number)" if holds_card_number(part) else _escaped(part)


def _refuse_constant(name: str) -> None:
    # Python's parser knows NaN and Infinity; JSON does not.
    raise ValueError(name)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a field of this request"
    return message.removeprefix("Value error, ")


def _refuse_nul(value: Any, pointer: str) -> None:
    # PostgreSQL's text has no place for the character NUL, and no name or address needs it.
    if isinstance(value, str) and "\x00" in value:
        raise Invalid([Fault(pointer, "must not contain the character NUL")])
    if isinstance(value, dict):
        for name, part in value.items():
            _refuse_nul(name, pointer)
            _refuse_nul(part, f"{pointer}/{_escaped(str(name))}")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            _refuse_nul(part, f"{pointer}/{index}")


def _takes_list(model: type[BaseModel], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and "list" in str(field.annotation)
