"""Puts the admin pages into the application: each behind sign-in, with its headers and its errors as pages."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, g, request
from structlog import get_logger

from boot.settings import Settings
from web.access import Role
from web.admin import assets
from web.admin.drawing import draw
from web.admin.inside import Inside, Refused
from web.admin.section import Action, Done, Menu, Page, Section, Visit, away, done
from web.admin.session import signed_in
from web.admin.signing import Signing
from web.tokens import Tokens

View = Callable[..., Response]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
}
"""Everything from here, nothing inline."""

LONGEST_FORM = 256 * 1024
"""Bytes. The longest one is a list of synonyms."""

PUT_RIGHT_BY_THE_READER = frozenset({403, 404, 409, 422})
"""Refusals after which the page with the form is shown again, with what is wrong."""

BROKEN = "Something went wrong on our side. The request's number, below, helps to find it in the log."

EXPIRED = "This form was made before you signed in anew. Nothing was changed; please open the page again."


def install(app: Flask, tokens: Tokens, settings: Settings, sections: Sequence[Section]) -> None:
    """Register sign-in, files and every page and action of the sections, in the order of the navigation."""
    menu = Menu(sections, settings.shop_time_zone, settings.shop_currency, settings.shop_name)
    frame = _Frame(app, tokens, menu)
    signing = Signing(tokens, menu, str(settings.admin_sign_in_url or ""), str(settings.public_url))
    _add(app, "/admin/sign-in", "sign-in", _dressed(signing.page), "GET")
    _add(app, "/admin/sign-in", "entering", _dressed(signing.enter), "POST")
    _add(app, "/admin/sign-out", "leaving", frame.leaving(signing), "POST")
    app.add_url_rule("/admin/static/<mark>/<name>", "admin.static", assets.serve, methods=["GET"])
    for section in sections:
        for page in section.pages:
            _add(app, f"/admin{page.path}", f"{section.name}.{page.name}", frame.page(section, page), "GET")
        for action in section.actions:
            _add(app, f"/admin{action.path}", f"{section.name}.{action.name}", frame.action(section, action), "POST")
    _add(app, "/admin/<path:rest>", "missing", frame.missing(), "GET")


def _add(app: Flask, rule: str, name: str, view: View, method: str) -> None:
    def named(**path: str) -> Response:
        g.route = f"{method} {rule}"
        request.max_content_length = LONGEST_FORM
        return view(**path)

    app.add_url_rule(rule, f"admin.{name} {method}", named, methods=[method])


def _dressed(view: View) -> View:
    def dressed(**path: str) -> Response:
        response = view(**path)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return dressed


class _Frame:
    """What stands around each page: who reads it, whether they may, and what is shown when something fails."""

    def __init__(self, app: Flask, tokens: Tokens, menu: Menu) -> None:
        self._app = app
        self._tokens = tokens
        self._menu = menu

    def page(self, section: Section, page: Page) -> View:
        def view(**path: str) -> Response:
            return self._seen(section, page.role, lambda visit: page.handler(visit, **path))

        return _dressed(view)

    def action(self, section: Section, action: Action) -> View:
        def act(visit: Visit, path: dict[str, str]) -> Response:
            if not visit.person.sent(visit.typed("mark")):
                return self._problem(visit, HTTPStatus.BAD_REQUEST, EXPIRED)
            try:
                end = action.handler(visit, **path)
            except Refused as refusal:
                if refusal.status not in PUT_RIGHT_BY_THE_READER:
                    raise
                if action.again is not None:
                    return action.again(replace(visit, refused=refusal), **path)
                if not visit.typed("back"):
                    raise
                end = Done(visit.typed("back"), refusal.whole, "problem")
            return done(end) if isinstance(end, Done) else end

        def view(**path: str) -> Response:
            return self._seen(section, action.role, lambda visit: act(visit, path))

        return _dressed(view)

    def leaving(self, signing: Signing) -> View:
        def view() -> Response:
            person = signed_in(self._tokens, request)
            if person is None or not person.sent(request.form.get("mark", "")):
                return away("/admin")
            return signing.leave()

        return _dressed(view)

    def missing(self) -> View:
        def view(rest: str) -> Response:
            words = f"There is no page /admin/{rest}."
            return self._seen(
                self._menu.sections[0], "support", lambda visit: self._problem(visit, HTTPStatus.NOT_FOUND, words)
            )

        return _dressed(view)

    def _seen(self, section: Section, role: Role, show: Callable[[Visit], Response]) -> Response:
        person = signed_in(self._tokens, request)
        if person is None:
            onward = request.full_path.rstrip("?") if request.method == "GET" else request.path
            return away(f"/admin/sign-in?next={quote(onward)}")
        g.caller_sub = person.caller.sub
        visit = Visit(request, person, Inside(self._app, person.token, g.request_id), self._menu, section)
        if not person.caller.has(role):
            return self._problem(visit, HTTPStatus.FORBIDDEN, f"This page is for people with the role {role}.")
        try:
            return show(visit)
        except Refused as refusal:
            get_logger().info("admin_refused", code=refusal.code, status=refusal.status)
            return self._problem(visit, HTTPStatus(refusal.status), refusal.sentence)
        except Exception as error:  # noqa: BLE001 - who reads pages gets a page, and who reads the log the cause
            get_logger().error("internal_error", exc_info=error)
            return self._problem(visit, HTTPStatus.INTERNAL_SERVER_ERROR, BROKEN)

    def _problem(self, visit: Visit, status: HTTPStatus, words: str) -> Response:
        html = draw(
            "problem.html",
            zone=self._menu.zone,
            title=status.phrase,
            visit=visit,
            menu=self._menu,
            note="",
            tone="done",
            words=words,
            request_id=g.request_id,
        )
        return Response(html, status, content_type="text/html; charset=utf-8")
