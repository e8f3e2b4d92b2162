"""Who may call a route: every route declares one Access, and the declaration is what the guard enforces.

A token with the role `admin` also has the role `support`; nothing else implies anything. A token whose `roles`
claim is absent has the least role, `customer`.
"""

from dataclasses import dataclass
from typing import Literal

from shop.errors import NotFound, Rejected

Role = Literal["customer", "support", "admin", "service"]
ROLES: frozenset[Role] = frozenset(("customer", "support", "admin", "service"))

NOTHING = "there is no such thing"
"""All that is said of what does not exist and of what is somebody else's."""


class Unauthorized(Rejected):
    """No bearer token, or one that is expired, forged or meant for somebody else."""

    code = "unauthorized"
    status = 401


class Forbidden(Rejected):
    """The caller is known, but has none of the roles the route asks for."""

    code = "forbidden"
    status = 403


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `sub` is None without a token; then `visitor_id` may say which browser it is."""

    sub: str | None = None
    email: str | None = None
    roles: frozenset[Role] = frozenset()
    visitor_id: str | None = None

    def has(self, *roles: Role) -> bool:
        """Whether the caller has one of the roles."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Access:
    """A rule for who may call.

    `identity` says what must be known of the caller: nothing is looked at (`none`), a token or visitor id is taken
    when sent (`optional`), one of the two is needed (`some`), a token is needed (`token`). `roles` narrows a token
    to those roles; empty means any. `owner` says that the handler answers only for what belongs to the caller
    (`call.must_own`), except for `beyond_owner` roles, who see everybody's.
    """

    words: str
    identity: Literal["none", "optional", "some", "token"]
    roles: frozenset[Role] = frozenset()
    owner: bool = False
    beyond_owner: frozenset[Role] = frozenset()

    def admit(self, caller: Caller) -> None:
        """Raise Unauthorized or Forbidden unless the caller may call."""
        if self.identity == "token" and caller.sub is None:
            raise Unauthorized("a bearer token is needed")
        if self.identity == "some" and caller.sub is None and caller.visitor_id is None:
            raise Unauthorized("a bearer token or an X-Visitor-Id is needed")
        if self.roles and not caller.has(*self.roles):
            raise Forbidden(f"needs one of the roles: {', '.join(sorted(self.roles))}")

    def must_own(self, caller: Caller, owner: str | None) -> None:
        """Raise NotFound unless the thing is the caller's own or the caller's role looks beyond that."""
        if caller.has(*self.beyond_owner):
            return
        if owner is None or caller.sub != owner:
            raise NotFound(NOTHING)

    def blurred(self, caller: Caller, missing: NotFound) -> NotFound:
        """The refusal in the words that somebody else's thing gets, so that nobody learns which ids exist."""
        return NotFound(NOTHING) if self.owner and not caller.has(*self.beyond_owner) else missing


PUBLIC = Access("anyone; a token is not looked at", "none")
ANYONE = Access("anyone; a token or X-Visitor-Id is taken when sent", "optional")
VISITOR = Access("a token or an X-Visitor-Id", "some")
SIGNED_IN = Access("anyone with a token", "token")
OWNER = Access("the owner", "token", owner=True)


def only(*roles: Role) -> Access:
    """A token with one of these roles."""
    return Access(" or ".join(roles), "token", frozenset(roles))


def owner_or(*roles: Role) -> Access:
    """The owner of the thing, or a token with one of these roles; for everybody else it does not exist (404)."""
    return Access(f"the owner, {', '.join(roles)}", "token", owner=True, beyond_owner=frozenset(roles))


CUSTOMER = only("customer")
SUPPORT = only("support")
ADMIN = only("admin")
OWNER_OR_SUPPORT = owner_or("support")
