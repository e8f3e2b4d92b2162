"""Which variants a visitor gets, and the note of who was exposed to what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.database import Database
from shop.analytics.events import visitors
from shop.analytics.experiments.hashing import Namespace, variant_of
from shop.analytics.queries import experiments as queries
from shop.analytics.queries.experiments import ExperimentRow, Exposure


@dataclass(frozen=True, slots=True)
class Visitor:
    """What an audience may ask about: who, on what, signed in or not. Nothing of the agent is kept."""

    id: str
    user_agent: str
    signed_in: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """`variant` is the control's where `counted` is False: the page then shows what it always showed."""

    key: str
    variant: str
    place: int
    phase: int
    counted: bool


def assign(db: Database, visitor: Visitor, keys: Sequence[str] | None) -> list[Assignment]:
    """One for each running experiment (of `keys`); who takes part is noted, once per experiment and phase.

    Machines get the control and are not noted.
    """
    machine = visitors.bot_score(visitor.user_agent)[0] >= visitors.PEOPLE_BELOW
    with db.transaction() as tx:
        rows = queries.running(tx, keys)
        places = [(row, None if machine else _drawn(row, visitor)) for row in rows]
        noted = [Exposure(row.id, row.phase, place) for row, place in places if place is not None]
        if noted:
            queries.expose(tx, visitor.id, noted)
    return [Assignment(row.key, row.variants[at or 0], at or 0, row.phase, at is not None) for row, at in places]


def drawn(row: ExperimentRow, visitor_id: str, *, weights: Sequence[float], coverage: float) -> int | None:
    """The visitor's variant by its place under these weights, whoever the audience is; None: not in the experiment."""
    namespace = None
    if row.namespace is not None and row.namespace_start is not None and row.namespace_end is not None:
        namespace = Namespace(row.namespace, row.namespace_start, row.namespace_end)
    return variant_of(visitor_id, seed=row.seed, weights=weights, coverage=coverage, namespace=namespace)


def _drawn(row: ExperimentRow, visitor: Visitor) -> int | None:
    if not _addressed(row.audience, visitor):
        return None
    return drawn(row, visitor.id, weights=row.weights, coverage=row.coverage)


def _addressed(audience: dict[str, Any], visitor: Visitor) -> bool:
    devices, signed_in = audience.get("device"), audience.get("signed_in")
    if devices is not None and visitors.device(visitor.user_agent) not in devices:
        return False
    return signed_in is None or signed_in == visitor.signed_in
