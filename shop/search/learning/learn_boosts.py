"""Boosts of products for queries, from clicks without the merit of their places: bounded, and fading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from db.database import Database, Tx
from shop.search.language.text import normalise
from shop.search.learning import click_model
from shop.search.learning.learned import HALF_LIFE_DAYS
from shop.search.queries import boosts, outcomes, versions
from shop.search.queries.boosts import Boost, Teaching

DAYS = 90

LEAST_SEARCHES = 20
"""Of a query, each person once a day, before its clicks say anything."""

LEAST_PEOPLE = 3
"""Who asked, and for a product to rise who clicked. One person alone may move nothing, by taste or on purpose."""

MOST_SEARCHES = 200
"""Of one visitor or customer a day: more are made by a machine, whatever it calls itself."""

LEAST_SEEN = 20.0
"""Times a product must have been looked at, by the model, before being passed over counts against it."""

PLACES = 10

STEP, MOST, LEAST = 0.1, 0.15, -0.05
"""Of a score with .3 for words, .7 for meaning and .4 for every word: e times as attractive as the query's other
products is a tenth. It orders what is about equally relevant, and lifts nothing that is not."""

SMALLEST = 0.01

READ = 50_000


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the clicks say. Of each pair of query and product in `names`: how attractive it is, how often it was looked
    at; `seen`: how likely each place is to be looked at, the first 1. Empty where nobody clicked.
    """

    names: Mapping[tuple[str, str], int]
    attraction: click_model.Floats
    looked_at: click_model.Floats
    seen: click_model.Floats


def build_boosts(db: Database, *, built_at: datetime) -> int:
    """Made anew from the clicks of 90 days, in place of those before; answers how many."""
    with db.transaction() as tx:
        outcomes.lock(tx)  # two at once would each write what the other one writes
        found = boosts_of(tx, fitted(tx, until=built_at), until=built_at)
        boosts.replace_boosts(tx, found, built_at=built_at)
        versions.bump(tx, "merchandising")
    return len(found)


def fitted(tx: Tx, *, until: datetime) -> Fitted:
    names: dict[tuple[str, str], int] = {}
    rows = [
        (names.setdefault((normalise(query), product_id), len(names)), place, shown, min(clicked, shown))
        for query, product_id, place, shown, clicked in boosts.shown(
            tx, _teaching(until), half_life=HALF_LIFE_DAYS, places=PLACES, itersize=READ
        )
    ]
    if not rows:
        empty = np.empty(0)
        return Fitted({}, empty, empty, empty)
    pairs, places = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
    shown, clicked = (np.array([row[place] for row in rows], np.float64) for place in (2, 3))
    attraction, seen = click_model.fit(pairs, places, shown, clicked)
    looked_at = np.bincount(pairs, shown * seen[places]).astype(np.float64)
    return Fitted(names, attraction, looked_at, seen)


def boosts_of(tx: Tx, found: Fitted, *, until: datetime) -> list[Boost]:
    """A product against the others of its query, by how attractive they are."""
    queries: dict[str, int] = {}
    of = np.array([queries.setdefault(query, len(queries)) for query, _ in found.names], np.int64)
    usual = np.bincount(of, found.attraction * found.looked_at) / np.maximum(np.bincount(of, found.looked_at), 1e-9)
    height = np.clip(STEP * np.log(np.maximum(found.attraction, 1e-9) / np.maximum(usual[of], 1e-9)), LEAST, MOST)
    clickers = boosts.clickers(tx, _teaching(until)) if found.names else {}
    people = {(normalise(query), product_id): number for (query, product_id), number in clickers.items()}
    return [
        Boost(*name, round(float(height[pair]), 4), float(found.attraction[pair]), people.get(name, 0))
        for name, pair in found.names.items()
        if (height[pair] >= SMALLEST and name in people)
        or (height[pair] <= -SMALLEST and found.looked_at[pair] >= LEAST_SEEN)
    ]


def _teaching(until: datetime) -> Teaching:
    return Teaching(DAYS, until, LEAST_SEARCHES, LEAST_PEOPLE, MOST_SEARCHES)
