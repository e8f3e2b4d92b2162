"""Trying a search: what was understood, and of each result why it stands where it does."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from shop.charts import Bar, balance
from shop.search.understanding.understand import PARTS
from web.admin.section import Section, Visit

SECTION = Section("Try a search", "/search", "Search")

MODES = (("hybrid", "Words and meaning"), ("lexical", "Words only"), ("semantic", "Meaning only"))
SORTS = (
    ("relevance", "Relevance"),
    ("price_asc", "Cheapest"),
    ("price_desc", "Dearest"),
    ("rating", "Rating"),
    ("newest", "Newest"),
)

SHOWN = 20
"""Results; more than anybody scrolls to before they ask otherwise."""


@SECTION.page("/search")
def search(visit: Visit) -> Response:
    """The results of a query with their reasons, which only admins may see."""
    query = visit.asked("q")
    found = _found(visit, query) if query else None
    explained = [hit["explanation"] for hit in found["data"] if "explanation" in hit] if found else []
    counts = [part for one in explained for part in one["parts"].values()]
    ends = (min(counts, default=0.0), max(counts, default=1.0))
    return visit.show(
        "search/try.html",
        title="Try a search",
        query=query,
        found=found,
        chips=_chips(found["query"]["interpreted"]) if found else [],
        kept=_kept(visit),
        reasons=[_reasons(hit, ends) for hit in found["data"]] if found else [],
        modes=MODES,
        sorts=SORTS,
    )


def _found(visit: Visit, query: str) -> Any:
    return visit.api.get(
        "/v1/search",
        q=query,
        mode=visit.asked("mode"),
        sort=visit.asked("sort"),
        keep=_kept(visit),
        interpret="" if visit.asked("literally") != "1" else "false",
        correct="" if visit.asked("correct") != "no" else "false",
        personalize="" if visit.asked("personal") == "1" else "false",
        in_stock=visit.asked("in_stock") == "1",
        counted="false",
        explain=visit.person.is_admin,
        limit=SHOWN,
        cursor=visit.asked("cursor"),
    )


def _kept(visit: Visit) -> list[str]:
    """Parts of the query that are to stay words."""
    return [part for part in visit.asked("keep").split(",") if part]


def _chips(interpreted: Mapping[str, Any]) -> list[dict[str, str]]:
    """What was understood, a piece each: its part, what it is taken for, and the words it was."""
    pieces = [
        (part, piece)
        for part, told in interpreted.items()
        if part in PARTS
        for piece in ([told] if isinstance(told, Mapping) else told)
    ]
    return [{"part": part, "means": _means(part, piece), "words": piece.get("words", "")} for part, piece in pieces]


def _means(part: str, piece: Mapping[str, Any]) -> str:
    if part != "price":
        return f"{piece['value']}{'' if piece.get('hard') or part == 'without' else ', preferred'}"
    ends = [(words, piece.get(end)) for words, end in (("from", "min"), ("up to", "max"))]
    return " ".join(f"{words} {value / 100:,.2f}" for words, value in ends if value is not None)


def _reasons(hit: Mapping[str, Any], ends: tuple[float, float]) -> str:
    """The parts of a product's score as bars, the strongest first; "" where nobody says why."""
    if "explanation" not in hit:
        return ""
    parts: Sequence[tuple[str, float]] = sorted(
        hit["explanation"]["parts"].items(), key=lambda part: abs(part[1]), reverse=True
    )
    bars = [Bar(name.replace("_", " "), value, f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")) for name, value in parts]
    told = ", ".join(f"{bar.label} {bar.note}" for bar in bars)
    return balance(bars, title=f"Why {hit['name']} stands here: {told or 'no part counts'}", ends=ends)
