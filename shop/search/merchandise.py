"""Synonyms and pins: what people at the shop decide about searches. Each holds from the next search on."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Literal

from db.database import Database, Tx
from shop.errors import NotFound, Rejected
from shop.ids import new_id
from shop.search.language.text import normalise, terms
from shop.search.queries import index, versions
from shop.search.queries import merchandising as queries
from shop.search.queries.merchandising import Pins, Synonyms

Kind = Literal["equal", "one_way"]
State = Literal["suggested", "active", "dismissed"]


class SaysNothing(Rejected):
    """A term or query of which search would look up no word."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


class KeptAlready(Rejected):
    """The same synonyms have another id."""

    code: ClassVar[str] = "synonyms_exist"
    status: ClassVar[int] = 409


class NoSuchProduct(Rejected):
    """A product that the catalogue does not have cannot be pinned."""

    code: ClassVar[str] = "unknown_product"
    status: ClassVar[int] = 422


def save_synonyms(
    db: Database, *, synonyms_id: str | None, kind: Kind, terms_: Sequence[str], state: State = "active"
) -> Synonyms:
    """Without an id, those that are the same already are these. Raises SaysNothing, KeptAlready, NotFound."""
    with db.transaction() as tx:
        written = _terms(tx, terms_)
        # Of equal ones the order says nothing; the first of one_way is the one that is replaced.
        plain = [normalise(term) for term in written]
        folded = "\n".join(sorted(plain) if kind == "equal" else [plain[0], *sorted(plain[1:])])
        if synonyms_id is None:
            synonyms_id = queries.synonyms_like(tx, kind=kind, folded=folded) or new_id("syn")
        elif not queries.has_synonyms(tx, synonyms_id):
            raise NotFound(f"there are no synonyms {synonyms_id}")
        saved = queries.save_synonyms(tx, synonyms_id=synonyms_id, kind=kind, terms=written, folded=folded, state=state)
        if saved is None:
            raise KeptAlready("the same synonyms are kept under another id")
        versions.bump(tx, "merchandising")
        return saved


def synonyms(db: Database, *, state: State | None, before: str | None, limit: int) -> list[Synonyms]:
    """Newest first."""
    with db.transaction() as tx:
        return queries.list_synonyms(tx, state=state, before=before, limit=limit)


def forget_synonyms(db: Database, synonyms_id: str) -> None:
    """Raises NotFound."""
    with db.transaction() as tx:
        if not queries.delete_synonyms(tx, synonyms_id):
            raise NotFound(f"there are no synonyms {synonyms_id}")
        versions.bump(tx, "merchandising")


def save_pins(
    db: Database, *, query: str, product_ids: Sequence[str], starts_at: datetime | None, ends_at: datetime | None
) -> Pins:
    """In place of the pins this query had, in whatever writing. Raises SaysNothing, NoSuchProduct."""
    normalised = normalise(query)
    if not normalised:
        raise SaysNothing("the query has no word")
    with db.transaction() as tx:
        unknown = queries.unknown_products(tx, product_ids)
        if unknown:
            raise NoSuchProduct(f"there is no product {unknown[0]}")
        saved = queries.save_pins(
            tx,
            pins_id=new_id("pin"),
            query=query,
            normalised=normalised,
            product_ids=list(dict.fromkeys(product_ids)),
            starts_at=starts_at,
            ends_at=ends_at,
        )
        versions.bump(tx, "merchandising")
        return saved


def pins(db: Database, *, query: str | None, before: str | None, limit: int) -> list[Pins]:
    """Newest first; of one query, in whatever writing, when it is given."""
    with db.transaction() as tx:
        return queries.list_pins(tx, normalised=None if query is None else normalise(query), before=before, limit=limit)


def forget_pins(db: Database, *, pins_id: str | None, query: str | None) -> None:
    """By id or by query. Raises NotFound."""
    with db.transaction() as tx:
        normalised = None if query is None else normalise(query)
        if not queries.delete_pins(tx, pins_id=pins_id, normalised=normalised):
            raise NotFound("nothing is pinned there")
        versions.bump(tx, "merchandising")


def _terms(tx: Tx, given: Sequence[str]) -> list[str]:
    language = index.corpus(tx).language
    written: dict[tuple[str, ...], str] = {}
    for term in given:
        stems = tuple(terms(term, language))
        if not stems:
            raise SaysNothing(f"{term!r} has no word that search looks up")
        written.setdefault(stems, term.strip())
    if len(written) < 2:
        raise SaysNothing("these are one and the same term to search already")
    return list(written.values())
