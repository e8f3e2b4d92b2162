"""The way of one request: who, how often, what, once, and the answer. Every route goes through here."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, g, request

from boot.services import Database, Services
from shop.cards import holds_card_number
from shop.errors import NotFound, Rejected
from shop.operations.idempotency import Kept, Keyed, KeyRequired, once, replace_answer
from shop.operations.replay import recall, remember
from web import card_numbers, limiting, problems, reading, tracing
from web.access import Caller
from web.answers import Answer, Answered, respond
from web.call import Call
from web.models import In
from web.routes import Route
from web.tokens import Tokens
from web.waiting import Waiters, Waiting

KEPT_HEADERS = ("Content-Type", "Location")
"""What belongs to an answer rather than to the moment it was given in."""

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_VISITOR = re.compile(r"[\x21-\x7e]{1,64}")


class Nothing(In):
    """The body of a route that reads none: empty, or an empty object."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What one process needs to serve requests."""

    services: Services
    tokens: Tokens
    waiters: Waiters


def perform(desk: Desk, route: Route, path: dict[str, str]) -> Response:
    """Answer one request of this route. Raises what web.problems turns into answers."""
    g.route = route.name
    card_numbers.refuse_in_head(request)
    caller = _caller(desk, route)
    g.caller_sub = caller.sub
    g.limit_headers = limiting.count(
        desk.services.limits,
        route.limit,
        caller,
        route.name,
        scale=desk.services.settings.rate_limit_scale,
    )
    waiting = Waiting(desk.waiters, request.headers.get("Prefer"), understood=route.waits)
    with tracing.causing(caller):
        response = (
            _keyed(desk, route, path, caller, waiting) if route.keyed else _plain(desk, route, path, caller, waiting)
        )
    if waiting.applied:
        response.headers["Preference-Applied"] = "wait"
    g.waited_s = waiting.waited_s
    return response


def _caller(desk: Desk, route: Route) -> Caller:
    if route.who.identity == "none":
        return Caller()
    visitor = request.headers.get("X-Visitor-Id", "")
    if visitor and (not _VISITOR.fullmatch(visitor) or holds_card_number(visitor)):
        raise problems.Invalid([problems.Fault("/headers/X-Visitor-Id", "must be 1 to 64 printable characters")])
    caller = desk.tokens.caller(request.headers.get("Authorization"), visitor or None)
    route.who.admit(caller)
    return caller


def _plain(desk: Desk, route: Route, path: dict[str, str], caller: Caller, waiting: Waiting) -> Response:
    arguments = _arguments(route, path, reading.read_body(request, route))
    answered = _handle(route, _call(desk, route, caller, waiting, desk.services.db), arguments)
    response = respond(answered)
    return _settle(desk.services.db, answered, waiting) or response


def _keyed(desk: Desk, route: Route, path: dict[str, str], caller: Caller, waiting: Waiting) -> Response:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key) or holds_card_number(key):
        raise KeyRequired("send an Idempotency-Key of 1 to 255 printable characters")
    raw = reading.read_body(request, route)
    arguments = _arguments(route, path, raw)
    asked = Keyed(_owner_of_key(caller), f"{request.method} {request.path}"[:400], key, _canonical(raw, route))
    answers = desk.services.answers
    if (known := recall(answers, asked)) is not None:
        return _replayed(known)
    waited_for: list[Answer] = []

    def work(db: Database) -> Kept:
        answered = _attempt(db, lambda inner: _handle(route, _call(desk, route, caller, waiting, inner), arguments))
        if isinstance(answered, Answer) and answered.settling is not None:
            waited_for.append(answered)
        return _kept(respond(answered))

    kept, replayed = once(desk.services.db, asked, work)
    if replayed:
        return _replayed(kept)
    if waited_for and (settled := _settle(desk.services.db, waited_for[0], waiting)) is not None:
        kept = _kept(settled)
        replace_answer(desk.services.db, asked, kept)
    remember(answers, asked, kept)
    return _unkept(kept)


def _replayed(kept: Kept) -> Response:
    g.replayed = True
    response = _unkept(kept)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _handle(route: Route, call: Call, arguments: dict[str, Any]) -> Answered:
    try:
        return route.handler(call, **arguments)
    except NotFound as missing:
        raise route.who.blurred(call.caller, missing) from None


def _attempt(db: Database, handle: Callable[[Database], Answered]) -> Answered:
    # A refusal is an answer too, and the key keeps it; what the handler had written by then is undone.
    try:
        with db.transaction():
            return handle(db)
    except Rejected as refusal:
        return problems.answer_for(refusal)


def _settle(db: Database, answered: Answered, waiting: Waiting) -> Response | None:
    """The later answer, where one was preferred: the final one, or as before with the state that it is in by now."""
    if not isinstance(answered, Answer) or answered.settling is None or waiting.wait_s <= 0:
        return None
    settling = answered.settling
    found = waiting.until(settling.load(db), lambda: settling.load(db), settling.settled)
    later = settling.answer(found)
    return respond(later if waiting.applied else replace(later, status=answered.status, location=answered.location))


def _arguments(route: Route, path: dict[str, str], raw: bytes) -> dict[str, Any]:
    reading.check_path(path)
    arguments: dict[str, Any] = dict(path)
    if route.query is not None:
        arguments["query"] = query = reading.parse_query(route.query, request)
        reading.refuse_cards(query.model_dump())
    else:
        reading.refuse_unknown_query(request)
    if route.raw:
        arguments["raw"] = raw
    elif route.body is not None:
        arguments["body"] = body = reading.parse(route.body, raw)
        reading.refuse_cards(body.model_dump())
    else:
        reading.parse(Nothing, raw)
    return arguments


def _call(desk: Desk, route: Route, caller: Caller, waiting: Waiting, db: Database) -> Call:
    return Call(desk.services, db, caller, g.request_id, route.who, waiting)


def _owner_of_key(caller: Caller) -> str:
    # A keyed route for strangers would have to tell them apart by what they say of themselves.
    return f"sub:{caller.sub}" if caller.sub is not None else f"visitor:{caller.visitor_id}"


def _canonical(raw: bytes, route: Route) -> bytes:
    # Two spellings of one JSON value are one body: a client library may order its fields anew for a retry.
    return raw if route.raw else reading.canonical(raw)


def _kept(response: Response) -> Kept:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return Kept(response.status_code, headers, response.get_data())


def _unkept(kept: Kept) -> Response:
    return Response(kept.body, kept.status, kept.headers)
