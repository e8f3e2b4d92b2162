"""What judged queries are worth: NDCG@10, recall@100, MRR, with intervals; and queries with a slip of the finger."""

import json
import math
import random
import statistics
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RELEVANT = 0.5
"""A gain from which a product is what was asked for; a query whose best is below is left out."""

RECALLED = 0.6
"""A gain from which a product must be among the first hundred."""

RESAMPLES = 1000

LEAST_LETTERS = 5
"""Of a word that a slip is made in: in shorter ones it makes another word."""


@dataclass(frozen=True, slots=True)
class Judged:
    query: str
    gains: Mapping[str, float]


def read_judgments(path: Path) -> list[Judged]:
    """One object a line: {"query": …, "gains": {product id: gain}}. Without those that nothing is right for."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Judged(row["query"], row["gains"]) for row in rows if max(row["gains"].values(), default=0) >= RELEVANT]


def ndcg(ids: Sequence[str], gains: Mapping[str, float]) -> float:
    """At 10; a product without a judgment is worth nothing."""

    def worth(values: Sequence[float]) -> float:
        return sum(value / math.log2(place + 2) for place, value in enumerate(values[:10]))

    return worth([gains.get(one, 0.0) for one in ids]) / worth(sorted(gains.values(), reverse=True))


def recall(ids: Sequence[str], gains: Mapping[str, float]) -> float | None:
    """Of the relevant products, how many are among the first hundred; None where there is none."""
    relevant = {one for one, gain in gains.items() if gain >= RECALLED}
    return len(relevant.intersection(ids[:100])) / len(relevant) if relevant else None


def reciprocal_rank(ids: Sequence[str], gains: Mapping[str, float]) -> float:
    return next((1 / place for place, one in enumerate(ids, start=1) if gains.get(one, 0.0) >= RELEVANT), 0.0)


def interval(values: Sequence[float]) -> list[float]:
    """Of the mean, 95 %, by drawing the queries again; the same every time."""
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return [round(means[int(RESAMPLES * 0.025)], 4), round(means[int(RESAMPLES * 0.975)], 4)]


def classes_of(query: str, *, brand: bool) -> list[str]:
    """How many words it has, and what else it is: a negation, with a number, with a brand (which search knows)."""
    words = query.lower().split()
    length = f"{len(words)} word{'s' if len(words) > 1 else ''}" if len(words) < 4 else "4 words and more"
    found = [length]
    if {"without", "no", "not", "w/o"} & set(words):
        found.append("negation")
    if any(letter.isdigit() for letter in query):
        found.append("number")
    if brand:
        found.append("brand")
    return found


def with_slip(query: str, number: int) -> str:
    """One letter too few, too many, another, or two swapped, in one of its longer words, never the first letter. The
    same for the same number; the query itself when all its words are short.
    """
    words = query.split()
    places = [place for place, word in enumerate(words) if len(word) >= LEAST_LETTERS and word.isalpha()]
    if not places:
        return query
    draw = random.Random(f"{query}/{number}")
    place = draw.choice(places)
    word = words[place]
    for _ in range(20):
        slipped = _slip(word, draw)
        if slipped != word:
            return " ".join([*words[:place], slipped, *words[place + 1 :]])
    return query


def _slip(word: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    letter = draw.choice(string.ascii_lowercase)
    return draw.choice((
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ))  # fmt: skip
