"""Counts beside a result list: taken from the very products that are in it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from shop.search.queries.cards import Card

VALUES = 50
"""More values than a shopper reads; the rest is reached by searching on."""


RANGES = 5
"""Of prices: as many as are taken in at a glance."""


@dataclass(frozen=True, slots=True)
class Value:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends included, in whole minor units: as `price_min` and `price_max` they give these products."""

    min: int
    max: int
    count: int


@dataclass(frozen=True, slots=True)
class Prices:
    """Of the products with a price in `currency`, the one most of them have. Whole minor units."""

    currency: str
    min: int
    max: int
    count: int
    ranges: tuple[Range, ...] = ()


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


def at_least(counted: Facets, seen: Facets) -> Facets:
    """Counts that are no lower than what is seen in the list under the filters: a leg that was full without them has
    not brought all of it.
    """
    return Facets(
        category=_raised(counted.category, seen.category),
        brand=_raised(counted.brand, seen.brand),
        price=counted.price and _priced(counted.price, seen.price),
    )


def told(found: Facets) -> dict[str, Any]:
    """As JSON can keep it."""
    return {
        "category": [{"value": one.value, "count": one.count} for one in found.category],
        "brand": [{"value": one.value, "count": one.count} for one in found.brand],
        "price": None if found.price is None else asdict(found.price),
    }


def read(kept: Mapping[str, Any]) -> Facets:
    price: dict[str, Any] | None = kept["price"]
    if price is not None:
        price = {**price, "ranges": tuple(Range(**one) for one in price["ranges"])}
    return Facets(
        category=[Value(**value) for value in kept["category"]],
        brand=[Value(**value) for value in kept["brand"]],
        price=None if price is None else Prices(**price),
    )


def _values(found: Iterable[str]) -> list[Value]:
    spellings: dict[str, tuple[str, int, int]] = {}  # the most frequent one, how often it is, all of them
    for value, times in Counter(found).items():
        if value:
            most, of_it, total = spellings.get(value.lower(), (value, times, 0))
            spellings[value.lower()] = (value, times, total + times) if times > of_it else (most, of_it, total + times)
    values = [Value(most, total) for most, _, total in spellings.values()]
    return sorted(values, key=lambda one: (-one.count, one.value))[:VALUES]


def _raised(values: Sequence[Value], seen: Sequence[Value]) -> list[Value]:
    known = {one.value.lower(): one.count for one in seen}
    raised = [Value(one.value, max(one.count, known.pop(one.value.lower(), 0))) for one in values]
    raised += [one for one in seen if one.value.lower() in known]
    return sorted(raised, key=lambda one: (-one.count, one.value))[:VALUES]


def _priced(price: Prices, seen: Prices | None) -> Prices:
    """A range that holds all that is seen has at least so many."""
    if seen is None or seen.currency != price.currency:
        return price
    ranges = tuple(
        replace(one, count=max(one.count, seen.count)) if one.min <= seen.min and seen.max <= one.max else one
        for one in price.ranges
    )
    return replace(price, min=min(price.min, seen.min), max=max(price.max, seen.max), ranges=ranges)


def _prices(cards: Sequence[Card]) -> Prices | None:
    priced = [(card.currency, card.price) for card in cards if card.currency and card.price is not None]
    if not priced:
        return None
    currency = Counter(currency for currency, _ in priced).most_common(1)[0][0]
    prices = sorted(price for its, price in priced if its == currency)
    return Prices(currency, prices[0], prices[-1], len(prices), _ranges(prices))


def _ranges(prices: Sequence[int]) -> tuple[Range, ...]:
    """About equally many products in each, with ends that can be read: 20.00, not 19.87."""
    ends = sorted({_round(prices[len(prices) * part // RANGES]) for part in range(1, RANGES)})
    edges = [0, *(end for end in ends if prices[0] < end <= prices[-1]), prices[-1] + 1]
    ranges = [
        Range(low, high - 1, bisect_left(prices, high) - bisect_left(prices, low)) for low, high in pairwise(edges)
    ]
    return tuple(one for one in ranges if one.count)


def _round(price: int) -> int:
    """To the nearest of 1, 1.5, 2, 3, 5, 7.5 times a power of ten."""
    power = 10 ** max(len(str(price)) - 1, 0)
    return min((int(step * power) for step in (1, 1.5, 2, 3, 5, 7.5, 10)), key=lambda one: abs(one - price))
