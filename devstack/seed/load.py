"""Brings a generated shop into the running stand-ins, one bulk request each; what is there already stays as it is."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from devstack.seed.shop import Shop

# Two thousand products load in well under a second; a minute also covers a machine that is busy starting up.
TIMEOUT_S = 60


@dataclass(frozen=True)
class Loaded:
    """How many were new to a stand-in, and how many it had from an earlier run."""

    new: int
    already_there: int


class LoadError(Exception):
    """A stand-in refused the shop; the text names the address and its answer."""


def load_shop(
    shop: Shop, *, products_url: str | None = None, auth_url: str | None = None, carts_url: str | None = None
) -> dict[str, Loaded]:
    """Load what has an address and is not there yet; raises LoadError or OSError.

    A stand-in that kept its state has sold and reserved since: neither its stock nor anything else is touched.
    """
    doors = {
        "products": (products_url, shop.products),
        "users": (auth_url, shop.users),
        "carts": (carts_url, shop.carts),
    }
    return {
        name: _put(f"{url.rstrip('/')}/{name}?only_missing=1", rows)
        for name, (url, rows) in doors.items()
        if url is not None
    }


def as_ndjson(rows: Iterable[dict[str, Any]]) -> str:
    """Return rows as NDJSON, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _put(url: str, rows: list[dict[str, Any]]) -> Loaded:
    headers = {"Content-Type": "application/x-ndjson"}
    request = Request(url, as_ndjson(rows).encode(), headers, method="PUT")  # noqa: S310 (an address of the local stack)
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            counts = json.load(answer)
            return Loaded(counts["loaded"], counts["already_there"])
    except HTTPError as refused:
        raise LoadError(f"{url} answered {refused.code}: {refused.read(500).decode()}") from refused
