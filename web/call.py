"""What a handler knows about the request at hand."""

from dataclasses import dataclass
from typing import TypeVar

from flask import request

from boot.services import Database, Services
from web.access import Access, Caller, Role, Unauthorized
from web.answers import Answer, Settling
from web.waiting import Waiting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """`db` is the database to use: on keyed routes its transactions are part of the key's own."""

    services: Services
    db: Database
    caller: Caller
    request_id: str
    who: Access
    waiting: Waiting

    @property
    def customer_id(self) -> str:
        """The `sub` of the token. Raises Unauthorized on routes that do not ask for one."""
        if self.caller.sub is None:
            raise Unauthorized("a bearer token is needed")
        return self.caller.sub

    def must_own(self, owner: str | None) -> None:
        """Raise NotFound (404) unless the thing belongs to the caller, or the route's roles look beyond that."""
        self.who.must_own(self.caller, owner)

    def has(self, *roles: Role) -> bool:
        return self.caller.has(*roles)

    def settled(self, settling: Settling[T], *, found: T | None = None) -> Answer:
        """For GET routes: wait as long as the caller prefers, and answer what is there then.

        `found` is what the handler has loaded already, where it has.
        """
        first = settling.load(self.db) if found is None else found
        return settling.answer(self.waiting.until(first, lambda: settling.load(self.db), settling.settled))

    def header(self, name: str) -> str | None:
        return request.headers.get(name)

    @property
    def address(self) -> str:
        """Where the request came from, as the proxies in front of us say."""
        return request.remote_addr or ""

    @property
    def media_type(self) -> str:
        """The body's media type in lower case, without parameters."""
        return request.mimetype

    def may_stream(self) -> bool:
        """Whether the caller asked for server-sent events."""
        return request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream"
