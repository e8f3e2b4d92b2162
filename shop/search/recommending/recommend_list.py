"""What every list of recommendations goes through: weighed by product, only what can be bought, not all of a kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.database import Tx
from shop.ports.encoder import Encoder
from shop.search.queries import cards, find
from shop.search.queries.cards import Shown
from shop.search.queries.filters import NO_FILTERS
from shop.search.vectors.models import answering

ALIKE = 20

A_KIND = 3
"""At most a third of a list is of one category or one brand, as long as there is anything else."""

TWIN = 0.85
"""A cosine from which two products are the same thing in another colour or size, to who looks at a list."""

SAME = 0.5
"""Of a score, taken off for a twin that is shown already: half of the best one's."""

COMPARED = 60
"""The first of a list, with each other: 1,770 cosines, made where the vectors are."""

Alike = Mapping[tuple[str, str], float]
"""Pairs of products in either order, with their cosine; those that are not alike are not in it."""


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
class Tally:
    """`because`: the product that speaks for it most; it is the reason."""

    score: float = 0.0
    strongest: float = 0.0
    because: str = ""


def add(tallies: dict[str, Tally], because: str, near: Mapping[str, float], weight: float) -> None:
    """Each product's best neighbour counts alike, whether it was found by behaviour or by description."""
    top = max(near.values(), default=0.0)
    if top <= 0 or weight <= 0:
        return
    for product_id, value in near.items():
        part = weight * max(value, 0.0) / top
        tally = tallies.setdefault(product_id, Tally())
        tally.score += part
        if part > tally.strongest:
            tally.strongest, tally.because = part, because


def best(tallies: Mapping[str, Tally], *, without: set[str], limit: int) -> list[tuple[str, Tally]]:
    kept = ((product_id, tally) for product_id, tally in tallies.items() if product_id not in without)
    return sorted(kept, key=lambda pair: (-pair[1].score, pair[0]))[:limit]


def alike(tx: Tx, encoder: Encoder, product_id: str) -> dict[str, float]:
    """What is described like it, with the cosines."""
    version = answering(tx, encoder)
    vector = cards.vector_of(tx, product_id, version=version)
    if vector is None:
        return {}
    ns = find.nearest(tx, version=version, vector=vector, filters=NO_FILTERS, limit=ALIKE)
    found = cards.cards(tx, ns, version=version, vector=vector)
    return {card.id: card.similarity or 0.0 for card in found if card.id != product_id}


def names(tx: Tx, product_ids: Sequence[str]) -> dict[str, str]:
    return {product.id: product.name for product in cards.shown(tx, sorted(set(product_ids)))}


def for_sale(tx: Tx, found: Sequence[Scored]) -> list[Recommended]:
    shown = {product.id: product for product in cards.shown(tx, [one.product_id for one in found])}
    return [
        Recommended(shown[one.product_id], one.score, one.reason)
        for one in found
        if one.product_id in shown and shown[one.product_id].available
    ]


def twins(tx: Tx, encoder: Encoder, product_ids: Sequence[str]) -> Alike:
    """The pairs among the first of these that are described nearly the same."""
    pairs = cards.alike_pairs(tx, product_ids[:COMPARED], version=answering(tx, encoder), least=TWIN)
    return {
        **{(one, other): value for one, other, value in pairs},
        **{(other, one): value for one, other, value in pairs},
    }


def diverse(found: Sequence[Recommended], limit: int, alike_: Alike) -> list[Recommended]:
    """The best in order, no more than a third of one category or brand, and of what is nearly the same the best; those
    beyond come after the others.

    Maximal marginal relevance (Carbonell, Goldstein, 1998): each place goes to what is best once what is like it and
    shown already is taken off.
    """
    most = max(1, -(-limit // A_KIND))
    taken: dict[tuple[str, str], int] = {}
    first: list[Recommended] = []
    rest = list(found)
    while len(first) < limit:
        allowed = [one for one in rest if not any(taken.get(mark, 0) >= most for mark in _marks(one))]
        if not allowed:
            break
        best_ = max(allowed, key=lambda one: one.score - _known(one, first, alike_))
        rest.remove(best_)
        first.append(best_)
        for mark in _marks(best_):
            taken[mark] = taken.get(mark, 0) + 1
    return [*first, *rest][:limit]


def _marks(one: Recommended) -> list[tuple[str, str]]:
    marks = [("category", one.product.category), ("brand", one.product.brand)]
    return [mark for mark in marks if mark[1]]


def _known(one: Recommended, shown: Sequence[Recommended], alike_: Alike) -> float:
    return SAME * max((alike_.get((one.product.id, other.product.id), 0.0) for other in shown), default=0.0)
