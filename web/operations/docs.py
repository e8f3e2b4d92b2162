"""The contract as served: the OpenAPI 3.1 document and a page that people read."""

from pathlib import Path

from flask import Response, current_app, json

from shop.pages import fill
from web.access import PUBLIC
from web.call import Call
from web.limiting import UNLIMITED
from web.operations.docs_page import page
from web.operations.openapi import document
from web.routes import JSON, Group

GROUP = Group("Documentation", "This contract, for programs and for people.")

PAGE_CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The page needs one style sheet of ours and nothing else: no script, no font, no picture from anywhere."""

BRIEFLY = {"Cache-Control": "public, max-age=300"}

TEMPLATES = Path(__file__).parent / "templates"


@GROUP.route("GET", "/openapi.json", who=PUBLIC, answers={200: JSON}, limit=UNLIMITED)
def openapi(call: Call) -> Response:
    """The OpenAPI 3.1 document."""
    return Response(_made(call)["/openapi.json"], content_type=JSON, headers=BRIEFLY)


@GROUP.route("GET", "/docs", who=PUBLIC, answers={200: "text/html"}, limit=UNLIMITED)
def docs(call: Call) -> Response:
    """This contract as a page."""
    headers = {**BRIEFLY, "Content-Security-Policy": PAGE_CSP}
    return Response(_made(call)["/docs"], content_type="text/html; charset=utf-8", headers=headers)


@GROUP.route("GET", "/docs/style.css", who=PUBLIC, answers={200: "text/css"}, limit=UNLIMITED)
def style(_call: Call) -> Response:
    """The page's style sheet."""
    return Response((TEMPLATES / "docs.css").read_bytes(), content_type="text/css; charset=utf-8", headers=BRIEFLY)


def _made(call: Call) -> dict[str, str]:
    # Made once per process: it takes a tenth of a second, and strangers may ask for it as often as they like.
    made: dict[str, str] | None = current_app.extensions.get("contract")
    if made is None:
        contract = document(current_app.extensions["groups"], call.services.settings.public_url)
        made = {"/openapi.json": json.dumps(contract), "/docs": fill(TEMPLATES, "docs.html", page=page(contract))}
        current_app.extensions["contract"] = made
    return made
