"""What a handler answers: a body with a status, and how the caller may wait for more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from flask import Response
from pydantic import BaseModel

from boot.services import Database

T = TypeVar("T")

NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Settling(Generic[T]):
    """How to wait for a resource after the handler's work is committed.

    `load` reads it with one light query from the database it is given (it is called up to twenty times a second at
    first, then four), `settled` says whether it has come to rest, `answer` makes the final answer of it. Nothing of
    it is called unless the request carries `Prefer: wait`.
    """

    load: Callable[[Database], T]
    settled: Callable[[T], bool]
    answer: "Callable[[T], Answer]"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body, and headers; `location` is a path of ours, `settling` makes Prefer: wait work."""

    body: BaseModel | None
    status: int = 200
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    settling: Settling[Any] | None = None


Answered = Answer | BaseModel | Response
"""What a handler may return: a body alone is a 200; a Flask Response is for what is not JSON."""


def accepted(body: BaseModel, *, location: str, settling: Settling[Any] | None = None) -> Answer:
    """202: a job does the rest; `location` is where the resource is found meanwhile."""
    return Answer(body, 202, location=location, settling=settling)


def respond(answered: Answered) -> Response:
    """The answer as bytes and headers."""
    if isinstance(answered, Response):
        return answered
    answer = Answer(answered) if isinstance(answered, BaseModel) else answered
    headers = dict(answer.headers)
    if answer.location is not None:
        headers["Location"] = answer.location
    if answer.body is None:
        return Response(status=answer.status, headers=headers)
    return Response(answer.body.model_dump_json(), answer.status, headers, content_type="application/json")
