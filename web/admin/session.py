"""Who is signed in to the pages: the token of the Auth service in a cookie that scripts cannot read.

The cookie holds the token itself, so that it ends when the token does and nothing of it is stored here. Whatever
changes something is a form of ours: it carries a mark made from the token, which no other site can read or guess.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from flask import Request, Response

from web.access import Caller, Unauthorized
from web.tokens import Tokens

LONGEST_TOKEN = 3800
"""Bytes. Browsers drop a cookie of more than 4,096 with its name and attributes."""

PATH = "/admin"


class NotForStaff(Exception):
    """The token is good, but its roles open no page here."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is signed in; `token` is what the API is asked with."""

    caller: Caller
    token: str

    @property
    def name(self) -> str:
        """How the pages address them."""
        return self.caller.email or self.caller.sub or ""

    @property
    def is_admin(self) -> bool:
        return self.caller.has("admin")

    @property
    def mark(self) -> str:
        """What each form carries (a double submit without anything stored)."""
        return hmac.new(self.token.encode(), b"backroom form", sha256).hexdigest()

    def sent(self, mark: str) -> bool:
        """Whether a form with this mark is one that this person was shown."""
        return hmac.compare_digest(self.mark.encode(), mark.encode())


def admit(tokens: Tokens, token: str) -> Person:
    """The person of a token. Raises Unauthorized (also KeysNotYet, see Tokens) and NotForStaff."""
    if len(token.encode()) > LONGEST_TOKEN:
        raise Unauthorized("the token is too long for a cookie; ask Auth for one with fewer claims")
    caller = tokens.caller(f"Bearer {token}", None)
    if not caller.has("support"):
        raise NotForStaff
    return Person(caller, token)


def signed_in(tokens: Tokens, request: Request) -> Person | None:
    """The person of the request's cookie; None without one or when its time is over."""
    token = request.cookies.get(cookie_name(request), "")
    try:
        return admit(tokens, token) if token else None
    except (Unauthorized, NotForStaff):
        return None


def sign_in(response: Response, request: Request, token: str) -> None:
    """Lax, not strict: whoever follows a link out of a mail should be signed in."""
    response.set_cookie(
        cookie_name(request),
        token,
        httponly=True,
        secure=request.is_secure,
        samesite="Lax",
        # A cookie with this prefix must be for the whole host.
        path="/" if request.is_secure else PATH,
    )


def sign_out(response: Response, request: Request) -> None:
    response.delete_cookie(
        cookie_name(request),
        path="/" if request.is_secure else PATH,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def cookie_name(request: Request) -> str:
    """Over https with the prefix that keeps other hosts of the same domain from setting it."""
    return "__Host-backroom" if request.is_secure else "backroom"
