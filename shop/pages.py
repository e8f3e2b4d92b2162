"""Fills templates: HTML escaped, money and days written as people read them, a forgotten value is an error."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shop.money import decimals

SHARED = Path(__file__).parent / "templates"
"""Frames that paper and mails of every area stand in."""


@cache
def pages(folder: Path) -> Environment:
    """The templates of one area (and the shared frames). `.html` is escaped, `.txt` is not: it is read as text."""
    environment = Environment(
        loader=FileSystemLoader((folder, SHARED)),
        autoescape=_is_markup,  # noqa: S701 - everything but plain text is escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., str]] = {"figure": figure, "price": price, "day": day, "oneline": oneline}
    environment.filters |= filters
    return environment


def fill(folder: Path, template: str, **values: Any) -> str:
    """The text of one template. Raises UndefinedError for a value that the template shows and nobody gave."""
    return pages(folder).get_template(template).render(values)


def figure(amount: int, currency: str) -> str:
    """`129900, "eur"` → `1,299.00`, for columns that name their currency in the head. Minus is a real minus sign."""
    places = decimals(currency)
    whole, rest = divmod(abs(amount), 10**places)
    digits = f"{whole:,}" + (f".{rest:0{places}d}" if places else "")
    return f"−{digits}" if amount < 0 else digits


def price(amount: int, currency: str) -> str:
    """`129900, "eur"` → `EUR 1,299.00`, with a space that does not break."""
    return f"{currency.upper()}\N{NO-BREAK SPACE}{figure(amount, currency)}"


def day(value: str | date) -> str:
    """`2026-11-23` (or a date, or a time of it) → `23 November 2026`."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{moment.day} {moment:%B %Y}"


def oneline(value: str) -> str:
    """Text from outside as one line, so that a product's name cannot forge lines of a plain-text mail."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())


def _is_markup(template: str | None) -> bool:
    # Everything that is not plainly text is escaped, macros in .html files included.
    return not (template or "").endswith(".txt")
