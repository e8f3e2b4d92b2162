"""Answers what to recommend: from what a person did, what goes with it, and what it is like; popular for strangers."""

from collections.abc import Mapping, Sequence

from db.database import Database, Tx
from shop.errors import NotFound
from shop.ports.encoder import Encoder
from shop.search.answering.gather import EF_SEARCH
from shop.search.queries import cards, find, interests, neighbours, rebuys
from shop.search.queries.interests import Interest
from shop.search.recommending.objections import persons_of
from shop.search.recommending.recommend_list import (
    A_KIND,
    Recommended,
    Scored,
    Tally,
    add,
    alike,
    best,
    diverse,
    for_sale,
    names,
    twins,
)

HISTORY = 50

FADING = 0.8
"""Weight of an interest against the next newer one. The order of interests says more than their dates."""

KIND_WEIGHT = (0.0, 1.0, 2.0, 4.0)

TRUSTED = 20.0
"""With so many people behind a product, what they did counts as much as what is written about it."""

DESCRIBED = 5
"""Of the newest interests, descriptions are compared where behaviour says too little; each takes 2 ms."""

AHEAD_MINUTES = 60

AGAIN = 5
"""A fifth of a list at most is what they had already."""

EARLY = 0.8
"""Of the usual time between two purchases: the parcel takes its days."""

DID = ("", "looked at", "put into your cart", "bought")


def bought_together(db: Database, product_id: str, *, limit: int) -> list[Recommended]:
    """What at least two orders had along with it, then what the same people looked at. Raises NotFound."""
    with db.transaction() as tx:
        if not cards.shown(tx, [product_id]):
            raise NotFound(f"there is no product {product_id}")
        found: dict[str, Scored] = {}
        for relation, reason in (("together", "Often bought together"), ("also", "Often looked at along with it")):
            known = neighbours.of(tx, relation, [product_id]).get(product_id)
            for other, score in zip(known.neighbour_ids, known.scores, strict=True) if known else ():
                found.setdefault(other, Scored(other, round(score, 4), reason))
        return for_sale(tx, list(found.values()))[:limit]


def also_viewed(db: Database, product_id: str, *, limit: int) -> list[Recommended]:
    """What the same people looked at, put into the cart or bought at most three steps apart. Raises NotFound."""
    with db.transaction() as tx:
        if not cards.shown(tx, [product_id]):
            raise NotFound(f"there is no product {product_id}")
        known = neighbours.of(tx, "also", [product_id]).get(product_id)
        pairs = zip(known.neighbour_ids, known.scores, strict=True) if known else ()
        found = [Scored(other, round(score, 4), "Often looked at along with it") for other, score in pairs]
        return for_sale(tx, found)[:limit]


def recommended(
    db: Database,
    encoder: Encoder,
    *,
    customer_id: str | None,
    visitor_id: str | None,
    limit: int,
    personal: bool = True,
) -> list[Recommended]:
    """For this person; what is missing to `limit` is filled with what is popular.

    Never what they bought, looked at or have in the cart already, except what people buy again once it is time; and
    never what is sold out. Who said no to personalisation is a stranger.
    """
    persons = persons_of(customer_id, visitor_id)
    with db.transaction() as tx:
        find.prepare(tx, ef_search=EF_SEARCH)
        known = interests.history(tx, persons, visitor_id=visitor_id, limit=HISTORY) if personal and persons else []
        mine = _ahead(tx, persons, known) if known else []
        if known and not mine:
            mine = score(tx, encoder, persons, visitor_id=visitor_id, limit=limit * A_KIND)
        again = _again(tx, persons, most=max(1, limit // AGAIN)) if personal and persons else []
        seen = {interest.product_id for interest in known} | (interests.bought(tx, persons) if known else set())
        rest = [
            Scored(product_id, 0.0, "Popular right now") for product_id in neighbours.popular(tx, limit=HISTORY * 2)
        ]
        fresh = {one.product_id: one for one in (*rest, *mine) if one.product_id not in seen}
        order = [one for one in (*mine, *rest) if fresh.get(one.product_id) == one]
        shown = for_sale(tx, [*again, *order])
        return diverse(shown, limit, twins(tx, encoder, [one.product.id for one in shown]))


def score(tx: Tx, encoder: Encoder, persons: Sequence[str], *, visitor_id: str | None, limit: int) -> list[Scored]:
    """The best products for a person by what went with their interests, newest counting most; none for strangers."""
    known = interests.history(tx, persons, visitor_id=visitor_id, limit=HISTORY)
    also = neighbours.of(tx, "also", [interest.product_id for interest in known])
    tallies: dict[str, Tally] = {}
    for place, interest in enumerate(known):
        weight = KIND_WEIGHT[interest.kind] * FADING**place
        near = also.get(interest.product_id)
        trust = near.support / (near.support + TRUSTED) if near else 0.0
        if near:
            add(tallies, interest.product_id, dict(zip(near.neighbour_ids, near.scores, strict=True)), weight * trust)
        if place < DESCRIBED:
            add(tallies, interest.product_id, alike(tx, encoder, interest.product_id), weight * (1 - trust))
    seen = {interest.product_id for interest in known} | interests.bought(tx, persons)
    found = best(tallies, without=seen, limit=limit)
    called = names(tx, [tally.because for _, tally in found])
    kinds = {interest.product_id: interest.kind for interest in known}
    return [
        Scored(product_id, round(tally.score / found[0][1].score, 4), _reason(tally.because, kinds, called))
        for product_id, tally in found
    ]


def _again(tx: Tx, persons: Sequence[str], *, most: int) -> list[Scored]:
    """What it is time to buy again, the most overdue first."""
    return [
        Scored(due.product_id, 1.0, f"You bought it {due.days} days ago; many buy it again after {round(due.gap_days)}")
        for due in rebuys.due(tx, persons, early=EARLY, limit=most)
    ]


def _reason(because: str, kinds: Mapping[str, int], called: Mapping[str, str]) -> str:
    if because not in called:
        return "Goes with what you were interested in"
    return f"Because you {DID[kinds[because]]} {called[because]}"


def _ahead(tx: Tx, persons: Sequence[str], known: Sequence[Interest]) -> list[Scored]:
    """What was worked out ahead, unless something happened since."""
    found = neighbours.ahead(tx, persons[0], minutes=AHEAD_MINUTES) if len(persons) == 1 else None
    if found is None or found.made_at < known[0].last_at:
        return []
    return [Scored(*one) for one in zip(found.product_ids, found.scores, found.reasons, strict=True)]
