"""The way in and out of the admin pages: by the Auth service's own page, or with a token that is pasted."""

import hmac
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Response, request

from shop.errors import NotYet
from web.access import Unauthorized
from web.admin import session
from web.admin.drawing import draw
from web.admin.section import Menu, away, inside_only
from web.admin.session import PATH, NotForStaff
from web.tokens import Tokens

ASKED = "backroom-sign-in"
"""The cookie that ties the answer of the Auth service to the browser that asked for it."""

ASKED_S = 600
"""Seconds somebody may take over there."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Sign-in and sign-out. `sign_in_url` is the Auth service's page for people, "" where it has none."""

    tokens: Tokens
    menu: Menu
    sign_in_url: str
    public_url: str

    def page(self) -> Response:
        """GET /admin/sign-in: what is possible here."""
        return self._show("", HTTPStatus.OK)

    def enter(self) -> Response:
        """POST /admin/sign-in with `token`; with `state` if it comes from the Auth service's page."""
        if not self._asked_for():
            return self._show("This sign-in was not begun here. Please begin again.", HTTPStatus.BAD_REQUEST)
        try:
            person = session.admit(self.tokens, request.form.get("token", "").strip())
        except Unauthorized as refusal:
            return self._show(f"Signing in did not work: {refusal}.", HTTPStatus.UNAUTHORIZED)
        except NotForStaff:
            return self._show(
                "You are signed in, but these pages are for people with the role support or admin.",
                HTTPStatus.FORBIDDEN,
            )
        except NotYet as later:
            return self._show(f"Signing in is not possible yet: {later}.", HTTPStatus.SERVICE_UNAVAILABLE)
        response = away(inside_only(request.form.get("next", "")))
        session.sign_in(response, request, person.token)
        response.delete_cookie(ASKED, path=PATH, secure=request.is_secure, httponly=True)
        return response

    def leave(self) -> Response:
        """POST /admin/sign-out."""
        response = away("/admin/sign-in")
        session.sign_out(response, request)
        return response

    def _asked_for(self) -> bool:
        # Else another site could sign somebody in as somebody else, and read what they then type.
        asked = request.cookies.get(ASKED, "")
        state = request.form.get("state", "")
        return bool(asked) and hmac.compare_digest(asked.encode(), state.encode())

    def _show(self, fault: str, status: HTTPStatus) -> Response:
        state = secrets.token_urlsafe(18)
        onward = inside_only(request.values.get("next", ""))
        back = urlencode({"return_to": f"{self.public_url.rstrip('/')}/admin/sign-in", "state": state, "next": onward})
        elsewhere = f"{self.sign_in_url}{'&' if '?' in self.sign_in_url else '?'}{back}" if self.sign_in_url else ""
        html = draw(
            "sign_in.html",
            zone=self.menu.zone,
            shop=self.menu.shop,
            fault=fault,
            state=state,
            onward=onward,
            elsewhere=elsewhere,
        )
        response = Response(html, status, content_type="text/html; charset=utf-8")
        # Another site's page posts the answer, and Lax cookies do not travel with that. None must be secure.
        same_site = "None" if request.is_secure else "Lax"
        response.set_cookie(
            ASKED, state, max_age=ASKED_S, httponly=True, secure=request.is_secure, samesite=same_site, path=PATH
        )
        return response
