"""Products like this one, by what is written about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.database import Database
from shop.errors import NotFound
from shop.ports.encoder import Encoder
from shop.search.answering.gather import EF_SEARCH
from shop.search.queries import cards as products
from shop.search.queries import find as queries
from shop.search.queries.cards import Shown
from shop.search.queries.filters import NO_FILTERS
from shop.search.vectors.models import answering


@dataclass(frozen=True, slots=True)
class Similar:
    """`score` is the cosine of the two descriptions; `reason` a sentence for the shopper."""

    product: Shown
    score: float
    reason: str


def similar(db: Database, encoder: Encoder, product_id: str, *, limit: int) -> Sequence[Similar]:
    """The nearest first, never the product itself; none as long as it has no vector. Raises NotFound."""
    with db.transaction() as tx:
        version = answering(tx, encoder)
        found = products.shown(tx, [product_id])
        if not found:
            raise NotFound(f"there is no product {product_id}")
        vector = products.vector_of(tx, product_id, version=version)
        if vector is None:
            return []
        queries.prepare(tx, ef_search=max(EF_SEARCH, limit + 1))
        ns = queries.nearest(tx, version=version, vector=vector, filters=NO_FILTERS, limit=limit + 1)
        cards = [card for card in products.cards(tx, ns, version=version, vector=vector) if card.id != product_id]
        shown = {product.id: product for product in products.shown(tx, [card.id for card in cards])}
    cards.sort(key=lambda card: (-(card.similarity or 0.0), card.id))
    return [
        Similar(shown[card.id], round(card.similarity or 0.0, 4), _reason(found[0], shown[card.id]))
        for card in cards[:limit]
        if card.id in shown
    ]


def _reason(this: Shown, other: Shown) -> str:
    if this.category and this.category == other.category:
        also = f" and also by {other.brand}" if other.brand and other.brand == this.brand else ""
        return f"Also in {other.category.rsplit(' > ', 1)[-1]}{also}"
    if this.brand and this.brand == other.brand:
        return f"Also by {other.brand}"
    return "Described alike"
