"""Auth's sign-in page for people: whoever clicks a name is that person, and comes back to the shop with a token."""

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, render_template, request

from devstack.stand_ins.auth.keys import Keyring
from devstack.stand_ins.problems import ProblemError

WORKING_DAY_S = 12 * 3600

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Tokens are handed to pages of this machine only; a real Auth service knows the addresses of its shops."""


@dataclass(frozen=True)
class Person:
    """`about` says what they may do at the shop's pages."""

    id: str
    name: str
    email: str
    role: str
    about: str


PEOPLE = (
    Person("usr_admin", "Alex Keeper", "admin@example.com", "admin", "may do everything"),
    Person("usr_support", "Sam Counter", "support@example.com", "support", "helps customers, refunds, looks at jobs"),
    Person("usr_0001", "A customer", "customer@example.com", "customer", "is not let in"),
)
"""The staff of the seeded shop, and somebody who is none of it."""


def add_sign_in(app: Flask, keys: Keyring, issued: dict[str, str]) -> None:
    """Add `GET /sign-in?return_to=&state=&next=`. The page posts `token`, `state` and `next` to `return_to`."""

    @app.get("/sign-in")
    def sign_in() -> str:
        return_to = request.args.get("return_to", "")
        if urlsplit(return_to).hostname not in LOOPBACK or not return_to.startswith(("http://", "https://")):
            raise ProblemError(400, "unknown_return_to", "return_to must be an address on this machine")
        return render_template(
            "sign_in.html",
            return_to=return_to,
            state=request.args.get("state", ""),
            onward=request.args.get("next", ""),
            people=[(person, keys.sign(_claims(person) | issued)) for person in PEOPLE],
        )


def _claims(person: Person) -> dict[str, object]:
    now = int(time.time())
    return {
        "sub": person.id,
        "email": person.email,
        "roles": [person.role],
        "iat": now,
        "exp": now + WORKING_DAY_S,
    }
