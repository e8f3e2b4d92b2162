"""The OpenAPI 3.1 document, made of the same declarations that route, guard and check the requests."""

from collections.abc import Iterable
from typing import Any

from web.routes import Group


def document(groups: Iterable[Group], public_url: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Backroom", "version": "1"},
        "servers": [{"url": public_url}],
        "paths": {},
    }
