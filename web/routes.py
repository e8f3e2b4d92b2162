"""One decorator per route: method, path, access, models, keys, limits; routing, checking, OpenAPI read it."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, TypeVar, Unpack, get_type_hints

from pydantic import BaseModel

from shop.errors import ShopError
from web.access import Access
from web.limiting import PER_CALLER, Limit

Handler = TypeVar("Handler", bound=Callable[..., Any])
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

MAX_BODY = 64 * 1024
"""Bytes. An order with a hundred lines needs a tenth of it; routes that take more say so."""

JSON = "application/json"

Content = type[BaseModel] | str | tuple[type[BaseModel] | str, ...] | None
"""What an answer holds: a body model, another media type ("application/pdf"), several of them, or nothing."""


class Options(TypedDict, total=False):
    """What a route may say beside method, path, who and answers; see Group.route."""

    errors: tuple[type[ShopError], ...]
    keyed: bool
    waits: bool
    limit: Limit
    max_body: int
    accepts: tuple[str, ...]
    gzip: bool
    body: type[BaseModel] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Everything there is to know about one route; `handler` takes `call` and what its other parameters name."""

    method: Method
    path: str
    who: Access
    answers: Mapping[int, Content]
    handler: Callable[..., Any]
    group: str
    summary: str
    about: str
    parameters: tuple[str, ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    raw: bool
    errors: tuple[type[ShopError], ...] = ()
    keyed: bool = False
    waits: bool = False
    limit: Limit = PER_CALLER
    max_body: int = MAX_BODY
    accepts: tuple[str, ...] = (JSON,)
    gzip: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def operation_id(self) -> str:
        """A name for generated clients: the file and the function, `orders_show`."""
        return f"{self.handler.__module__.rpartition('.')[2]}_{self.handler.__name__}"

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return re.sub(r"{(\w+)}", r"<\1>", self.path)


@dataclass(slots=True)
class Group:
    """Routes that belong together: one file of `web/`, one heading of the documentation."""

    name: str
    about: str
    routes: list[Route] = field(default_factory=list)

    def route(
        self, method: Method, path: str, *, who: Access, answers: Mapping[int, Content], **options: Unpack[Options]
    ) -> Callable[[Handler], Handler]:
        """Declare a route.

        `answers` gives the content per status (see Content); `errors` the kinds of no that are this route's own, for
        the documentation. `keyed` asks for an Idempotency-Key and runs the handler inside the key's transaction;
        `waits` understands Prefer: wait. `body` is only for handlers that take `raw: bytes` and still want their body
        documented.
        """

        def declare(handler: Handler) -> Handler:
            self.routes.append(_declared(self.name, handler, method, path, who, answers, options))
            return handler

        return declare


def _declared(
    group: str,
    handler: Callable[..., Any],
    method: Method,
    path: str,
    who: Access,
    answers: Mapping[int, Content],
    options: Options,
) -> Route:
    hints = get_type_hints(handler)
    names = tuple(re.findall(r"{(\w+)}", path))
    _check_parameters(handler, names)
    summary, _, about = (inspect.getdoc(handler) or handler.__name__).partition("\n")
    said: Options = {"body": None, **options}
    if "body" in hints:
        said["body"] = hints["body"]
    return Route(
        method=method,
        path=path,
        who=who,
        answers=answers,
        handler=handler,
        group=group,
        summary=summary.rstrip("."),
        about=inspect.cleandoc(about),
        parameters=names,
        query=hints.get("query"),
        raw="raw" in hints,
        **said,
    )


def _check_parameters(handler: Callable[..., Any], path_names: tuple[str, ...]) -> None:
    # Found when the module is imported, not when the first customer calls.
    first, *others = inspect.signature(handler).parameters
    taken = {first.removeprefix("_"), *others}
    wanted = {"call", *path_names}
    if not wanted <= taken or not taken <= wanted | {"body", "query", "raw"}:
        raise TypeError(f"{handler.__qualname__} must take {sorted(wanted)}, and may take body, query or raw")
