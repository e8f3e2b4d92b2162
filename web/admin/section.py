"""A part of the admin pages: its pages, its actions, who may see them, and its place in the navigation."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import groupby
from typing import Any, Literal
from urllib.parse import urlencode

from flask import Request, Response, request

from web.access import Role
from web.admin.drawing import draw
from web.admin.inside import Inside, Refused
from web.admin.session import PATH, Person

LOOK = "backroom-look"
LOOK_S = 365 * 24 * 3600

NOTE = "backroom-note"
NOTE_S = 60
"""Seconds a note waits for the page that shows it."""

Tone = Literal["done", "problem"]


@dataclass(frozen=True, slots=True)
class Done:
    """An action's end: where its reader goes next, and the sentence that stands there. `look` is light, dark or ""."""

    to: str
    note: str = ""
    tone: Tone = "done"
    look: str | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """What the frame of every page needs: the navigation and the shop's ways of writing."""

    sections: Sequence["Section"]
    zone: str
    currency: str
    shop: str

    def headings(self) -> list[tuple[str, list["Section"]]]:
        """The sections below their headings, in their order."""
        return [(heading, list(group)) for heading, group in groupby(self.sections, key=lambda one: one.under)]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a page: who reads it, the API as they may use it, and what a refused form held."""

    request: Request
    person: Person
    api: Inside
    menu: Menu
    section: "Section"
    refused: Refused | None = None

    def asked(self, name: str, default: str = "") -> str:
        """A value of the address."""
        return self.request.args.get(name, default).strip()

    def typed(self, name: str, default: object = "") -> str:
        """A value of the form that was sent, else `default`."""
        return self.request.form.get(name, str(default)).strip()

    @property
    def here(self) -> str:
        """This page's address, to come back to."""
        return self.request.full_path.rstrip("?") if self.request.method == "GET" else self.request.path

    @property
    def part(self) -> str:
        """The live part that a script asks anew; "" where the whole page is wanted, which is always a good answer."""
        return self.request.headers.get("X-Part", "")

    @property
    def look(self) -> str:
        """Light or dark where the reader chose one."""
        chosen = self.request.cookies.get(LOOK, "")
        return chosen if chosen in {"light", "dark"} else ""

    def address(self, **changed: str) -> str:
        """The query of this page with some of its values changed; "" takes one out."""
        return urlencode({name: value for name, value in {**self.request.args, **changed}.items() if value})

    def fault(self, pointer: str) -> str:
        """What the API has against the field at this JSON pointer."""
        return self.refused.faults.get(pointer, "") if self.refused else ""

    def ticked(self, name: str) -> list[str]:
        """The values of all check boxes of this name that were ticked."""
        return self.request.form.getlist(name)

    def paper(self, path: str) -> Response:
        """A PDF of the API, to be read in the browser."""
        reply = self.api.fetch(path)
        return Response(reply.content, content_type="application/pdf", headers={"Content-Disposition": "inline"})

    def show(self, template: str, *, title: str, **values: Any) -> Response:
        """The page of a template in the frame."""
        kind, note = read_note(self.request.cookies.get(NOTE, ""))
        html = draw(
            template,
            zone=self.menu.zone,
            title=title,
            visit=self,
            menu=self.menu,
            note=note,
            tone=kind,
            key=secrets.token_urlsafe(12),
            **values,
        )
        response = Response(html, 422 if self.refused else 200, content_type="text/html; charset=utf-8")
        if note:
            response.delete_cookie(NOTE, path=PATH)
        return response


Handler = Callable[..., Response]
Actor = Callable[..., Done | Response]
"""What a form does; a Response where it asks once more before it does it."""


@dataclass(frozen=True, slots=True)
class Page:
    """`path` as Flask writes it, below /admin."""

    path: str
    name: str
    handler: Handler
    role: Role


@dataclass(frozen=True, slots=True)
class Action:
    """`again` shows the page with the form once more when the API refuses what was typed."""

    path: str
    name: str
    handler: Actor
    again: Handler | None
    role: Role


@dataclass(slots=True)
class Section:
    """One line of the navigation; `path` is where it leads, `under` the heading it stands below."""

    name: str
    path: str
    under: str
    role: Role = "support"
    pages: list[Page] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    def page(self, path: str, *, role: Role | None = None) -> Callable[[Handler], Handler]:
        """Declare a page: a function of the visit and of what the path names."""

        def declare(handler: Handler) -> Handler:
            self.pages.append(Page(path, handler.__name__, handler, role or self.role))
            return handler

        return declare

    def action(self, path: str, *, role: Role | None = None, again: Handler | None = None) -> Callable[[Actor], Actor]:
        """Declare what a form does: it says where to go next. Only POST, only with the form's mark.

        What the API refuses is shown by `again`, the page with the form; without it, as a note on the page that the
        form's field `back` names.
        """

        def declare(handler: Actor) -> Actor:
            self.actions.append(Action(path, handler.__name__, handler, again, role or self.role))
            return handler

        return declare

    @property
    def home(self) -> str:
        """Where the navigation leads."""
        return f"{PATH}{self.path}"

    def seen_by(self, person: Person) -> bool:
        return person.caller.has(self.role)


def away(path: str) -> Response:
    """A redirect that is followed with GET."""
    response = Response("", HTTPStatus.SEE_OTHER)
    response.headers["Location"] = path
    return response


def done(end: Done) -> Response:
    """The redirect after an action, with its sentence for the next page."""
    response = away(inside_only(end.to))
    if end.note:
        response.set_cookie(
            NOTE, _written(end), max_age=NOTE_S, httponly=True, secure=request.is_secure, samesite="Strict", path=PATH
        )
    if end.look is not None:
        response.set_cookie(
            LOOK, end.look, max_age=LOOK_S, httponly=True, secure=request.is_secure, samesite="Lax", path=PATH
        )
    return response


def inside_only(path: str) -> str:
    """A place to go that comes from a form or an address: one of our pages, never another site."""
    ours = path == PATH or path.startswith((f"{PATH}/", f"{PATH}?"))
    return path if ours and not {"\\", "\r", "\n"} & set(path) else PATH


def read_note(cookie: str) -> tuple[Tone, str]:
    """The sentence of a note. Anybody may send any cookie: it is only ever shown to them, escaped."""
    try:
        said: Mapping[str, Any] = json.loads(urlsafe_b64decode(cookie.encode()))
        return ("problem" if said["tone"] == "problem" else "done"), str(said["note"])[:500]
    except (ValueError, KeyError, TypeError):
        return "done", ""


def _written(end: Done) -> str:
    return urlsafe_b64encode(json.dumps({"tone": end.tone, "note": end.note[:500]}).encode()).decode()
