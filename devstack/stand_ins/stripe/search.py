"""Search in Stripe's query language, the part that clients use: clauses joined by AND or by OR."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devstack.stand_ins.stripe.errors import ParameterError
from devstack.stand_ins.stripe.lists import LIMIT, LIMIT_MAX
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.wire import Json

CLAUSE = re.compile(
    r"""^(?P<not>-)?(?P<field>\w+)(?:\[(?P<q>["'])(?P<key>(?:\\.|(?!(?P=q)).)*)(?P=q)\])?"""
    r"""(?P<sign>:|~|>=|<=|>|<)(?:(?P<v>["'])(?P<text>(?:\\.|(?!(?P=v)).)*)(?P=v)|(?P<bare>null|-?\d+))$"""
)
JOINT = re.compile(r"""\s+(AND|OR)\s+(?=(?:[^"']*["'][^"']*["'])*[^"']*$)""")
TEXT_FIELDS, NUMBER_FIELDS = frozenset({"status", "customer", "currency"}), frozenset({"amount", "created"})
Test = Callable[[Json], bool]


@dataclass(frozen=True)
class Query:
    """A parsed query and the part of its result that is asked for."""

    matches: Test
    limit: int
    start: int


def read_query(params: Params) -> Query:
    """Read `query`, `limit` and `page`; refuse a query that Stripe would not understand."""
    text, limit, token = params.required("query"), params.whole("limit", least=1, most=LIMIT_MAX), params.text("page")
    if token is not None and not token.isdigit():
        raise ParameterError("Invalid page.", param="page")
    parts = JOINT.split(text.strip())
    joints = set(parts[1::2])
    if len(joints) > 1:
        raise ParameterError("You cannot combine AND and OR in the same search query.", param="query")
    tests = [_clause(part.strip()) for part in parts[::2]]
    join = any if joints == {"OR"} else all
    return Query(lambda found: join(test(found) for test in tests), limit or LIMIT, int(token or 0))


def page(objects: list[Json], query: Query, url: str) -> Json:
    """Return the asked page of what matches, newest first."""
    found = [candidate for candidate in reversed(objects) if query.matches(candidate)]
    end = query.start + query.limit
    more = len(found) > end
    return {
        "object": "search_result",
        "data": found[query.start : end],
        "has_more": more,
        "next_page": str(end) if more else None,
        "url": url,
    }


def _clause(text: str) -> Test:
    found = CLAUSE.match(text)
    if found is None:
        raise ParameterError(f"We were unable to parse your search query near '{text}'.", param="query")
    value_of = _field(found["field"], found["key"])
    wanted = found["bare"] if found["text"] is None else re.sub(r"\\(.)", r"\1", found["text"])
    test = _comparison(found["sign"], wanted, is_null=found["bare"] == "null")
    negated = bool(found["not"])
    return lambda candidate: test(value_of(candidate)) != negated


def _field(name: str, key: str | None) -> Callable[[Json], Any]:
    if name == "metadata" and key is not None:
        return lambda candidate: candidate["metadata"].get(key)
    if name in TEXT_FIELDS | NUMBER_FIELDS and key is None:
        return lambda candidate: candidate[name]
    raise ParameterError(f"Field `{name}` is an unsupported search field for resource.", param="query")


def _comparison(sign: str, wanted: str, *, is_null: bool) -> Callable[[Any], bool]:
    if is_null:
        return lambda value: value is None
    if sign == ":":
        return lambda value: value is not None and str(value) == wanted
    if sign == "~":
        return lambda value: value is not None and wanted.lower() in str(value).lower()
    if not wanted.removeprefix("-").isdigit():
        raise ParameterError(f"`{sign}` needs a number.", param="query")
    number = int(wanted)
    comparisons: dict[str, Callable[[int], bool]] = {
        ">": lambda value: value > number,
        ">=": lambda value: value >= number,
        "<": lambda value: value < number,
        "<=": lambda value: value <= number,
    }
    return comparisons[sign]
