"""Lists: newest first, a limit, and a cursor that is only the place where the last page ended."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import Field

from web.models import In, Out
from web.problems import Fault, Invalid

Row = TypeVar("Row")
Body = TypeVar("Body")

CursorValue = str | int | float | datetime


class Paged(In):
    """The query of every list; a route with filters inherits from it."""

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=500)

    def after_id(self) -> str | None:
        """The id the last page ended with, None on the first page."""
        place = read_cursor(self.cursor, str)
        return None if place is None else str(place[0])


class Page(Out, Generic[Body]):
    """A page; `next_cursor` is null on the last one."""

    data: list[Body]
    next_cursor: str | None


def page_of(
    rows: Sequence[Row], limit: int, *, body: Callable[[Row], Body], place: Callable[[Row], tuple[CursorValue, ...]]
) -> Page[Body]:
    """A page from `limit + 1` rows: the one too many says that there is another page.

    `place` gives the values of the row by which the query continues, in the order of its ORDER BY.
    """
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(data=[body(row) for row in shown], next_cursor=write_cursor(*place(shown[-1])) if more else None)


def part_of(rows: Sequence[Row], query: Paged, *, body: Callable[[Row], Body], key: Callable[[Row], str]) -> Page[Body]:
    """A page of a list that is at hand as a whole because it is always short, as the refunds of one order are.

    Raises Invalid for a cursor that names none of its rows.
    """
    after = query.after_id()
    keys = [key(row) for row in rows]
    if after is not None and after not in keys:
        raise Invalid([Fault("/cursor", "is not a cursor of this list")])
    rest = rows if after is None else rows[keys.index(after) + 1 :]
    return page_of(rest, query.limit, body=body, place=lambda row: (key(row),))


def write_cursor(*values: CursorValue) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *types: type[CursorValue]) -> tuple[CursorValue, ...] | None:
    """The values of the cursor, each checked to be of its type. Raises Invalid for what we never wrote.

    A cursor is not signed: its values only say where in the caller's own list to go on, and go into the query as
    parameters.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(types):
            raise ValueError("wrong number of values")
        return tuple(_typed(value, wanted) for value, wanted in zip(values, types, strict=True))
    except ValueError as error:
        raise Invalid([Fault("/cursor", "is not a cursor of this list")]) from error


def _typed(value: object, wanted: type[CursorValue]) -> CursorValue:
    if wanted is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without zone")
        return moment
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise ValueError("not of the type")  # noqa: TRY004 - one kind of error for all a stranger can send
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("no text")
    return value
