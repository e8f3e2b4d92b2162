"""Funnels that people keep under a name, to ask them again."""

from collections.abc import Mapping
from typing import Any

from db.database import Database
from shop.analytics.queries import funnels as queries
from shop.analytics.queries.funnels import Saved
from shop.errors import NotFound, Rejected
from shop.ids import new_id


class NameTaken(Rejected):
    """Another funnel has this name."""

    code = "name_taken"
    status = 409


def keep(db: Database, *, name: str, definition: Mapping[str, Any], by: str) -> Saved:
    """Raises NameTaken."""
    with db.transaction() as tx:
        saved = queries.insert(tx, new_id("fun"), name=name, definition=definition, by=by)
    if saved is None:
        raise NameTaken(f"there is a funnel named {name!r}; choose another name, or change that one")
    return saved


def change(db: Database, funnel_id: str, *, name: str, definition: Mapping[str, Any]) -> Saved:
    """Raises NotFound, NameTaken."""
    with db.transaction() as tx:
        if queries.name_is_taken(tx, name, by_other_than=funnel_id):
            raise NameTaken(f"there is another funnel named {name!r}")
        saved = queries.update(tx, funnel_id, name=name, definition=definition)
    if saved is None:
        raise NotFound(f"there is no funnel {funnel_id}")
    return saved


def forget(db: Database, funnel_id: str) -> None:
    """Raises NotFound."""
    with db.transaction() as tx:
        gone = queries.delete(tx, funnel_id)
    if not gone:
        raise NotFound(f"there is no funnel {funnel_id}")


def kept(db: Database, funnel_id: str) -> Saved:
    """Raises NotFound."""
    with db.transaction() as tx:
        saved = queries.one(tx, funnel_id)
    if saved is None:
        raise NotFound(f"there is no funnel {funnel_id}")
    return saved


def listed(db: Database, *, before: str | None, limit: int) -> list[Saved]:
    """The newest first."""
    with db.transaction() as tx:
        return queries.some(tx, before=before, limit=limit)
