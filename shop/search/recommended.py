"""Answers what to recommend: from what a person did, what goes with it, and what it is like; popular for strangers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from db.database import Database, Tx
from shop.errors import NotFound
from shop.ports.encoder import Encoder
from shop.search.gather import EF_SEARCH
from shop.search.models import answering
from shop.search.queries import cards, find, interests, neighbours
from shop.search.queries.cards import Shown
from shop.search.queries.filters import NO_FILTERS
from shop.search.queries.interests import Interest

HISTORY = 50

FADING = 0.8
"""Weight of an interest against the next newer one. The order of interests says more than their dates."""

KIND_WEIGHT = (0.0, 1.0, 2.0, 4.0)

TRUSTED = 20.0
"""With so many people behind a product, what they did counts as much as what is written about it."""

DESCRIBED = 5
"""Of the newest interests, descriptions are compared where behaviour says too little; each takes 2 ms."""

ALIKE = 20

A_KIND = 3
"""At most a third of a list is of one category or one brand, as long as there is anything else."""

AHEAD_MINUTES = 60

DID = ("", "looked at", "put into your cart", "bought")


@dataclass(frozen=True, slots=True)
class Scored:
    """`score` is 1 for the best of a list; `reason` a sentence for the shopper."""

    product_id: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Recommended:
    product: Shown
    score: float
    reason: str


@dataclass(slots=True)
class _Tally:
    score: float = 0.0
    # The interest that speaks for it most: it is the reason.
    strongest: float = 0.0
    because: Interest | None = field(default=None)


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
        return _for_sale(tx, list(found.values()))[:limit]


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

    Never what they bought, looked at or have in the cart already, and never what is sold out.
    """
    persons = [f"c:{customer_id}"] if customer_id else []
    persons += [f"v:{visitor_id}"] if visitor_id else []
    with db.transaction() as tx:
        find.prepare(tx, ef_search=EF_SEARCH)
        known = interests.history(tx, persons, visitor_id=visitor_id, limit=HISTORY) if personal and persons else []
        mine = _ahead(tx, persons, known) if known else []
        if known and not mine:
            mine = score(tx, encoder, persons, visitor_id=visitor_id, limit=limit * A_KIND)
        seen = {interest.product_id for interest in known} | (interests.bought(tx, persons) if personal else set())
        rest = [
            Scored(product_id, 0.0, "Popular right now") for product_id in neighbours.popular(tx, limit=HISTORY * 2)
        ]
        fresh = {one.product_id: one for one in (*rest, *mine) if one.product_id not in seen}
        order = [one for one in (*mine, *rest) if fresh.get(one.product_id) == one]
        return _diverse(_for_sale(tx, order), limit)


def score(tx: Tx, encoder: Encoder, persons: Sequence[str], *, visitor_id: str | None, limit: int) -> list[Scored]:
    """The best products for a person by what went with their interests, newest counting most; none for strangers."""
    known = interests.history(tx, persons, visitor_id=visitor_id, limit=HISTORY)
    also = neighbours.of(tx, "also", [interest.product_id for interest in known])
    tallies: dict[str, _Tally] = {}
    for place, interest in enumerate(known):
        weight = KIND_WEIGHT[interest.kind] * FADING**place
        near = also.get(interest.product_id)
        trust = near.support / (near.support + TRUSTED) if near else 0.0
        if near:
            _add(tallies, interest, dict(zip(near.neighbour_ids, near.scores, strict=True)), weight * trust)
        if place < DESCRIBED:
            _add(tallies, interest, _alike(tx, encoder, interest.product_id), weight * (1 - trust))
    seen = {interest.product_id for interest in known} | interests.bought(tx, persons)
    best = sorted(
        ((tally, product_id) for product_id, tally in tallies.items() if product_id not in seen),
        key=lambda pair: (-pair[0].score, pair[1]),
    )[:limit]
    names = _names(tx, [tally.because.product_id for tally, _ in best if tally.because])
    return [Scored(one, round(tally.score / best[0][0].score, 4), _reason(tally, names)) for tally, one in best]


def _add(tallies: dict[str, _Tally], interest: Interest, near: Mapping[str, float], weight: float) -> None:
    # Each interest's best neighbour counts alike, whether it was found by behaviour or by description.
    top = max(near.values(), default=0.0)
    if top <= 0 or weight <= 0:
        return
    for product_id, value in near.items():
        part = weight * max(value, 0.0) / top
        tally = tallies.setdefault(product_id, _Tally())
        tally.score += part
        if part > tally.strongest:
            tally.strongest, tally.because = part, interest


def _alike(tx: Tx, encoder: Encoder, product_id: str) -> dict[str, float]:
    version = answering(tx, encoder)
    vector = cards.vector_of(tx, product_id, version=version)
    if vector is None:
        return {}
    ns = find.nearest(tx, version=version, vector=vector, filters=NO_FILTERS, limit=ALIKE)
    found = cards.cards(tx, ns, version=version, vector=vector)
    return {card.id: card.similarity or 0.0 for card in found if card.id != product_id}


def _names(tx: Tx, product_ids: Sequence[str]) -> dict[str, str]:
    return {product.id: product.name for product in cards.shown(tx, sorted(set(product_ids)))}


def _reason(tally: _Tally, names: Mapping[str, str]) -> str:
    because = tally.because
    if because is None or because.product_id not in names:
        return "Goes with what you were interested in"
    return f"Because you {DID[because.kind]} {names[because.product_id]}"


def _ahead(tx: Tx, persons: Sequence[str], known: Sequence[Interest]) -> list[Scored]:
    """What was worked out ahead, unless something happened since."""
    found = neighbours.ahead(tx, persons[0], minutes=AHEAD_MINUTES) if len(persons) == 1 else None
    if found is None or found.made_at < known[0].last_at:
        return []
    return [Scored(*one) for one in zip(found.product_ids, found.scores, found.reasons, strict=True)]


def _for_sale(tx: Tx, found: Sequence[Scored]) -> list[Recommended]:
    shown = {product.id: product for product in cards.shown(tx, [one.product_id for one in found])}
    return [
        Recommended(shown[one.product_id], one.score, one.reason)
        for one in found
        if one.product_id in shown and shown[one.product_id].available
    ]


def _diverse(found: Sequence[Recommended], limit: int) -> list[Recommended]:
    """The best in order, no more than a third of one category or brand; those beyond come after the others."""
    most = max(1, -(-limit // A_KIND))
    taken: dict[tuple[str, str], int] = {}
    first: list[Recommended] = []
    later: list[Recommended] = []
    for one in found:
        marks = [("category", one.product.category), ("brand", one.product.brand)]
        if any(value and taken.get((kind, value), 0) >= most for kind, value in marks):
            later.append(one)
            continue
        for mark in marks:
            taken[mark] = taken.get(mark, 0) + 1
        first.append(one)
    return [*first, *later][:limit]
