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


def only_missing() -> bool:
    """Say whether the request wants only what is not there yet (`?only_missing=1`), the rest left as it is."""
    return request.args.get("only_missing") == "1"


def load_counts(put: int, given: int) -> dict[str, int]:
    """Return the answer to a load: how many were put, and how many were there before where that was asked."""
    return {"loaded": put, "already_there": given - put} if only_missing() else {"loaded": put}


def _row(number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise ProblemError(400, "malformed_json", f"line {number} is no JSON object with an id")
    return row
