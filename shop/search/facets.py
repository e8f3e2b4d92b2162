"""Counts beside a result list: taken from the very products that are in it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shop.search.queries.cards import Card

VALUES = 50
"""More values than a shopper reads; the rest is reached by searching on."""


@dataclass(frozen=True, slots=True)
class Value:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Prices:
    """Of the products with a price in `currency`, the one most of them have. Whole minor units."""

    currency: str
    min: int
    max: int
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    category: list[Value]
    brand: list[Value]
    price: Prices | None


def count(cards: Sequence[Card]) -> Facets:
    """Most frequent first. Spellings that differ by case alone are one value, as they are one filter."""
    return Facets(
        category=_values(card.category for card in cards),
        brand=_values(card.brand for card in cards),
        price=_prices(cards),
    )


def _values(found: Iterable[str]) -> list[Value]:
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for value, times in Counter(found).items():
        if value:
            spellings[value.lower()][value] += times
    values = [Value(same.most_common(1)[0][0], same.total()) for same in spellings.values()]
    return sorted(values, key=lambda one: (-one.count, one.value))[:VALUES]


def _prices(cards: Sequence[Card]) -> Prices | None:
    priced = [(card.currency, card.price) for card in cards if card.currency and card.price is not None]
    if not priced:
        return None
    currency = Counter(currency for currency, _ in priced).most_common(1)[0][0]
    prices = [price for its, price in priced if its == currency]
    return Prices(currency, min(prices), max(prices), len(prices))
