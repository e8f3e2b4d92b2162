"""What callers send to Product, checked and turned into its own words."""

import base64
import binascii
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from devstack.stand_ins.problems import ProblemError
from devstack.stand_ins.products.catalogue import Product, stamp_of
from devstack.stand_ins.products.warehouse import Lines

USUAL_PAGE, LARGEST_PAGE = 100, 1000
CURRENCY = re.compile(r"[a-z]{3}")
TEXTS = ("name", "description", "category", "currency")
TEXTS_OR_NONE = ("brand", "image_url")
WHOLE_NUMBERS = ("price", "stock", "rating_count")
OTHERS = ("attributes", "rating", "active")
SHOWN_ONLY = frozenset({"id", "reserved", "updated_at"})  # so that what GET showed can be PUT again


def read_product(product_id: str, given: dict[str, Any], known: Product | None) -> Product:
    """Return the product a body describes; fields left out keep their value.

    Raises ProblemError 422 naming the field; a new product needs a name and a price.
    """
    changes = {field: value for field, value in given.items() if field not in SHOWN_ONLY}
    if unknown := sorted(changes.keys() - {*TEXTS, *TEXTS_OR_NONE, *WHOLE_NUMBERS, *OTHERS}):
        raise _wrong(unknown[0], "is unknown")
    if given.get("id", product_id) != product_id:
        raise _wrong("id", "is not the one in the path")
    for field, value in changes.items():
        _check(field, value)
    if known is None and not {"name", "price"} <= changes.keys():
        raise _wrong("name", "and price are needed for a new product")
    return replace(known or Product(product_id, "", 0), **changes)


def read_lines(given: Any) -> Lines:
    """Return quantities by product, in the order of their ids; the same product twice adds up."""
    if not isinstance(given, list) or not given:
        raise _wrong("lines", "must be a list with at least one line")
    lines: Lines = {}
    for line in given:
        product_id, quantity = _line(line)
        lines[product_id] = lines.get(product_id, 0) + quantity
    return dict(sorted(lines.items()))


def read_id(given: dict[str, Any]) -> str:
    """Return the id that the caller chose; raises ProblemError 422."""
    chosen = given.get("id")
    if not isinstance(chosen, str) or not chosen:
        raise _wrong("id", "must be text")
    return chosen


def read_moment(given: Any, field: str) -> datetime:
    """Return an RFC 3339 time; one without a zone is refused, for it could mean anything."""
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise _wrong(field, "must be an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise _wrong(field, "must name its time zone")
    return moment.astimezone(UTC)


def read_page(asked: dict[str, str]) -> dict[str, int]:
    """Return after, since (stamps) and limit of a page that was asked for."""
    since = asked.get("updated_since")
    return {
        "after": _stamp(asked["cursor"]) if asked.get("cursor") else -1,
        "since": stamp_of(read_moment(since.replace(" ", "+"), "updated_since")) if since else 0,
        "limit": _limit(asked.get("limit")),
    }


def cursor_at(stamp: int | None) -> str | None:
    """Return the opaque text of a place between pages."""
    return None if stamp is None else base64.urlsafe_b64encode(str(stamp).encode()).decode().rstrip("=")


def _check(field: str, value: Any) -> None:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    fits = {
        "attributes": value is None or isinstance(value, dict),
        "rating": value is None or 0 <= number <= 5,
        "active": isinstance(value, bool),
        "currency": isinstance(value, str) and CURRENCY.fullmatch(value) is not None,
        **dict.fromkeys(WHOLE_NUMBERS, isinstance(number, int) and number >= 0),
        **dict.fromkeys(TEXTS_OR_NONE, value is None or isinstance(value, str)),
    }
    if not fits.get(field, isinstance(value, str)):
        raise _wrong(field, "has a value that does not fit")


def _line(line: Any) -> tuple[str, int]:
    if not isinstance(line, dict) or not isinstance(line.get("product_id"), str):
        raise _wrong("lines", "need a product_id each")
    quantity = line.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
        raise _wrong("lines", "need a whole quantity from 1 each")
    return line["product_id"], quantity


def _limit(asked: str | None) -> int:
    if asked is None:
        return USUAL_PAGE
    if not asked.isdecimal() or not 1 <= int(asked) <= LARGEST_PAGE:
        raise _wrong("limit", f"must be 1 to {LARGEST_PAGE}")
    return int(asked)


def _stamp(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise _wrong("cursor", "is none that was given out") from None


def _wrong(field: str, what: str) -> ProblemError:
    return ProblemError(422, "invalid_request", f"{field} {what}", errors=[{"pointer": f"/{field}", "detail": what}])
