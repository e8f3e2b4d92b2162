"""The rows of a product's page and of the cart: what goes with these products, whoever looks at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from db.database import Database, Tx
from shop.errors import NotFound, Rejected
from shop.ports.encoder import Encoder
from shop.search.answering.gather import EF_SEARCH
from shop.search.queries import cards, find, interests, neighbours, rebuys
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
from shop.search.recommending.recommended import EARLY, HISTORY, TRUSTED

TOGETHER, ALSO, DESCRIBED = 1.0, 0.5, 0.25
"""Orders say what goes with a thing, looks what is an alternative to it; a description is for what nobody had yet."""

IN_CART = 2

MOST = 20
"""Products of a cart that are asked about, the newest; each takes up to 2 ms."""


class NoProducts(Rejected):
    """This row is about products, and none was named."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Asker:
    """`personal` False: what they did is not looked at."""

    customer_id: str | None = None
    visitor_id: str | None = None
    personal: bool = True


def beside_product(db: Database, encoder: Encoder, product_id: str, asker: Asker, *, limit: int) -> list[Recommended]:
    """What goes with it, never what the asker bought, unless it is time to buy it again. Raises NotFound."""
    with db.transaction() as tx:
        if not cards.shown(tx, [product_id]):
            raise NotFound(f"there is no product {product_id}")
        find.prepare(tx, ef_search=EF_SEARCH)
        return _row(tx, encoder, [product_id], asker, limit=limit)


def beside_cart(
    db: Database, encoder: Encoder, product_ids: Sequence[str], asker: Asker, *, limit: int
) -> list[Recommended]:
    """What goes with the products of a cart. Without any, those the asker put into theirs lately. Raises NoProducts."""
    with db.transaction() as tx:
        find.prepare(tx, ef_search=EF_SEARCH)
        cart = list(dict.fromkeys(product_ids)) or _in_cart(tx, asker)
        if not cart:
            raise NoProducts("name the products of the cart: product_id=…, several times")
        return _row(tx, encoder, cart[-MOST:], asker, limit=limit)


def _in_cart(tx: Tx, asker: Asker) -> list[str]:
    persons = persons_of(asker.customer_id, asker.visitor_id)
    if not persons or not asker.personal:
        return []
    known = interests.history(tx, persons, visitor_id=asker.visitor_id, limit=HISTORY)
    return [one.product_id for one in reversed(known) if one.kind == IN_CART]


def _row(tx: Tx, encoder: Encoder, product_ids: Sequence[str], asker: Asker, *, limit: int) -> list[Recommended]:
    tallies, behind = _tallied(tx, encoder, product_ids)
    without = set(product_ids) | _bought(tx, asker)
    found = best(tallies, without=without, limit=limit * A_KIND)
    called = names(tx, product_ids)
    mine = [
        Scored(other, round(tally.score / found[0][1].score, 4), _reason(tally, other, behind, called))
        for other, tally in found
    ]
    shown = for_sale(tx, mine)
    row = diverse(shown, limit, twins(tx, encoder, [one.product.id for one in shown]))
    # What is popular goes with nothing in particular: it fills a row, and takes no place in it.
    return [*row, *_popular(tx, without | {one.product_id for one in mine})][:limit] if len(row) < limit else row


def _popular(tx: Tx, without: set[str]) -> list[Recommended]:
    popular = (one for one in neighbours.popular(tx, limit=HISTORY * 2) if one not in without)
    return for_sale(tx, [Scored(product_id, 0.0, "Popular right now") for product_id in popular])


def _tallied(tx: Tx, encoder: Encoder, product_ids: Sequence[str]) -> tuple[dict[str, Tally], dict[str, set[str]]]:
    """And by relation, what is in it for any of the products."""
    tallies: dict[str, Tally] = {}
    behind: dict[str, set[str]] = {"together": set(), "also": set()}
    support: dict[str, int] = {}
    for relation, weight in (("together", TOGETHER), ("also", ALSO)):
        for product_id, near in neighbours.of(tx, relation, product_ids).items():
            trust = near.support / (near.support + TRUSTED)
            add(tallies, product_id, dict(zip(near.neighbour_ids, near.scores, strict=True)), weight * (0.5 + trust))
            behind[relation].update(near.neighbour_ids)
            support[product_id] = max(support.get(product_id, 0), near.support)
    for product_id in product_ids:
        known = support.get(product_id, 0)
        add(tallies, product_id, alike(tx, encoder, product_id), DESCRIBED * TRUSTED / (known + TRUSTED))
    return tallies, behind


def _bought(tx: Tx, asker: Asker) -> set[str]:
    persons = persons_of(asker.customer_id, asker.visitor_id)
    if not persons or not asker.personal:
        return set()
    again = {due.product_id for due in rebuys.due(tx, persons, early=EARLY, limit=HISTORY)}
    return interests.bought(tx, persons) - again


def _reason(tally: Tally, other: str, behind: Mapping[str, set[str]], called: Mapping[str, str]) -> str:
    name = called.get(tally.because, "this")
    if other in behind["together"]:
        return f"Often bought together with {name}"
    return f"Often looked at along with {name}" if other in behind["also"] else f"Described like {name}"
