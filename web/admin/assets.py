"""The admin pages' own files, at addresses that name their content so that browsers keep them."""

from functools import cache
from hashlib import blake2b
from http import HTTPStatus
from pathlib import Path

from flask import Response

FOLDER = Path(__file__).parent / "static"

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def asset_path(name: str) -> str:
    """Where a file is; another address whenever its content is another. Raises KeyError for a name there is not."""
    return f"/admin/static/{_marks()[name]}/{name}"


def serve(mark: str, name: str) -> Response:
    """A file by its whole address. An address of an older version is not found: it would be kept for ever."""
    if _marks().get(name) != mark:
        return Response("there is no such file", HTTPStatus.NOT_FOUND, content_type="text/plain")
    file = FOLDER / name
    return Response(file.read_bytes(), content_type=KINDS[file.suffix], headers=FOREVER)


@cache
def _marks() -> dict[str, str]:
    return {file.name: blake2b(file.read_bytes(), digest_size=6).hexdigest() for file in FOLDER.iterdir()}
