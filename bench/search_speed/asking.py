"""What is asked: the queries of the judgments, and as many more as wanted made of the words of real names."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from random import Random

from bench.search_speed.catalogue import SEED
from shop.search.catalogue.product import Product

WORDS = (1, 2, 2, 3, 3, 4)
"""Words of a made query, drawn: the judged ones have three in the middle."""

ADDED = ("", "", "", "", "", "", "", " under 50", " without cable", " black")


def judged(data: Path | None) -> list[str]:
    """The queries of all *-judgments*.ndjson in the folder, shuffled."""
    found: list[str] = []
    for path in sorted(data.glob("*-judgments*.ndjson")) if data else ():
        found += [json.loads(line)["query"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = list(dict.fromkeys(found))
    Random(SEED).shuffle(found)
    return found


def made(products: Sequence[Product], seed: int) -> Generator[str]:
    """Queries without end, no two alike, some with a price, a refusal or a colour."""
    dice = Random(seed)
    known: set[str] = set()
    while True:
        words = dice.choice(products).name.lower().split()
        count = dice.choice(WORDS)
        start = dice.randrange(max(1, len(words) - count + 1))
        query = (" ".join(words[start : start + count]) + dice.choice(ADDED)).strip()[:80]
        if query in known:
            query = f"{query} {len(known)}"  # a small catalogue has few names
        known.add(query)
        yield query
