"""Completes what a shopper is typing: past queries, categories, brands and products, forgiving one slip."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from db.database import Database, Tx
from shop.search.language.languages import ENGLISH
from shop.search.queries import tops
from shop.search.queries.tops import Completion
from shop.search.suggesting.manners import is_rude
from shop.search.suggesting.suggest import CROWDED
from shop.search.suggesting.typed import LONGEST_KEY, fold, meant, pieces_of

PRODUCTS = 2
"""Places that products have at the end of a list that others could fill."""

MENDED = 5
"""So many readings of a slip are followed; the sixth is a coincidence."""

READ = 40
"""Of each beginning: some have the same text, some are not for sale any more."""

Kind = Literal["query", "product", "category"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`product_id` with kind `product` only. A brand is a `query`: choosing it searches for it."""

    text: str
    kind: Kind
    product_id: str | None = None


def complete(
    db: Database, text: str, *, limit: int, language: str = ENGLISH, never: tuple[str, ...] = ()
) -> list[Suggestion]:
    """Best first; none for a text without letters or digits. `never`: words that are not suggested because others typed
    them; looked at here too, so that a new one holds at once.
    """
    typed = fold(text)[:LONGEST_KEY]
    if not typed:
        return []
    with db.transaction() as tx:
        found = tops.completions(tx, [typed], most=1, limit=READ, read=CROWDED) or _mended(tx, typed)
    return _mixed(_once(one for one in found if one.kind != "query" or not is_rude(one.text, language, never)), limit)


def _mended(tx: Tx, typed: str) -> Sequence[Completion]:
    near, neighbours = tops.near(tx, pieces_of(typed), typed)
    agreed = max((_agreed(typed, key) for key in neighbours), default=0)
    readings = meant(typed, agreed, near)
    return tops.completions(tx, readings, most=MENDED, limit=READ, read=CROWDED) if readings else []


def _agreed(typed: str, key: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(typed, key, strict=False)))


def _once(found: Iterable[Completion]) -> list[Completion]:
    seen: dict[str, Completion] = {}
    for one in found:
        seen.setdefault(one.text.casefold(), one)
    return list(seen.values())


def _mixed(found: Sequence[Completion], limit: int) -> list[Suggestion]:
    products = [one for one in found if one.kind == "product"]
    others = [one for one in found if one.kind != "product"]
    room = max(limit - len(others), min(PRODUCTS, limit // 2))
    shown = [*others[: limit - min(room, len(products))], *products[:room]]
    return [_suggestion(one) for one in shown[:limit]]


def _suggestion(one: Completion) -> Suggestion:
    if one.kind == "product":
        return Suggestion(one.text, "product", one.name)
    return Suggestion(one.text, "category" if one.kind == "category" else "query")
