"""What a person had before, as a direction: products that lie there come a little earlier."""

from collections.abc import Sequence

import numpy as np

from db.database import Tx
from shop.search.queries import cards, interests
from shop.search.queries.vectors import Vector, halves
from shop.search.understanding.understand import Query

NEWEST = 10
"""Interests that count. At .8 from one to the next the eleventh would have a tenth of the first one's weight."""

LEAST = 3
"""Of one or two things looked at, nothing follows."""

FADING = 0.8

KIND_WEIGHT = (0.0, 1.0, 2.0, 4.0)


def taste(tx: Tx, query: Query, persons: Sequence[str], *, visitor_id: str | None, version: str) -> Vector | None:
    """A vector. None for strangers, and where the query says by itself what is meant: a brand, or
    anything with a digit.
    """
    if not persons or query.of("brand") or any(letter.isdigit() for letter in query.normalised):
        return None
    known = interests.history(tx, persons, visitor_id=visitor_id, limit=NEWEST)
    if len(known) < LEAST:
        return None
    vectors = cards.vectors_of(tx, [interest.product_id for interest in known], version=version)
    if len(vectors) < LEAST:
        return None
    total = np.zeros(len(next(iter(vectors.values()))))
    for place, interest in enumerate(known):
        if interest.product_id in vectors:
            total += KIND_WEIGHT[interest.kind] * FADING**place * np.asarray(vectors[interest.product_id])
    length = float(np.linalg.norm(total))
    return halves(total / length) if length else None
