"""The bulk doors: one JSON object a line, so that a whole shop is loaded in one request."""

import json
from collections.abc import Iterator
from typing import Any

from flask import request

from devstack.stand_ins.problems import ProblemError


def ndjson_rows() -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and object of the request's NDJSON body; raises ProblemError 400 naming the bad line."""
    for number, line in enumerate(request.get_data().splitlines(), start=1):
        if line.strip():
            yield number, _row(number, line)


def _row(number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise ProblemError(400, "malformed_json", f"line {number} is no JSON object with an id")
    return row
