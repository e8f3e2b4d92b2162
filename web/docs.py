"""The contract as served: the OpenAPI 3.1 document and a page that people read."""

from flask import Response, current_app, json

from web.access import PUBLIC
from web.call import Call
from web.limiting import UNLIMITED
from web.openapi import document
from web.routes import JSON, Group

GROUP = Group("Documentation", "This contract, for programs and for people.")


@GROUP.route("GET", "/openapi.json", who=PUBLIC, answers={200: JSON}, limit=UNLIMITED)
def openapi(call: Call) -> Response:
    """The OpenAPI 3.1 document."""
    body = json.dumps(document(current_app.extensions["groups"], call.services.settings.public_url))
    return Response(body, content_type=JSON, headers={"Cache-Control": "public, max-age=300"})
