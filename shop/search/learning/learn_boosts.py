"""Boosts of products for queries, from clicks without the merit of their places: bounded, and fading."""

from datetime import datetime

import numpy as np

from db.database import Database, Tx
from shop.search.language.text import normalise
from shop.search.learning import click_model
from shop.search.queries import boosts, versions
from shop.search.queries.boosts import Boost

DAYS = 90

HALF_LIFE_DAYS = 30
"""What was clicked in spring says little in autumn. What is not clicked any more comes back to nothing by itself."""

LEAST_SEARCHES = 20
"""Of a query, before its clicks say anything."""

LEAST_PEOPLE = 3
"""Who clicked. One person alone may move nothing, neither by taste nor on purpose."""

LEAST_SEEN = 20.0
"""Times a product must have been looked at, by the model, before being passed over counts against it."""

PLACES = 10

STEP, MOST, LEAST = 0.1, 0.15, -0.05
"""Of a score with .3 for words, .7 for meaning and .4 for every word: e times as attractive as the query's other
products is a tenth. It orders what is about equally relevant, and lifts nothing that is not."""

SMALLEST = 0.01

READ = 50_000


def build_boosts(db: Database, *, built_at: datetime) -> int:
    """Made anew from the clicks of 90 days, in place of those before; answers how many."""
    with db.transaction() as tx:
        found = _boosts(tx)
        boosts.replace_boosts(tx, found, built_at=built_at)
        versions.bump(tx, "merchandising")
    return len(found)


def _boosts(tx: Tx) -> list[Boost]:
    names: dict[tuple[str, str], int] = {}
    rows = [
        (names.setdefault((normalise(query), product_id), len(names)), place, shown, min(clicked, shown))
        for query, product_id, place, shown, clicked in boosts.shown(
            tx, days=DAYS, half_life=HALF_LIFE_DAYS, least=LEAST_SEARCHES, places=PLACES, itersize=READ
        )
    ]
    if not rows:
        return []
    pairs, places = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
    shown, clicked = (np.array([row[place] for row in rows], np.float64) for place in (2, 3))
    attraction, seen = click_model.fit(pairs, places, shown, clicked)
    looked_at = np.bincount(pairs, shown * seen[places])
    queries: dict[str, int] = {}
    of = np.array([queries.setdefault(query, len(queries)) for query, _ in names], np.int64)
    usual = np.bincount(of, attraction * looked_at) / np.maximum(np.bincount(of, looked_at), 1e-9)
    height = np.clip(STEP * np.log(attraction / np.maximum(usual[of], 1e-9)), LEAST, MOST)
    clickers = boosts.clickers(tx, days=DAYS, least=LEAST_PEOPLE)
    people = {(normalise(query), product_id): number for (query, product_id), number in clickers.items()}
    return [
        Boost(query, product_id, round(float(height[pair]), 4), float(attraction[pair]), people.get(name, 0))
        for name, pair in names.items()
        for query, product_id in (name,)
        if (height[pair] >= SMALLEST and name in people)
        or (height[pair] <= -SMALLEST and looked_at[pair] >= LEAST_SEEN)
    ]
