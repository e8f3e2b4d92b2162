"""Experiments as people set them up: drafted, started, changed in phases, stopped."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import isclose
from typing import Any

from db.database import Database, Tx
from shop.analytics.queries import experiments as queries
from shop.analytics.queries.experiments import ExperimentRow, PhaseRow
from shop.errors import NotFound, Rejected
from shop.ids import new_id

METRICS = ("conversion", "net_revenue", "orders", "units", "refunds")
"""Each per visitor: bought anything (0 or 1); money net of tax and refunds; orders; pieces; money given back."""

GUARDRAILS = (*METRICS, "search_ms", "payment_failures", "refund_share")
"""What must not get worse: any metric, and shares that nobody wants to win: milliseconds of a search, declined tries of
all tries to pay, money given back of money taken."""

PLAN = frozenset(("metrics", "guardrails", "tolerance", "window_days", "settle_days", "cap_minor"))
"""How it is read out."""

FROZEN = PLAN | {"variants", "seed", "namespace", "namespace_start", "namespace_end"}
"""Settled once it has run: a plan made after looking proves nothing, and other variants are another experiment."""

SPLIT = frozenset(("weights", "coverage", "audience"))
"""A change of these while it runs begins a new phase: visitors before and after are not one sample."""

MOVES = {("draft", "running"), ("running", "stopped"), ("stopped", "running")}


class ExperimentExists(Rejected):
    """There is an experiment with this key."""

    code = "experiment_exists"


class NotChangeable(Rejected):
    """The change does not fit an experiment of this status; the detail says what is settled."""

    code = "not_changeable"


class UnsoundExperiment(Rejected):
    """The experiment could not be drawn: weights, names, metrics or namespace do not fit together."""

    code = "invalid_request"
    status = 422


@dataclass(frozen=True, slots=True)
class Experiment:
    """`row.variants[0]` is the control."""

    row: ExperimentRow
    phases: list[PhaseRow]


def create(db: Database, values: Mapping[str, Any], *, by: str) -> Experiment:
    """`values` as the columns are named, without id and status. Raises ExperimentExists, UnsoundExperiment."""
    check(values)
    with db.transaction() as tx:
        if not queries.insert(tx, {**values, "id": new_id("exp"), "created_by": by}):
            raise ExperimentExists(f"there is an experiment {values['key']} already")
        return loaded(tx, values["key"])


def read(db: Database, key: str) -> Experiment:
    with db.transaction() as tx:
        return loaded(tx, key)


def recent(db: Database, *, status: str | None, before: str | None, limit: int) -> list[ExperimentRow]:
    """Newest first."""
    with db.transaction() as tx:
        return queries.recent(tx, status=status, before=before, limit=limit)


def change(db: Database, key: str, wanted: Mapping[str, Any]) -> Experiment:
    """Change what is named in `wanted`. Raises NotFound, NotChangeable, UnsoundExperiment."""
    with db.transaction() as tx:
        row = _known(queries.locked(tx, key), key)
        changed = {name: value for name, value in wanted.items() if value != getattr(row, name)}
        status = changed.get("status", row.status)
        if status != row.status and (row.status, status) not in MOVES:
            raise NotChangeable(f"{key} is {row.status} and cannot become {status}")
        settled = sorted(FROZEN & changed.keys())
        if settled and row.status != "draft":
            raise NotChangeable(f"{key} has run: {', '.join(settled)} cannot change any more")
        after = replace(row, **changed)
        check(asdict(after))
        if changed:
            _apply(tx, row, after, changed)
        return loaded(tx, key)


def check(values: Mapping[str, Any]) -> None:
    """Raises UnsoundExperiment."""
    variants, weights = values["variants"], values["weights"]
    if len(set(variants)) != len(variants):
        raise UnsoundExperiment("variants must have different names")
    if len(weights) != len(variants) or not isclose(sum(weights), 1, abs_tol=1e-6) or min(weights) < 0:
        raise UnsoundExperiment("there is one weight for each variant, none is negative, and they add up to 1")
    if set(values["metrics"]) - set(METRICS) or not values["metrics"]:
        raise UnsoundExperiment(f"metrics are of {', '.join(METRICS)}, and there is one at least")
    if set(values["guardrails"]) - set(GUARDRAILS):
        raise UnsoundExperiment(f"guardrails are of {', '.join(GUARDRAILS)}")
    if set(values["metrics"]) & set(values["guardrails"]):
        raise UnsoundExperiment("a metric is not its own guardrail")
    if values["namespace"] is not None and not values["namespace_start"] < values["namespace_end"]:
        raise UnsoundExperiment("a namespace's range ends after it begins")
    if values["settle_days"] and not values["window_days"]:
        raise UnsoundExperiment("days to settle follow a window; there is none")


def _apply(tx: Tx, row: ExperimentRow, after: ExperimentRow, changed: Mapping[str, Any]) -> None:
    starts = after.status == "running" and row.status != "running"
    redrawn = after.status == "running" and bool(SPLIT & changed.keys())
    if after.status != row.status or redrawn:
        queries.end_phase(tx, row.id)
    if starts or redrawn:
        after = replace(after, phase=row.phase + 1)
    queries.change(tx, row.id, asdict(after))
    if after.phase != row.phase:
        queries.begin_phase(tx, after)


def loaded(tx: Tx, key: str) -> Experiment:
    """Raises NotFound."""
    row = _known(queries.experiment(tx, key), key)
    return Experiment(row, queries.phases(tx, row.id))


def _known(row: ExperimentRow | None, key: str) -> ExperimentRow:
    if row is None:
        raise NotFound(f"there is no experiment {key}")
    return row
