"""What is right for a query: as people of the shop say, or as clicks say without the merit of their places."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from db.database import Database
from shop.errors import Rejected
from shop.search.language.text import normalise
from shop.search.learning.click_model import Floats
from shop.search.queries import replays

FIRST = 10

MOST_WEIGHT = 5.0
"""Of a click at a place that nearly nobody looks at: more would let a single one decide."""

LEAST_PEOPLE = 3
"""Who clicked for a query, before their clicks judge it."""

LONGEST_QUERY, LONGEST_ID = 500, 128


class BrokenJudgment(Rejected):
    """A line of a file of judgments cannot be read."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


def take_judgments(db: Database, lines: Iterable[str]) -> int:
    """One object a line: {"query": "red sofa", "gains": {"product id": 0 to 1}}. What a query had before is replaced;
    an empty object forgets it. All lines or none. Answers how many queries; raises BrokenJudgment.
    """
    found = [_judgment(line, number) for number, line in enumerate(lines, start=1) if line.strip()]
    with db.transaction() as tx:
        for query, gains in found:
            replays.replace_judgments(tx, query, gains)
    return len(found)


def by_clicks(clicks: Iterable[tuple[str, str, int, int]], seen: Floats) -> dict[str, dict[str, float]]:
    """Gains of products by query, 1 for the best of each. `clicks`: query, product, place from 1, people. A click
    counts the more, the less people look at its place.
    """
    gains: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    people: defaultdict[str, int] = defaultdict(int)
    for query, product_id, place, number in clicks:
        gains[normalise(query)][product_id] += number * _weight(place, seen)
        people[normalise(query)] += number
    return {
        query: {product_id: gain / max(of.values()) for product_id, gain in of.items()}
        for query, of in gains.items()
        if people[query] >= LEAST_PEOPLE
    }


def ndcg(ids: Sequence[str], gains: Mapping[str, float]) -> float:
    """At 10; a product without a gain is worth nothing."""
    ideal = _worth(sorted(gains.values(), reverse=True))
    return _worth([gains.get(one, 0.0) for one in ids]) / ideal if ideal else 0.0


def _worth(values: Sequence[float]) -> float:
    return sum(value / math.log2(place + 2) for place, value in enumerate(values[:FIRST]))


def _weight(place: int, seen: Floats) -> float:
    look = float(seen[place - 1]) if place <= len(seen) else 1.0 / place
    return min(1.0 / max(look, 1e-9), MOST_WEIGHT)


def _judgment(line: str, number: int) -> tuple[str, dict[str, float]]:
    try:
        row = json.loads(line)
        query, gains = normalise(row["query"]), {str(one): float(gain) for one, gain in row["gains"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenJudgment(f'line {number} is not {{"query": …, "gains": {{product id: 0 to 1}}}}') from error
    if not query or len(query) > LONGEST_QUERY:
        raise BrokenJudgment(f"line {number}: the query has no words, or more than {LONGEST_QUERY} letters")
    if any(not (0 <= gain <= 1) or not 1 <= len(one) <= LONGEST_ID or "\0" in one for one, gain in gains.items()):
        raise BrokenJudgment(f"line {number}: gains are from 0 to 1, of product ids")
    return query, gains
