"""One product as the catalogue takes it, and what is wrong with a row that is none."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

FIELDS = frozenset({
    "id", "name", "description", "category", "brand", "price", "currency", "stock", "attributes", "image_url",
    "rating", "rating_count", "active",
})  # fmt: skip

LONGEST = {"id": 128, "name": 2000, "description": 50_000, "category": 500, "brand": 200, "image_url": 2000}
"""Characters, as the table has them. A description beyond is cut; the others would mean something else."""

LARGEST_INTEGER = 2**31 - 1
LARGEST_PRICE = 10**15

CATEGORY_STEP = " > "
_CURRENCY = re.compile("[a-z]{3}")
_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


class BadRow(ValueError):
    """This row is no product; the text says why, without repeating what it contained."""


@dataclass(frozen=True, slots=True)
class Product:
    """`price` in whole minor units, None with `currency` None when not told; `stock` None: not counted."""

    id: str
    name: str
    description: str = ""
    category: str = ""
    brand: str = ""
    price: int | None = None
    currency: str | None = None
    stock: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    image_url: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    active: bool = True

    @property
    def leaf_category(self) -> str:
        """`Chairs` of `Home > Furniture > Chairs`."""
        return self.category.rsplit(CATEGORY_STEP, 1)[-1]


def read_product(row: Mapping[str, object], *, currency: str) -> Product:
    """The product of one row, numbers written as text included (CSV has no others).

    `currency` is the shop's, for rows with a price and without a currency. Raises BadRow.
    """
    unknown = sorted(set(row) - FIELDS)
    if unknown:
        raise BadRow(f"unknown field {unknown[0][:40]!r}")
    price = _whole(row, "price", LARGEST_PRICE)
    given = _text(row, "currency").lower()
    if given and not _CURRENCY.fullmatch(given):
        raise BadRow("currency must be three letters")
    return Product(
        id=_needed(row, "id"),
        name=_needed(row, "name"),
        description=_text(row, "description"),
        category=_category(row),
        brand=_text(row, "brand"),
        price=price,
        currency=None if price is None else given or currency,
        stock=_whole(row, "stock", LARGEST_INTEGER),
        attributes=_attributes(row),
        image_url=_text(row, "image_url") or None,
        rating=_rating(row),
        rating_count=_whole(row, "rating_count", LARGEST_INTEGER),
        active=_flag(row, "active", default=True),
    )


def _needed(row: Mapping[str, object], name: str) -> str:
    value = _text(row, name)
    if not value:
        raise BadRow(f"{name} is missing")
    return value


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and name == "id":
        value = str(value)
    if not isinstance(value, str):
        raise BadRow(f"{name} must be text")
    # PostgreSQL keeps no NUL in text, and half of a surrogate pair is no character.
    value = value.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
    if len(value) > LONGEST.get(name, 100):
        if name != "description":
            raise BadRow(f"{name} is longer than {LONGEST.get(name, 100)} characters")
        value = value[: LONGEST[name]]
    return value


def _category(row: Mapping[str, object]) -> str:
    steps = row.get("category")
    if isinstance(steps, list):
        return _text({"category": CATEGORY_STEP.join(str(step) for step in steps)}, "category")
    return _text(row, "category")


def _whole(row: Mapping[str, object], name: str, largest: int) -> int | None:
    number = _number(row, name)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise BadRow(f"{name} must be a whole number" + (" of minor units" if name == "price" else ""))
    if not 0 <= number <= largest:
        raise BadRow(f"{name} must be between 0 and {largest}")
    return int(number)


def _rating(row: Mapping[str, object]) -> float | None:
    number = _number(row, "rating")
    if number is not None and not 0 <= number <= 5:
        raise BadRow("rating must be between 0 and 5")
    return None if number is None else float(number)


def _number(row: Mapping[str, object], name: str) -> Decimal | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadRow(f"{name} must be a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadRow(f"{name} must be a number") from None
    if not math.isfinite(number):
        raise BadRow(f"{name} must be a number")
    return number


def _attributes(row: Mapping[str, object]) -> Mapping[str, Any]:
    value = row.get("attributes")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadRow("attributes must be an object")
    if _deep(value, levels=8):
        raise BadRow("attributes are nested deeper than eight levels")
    return {key: _clean(one) for key, one in value.items()}


def _deep(value: object, *, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_deep(one, levels=levels - 1) for one in inner)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRow("attributes must not hold NaN or Infinity")
    return value


def _flag(row: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = row.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return value
    written = str(value).strip().lower()
    if written in _YES | _NO:
        return written in _YES
    raise BadRow(f"{name} must be true or false")
