"""The tracker as pages load it: one small script, read from beside this file, without its comments."""

import gzip
from hashlib import sha256
from pathlib import Path

from flask import Response, request

from web.access import PUBLIC
from web.call import Call
from web.limiting import UNLIMITED
from web.routes import Group

GROUP = Group("Tracker", "The script that tells what a visitor does, for the pages of a shop.")

SCRIPT = "text/javascript; charset=utf-8"

HEADERS = {
    # An hour without asking; then one question with the ETag, while the old one still serves.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    # Pages of other sites may load it: that is what it is for. It holds nothing of anybody.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Vary": "Accept-Encoding",
}


def served(source: str) -> bytes:
    """The script as it goes out: lines that are comments, and what indents the others, stay here."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


PLAIN = served((Path(__file__).parent / "track.js").read_text())
PACKED = gzip.compress(PLAIN, mtime=0)
ETAG = sha256(PLAIN).hexdigest()[:16]


@GROUP.route("GET", "/track.js", who=PUBLIC, answers={200: "text/javascript"}, limit=UNLIMITED)
def track(_call: Call) -> Response:
    """The tracker.

    `<script src="…/track.js" data-consent="granted"></script>`; then `backroom.track(name, fields)`,
    `backroom.consent(…)`, `backroom.identify(token)` and `backroom.visitor()`.
    """
    packed = "gzip" in request.accept_encodings
    answer = Response(PACKED if packed else PLAIN, content_type=SCRIPT, headers=HEADERS)
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(ETAG, weak=True)  # the same script, packed or not
    answer.make_conditional(request)
    return answer
