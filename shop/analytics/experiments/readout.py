"""An experiment's results: first whether they may be read at all, then what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.database import Database, Tx
from shop.analytics.experiments import experiments, inference
from shop.analytics.experiments.assign import drawn
from shop.analytics.experiments.readout_metrics import Metric, Plan, metrics
from shop.analytics.queries import guardrails as guard_queries
from shop.analytics.queries import readout as queries
from shop.analytics.queries.experiments import ExperimentRow, PhaseRow
from shop.analytics.queries.guardrails import Shares
from shop.analytics.queries.readout import Asked, Outcome
from shop.errors import NotFound

SHORTEST = timedelta(days=14)
"""Two whole weeks: each weekday twice. Before that a result may be a Saturday."""

MIXED_LIMIT = 0.01
"""More visitors than this with several variants, and something is wrong with how they are recognised or drawn."""

BEFORE_DAYS = 14
"""How far back before the exposure CUPED looks: two whole weeks, as long as an experiment runs at least."""

AUDITED = 10_000
"""Exposures that are drawn again: a fifth of a second of work, and a fault in the drawing is in all of them."""


NAMED = 10
"""Wrongly noted visitors by name: enough to look for what they have in common."""


@dataclass(frozen=True, slots=True)
class Group:
    """`exposed` is everybody; `mixed` and `maturing` of them are left out; `visitors` is who counts. `net` is uncut,
    `capped` counts the visitors whose net is above the plan's cap."""

    variant: str
    weight: float
    exposed: int
    mixed: int
    maturing: int
    visitors: int
    buyers: int
    orders: int
    units: int
    net: int
    capped: int
    refunded: int
    other_currency_orders: int


@dataclass(frozen=True, slots=True)
class Audit:
    """So many exposures were drawn again, and so many of them came out otherwise than they are noted; `visitors` are
    the first of these."""

    checked: int
    wrong: int
    visitors: Sequence[str]


@dataclass(frozen=True, slots=True)
class Results:
    """`blocked` says why there are no effects: `srm`. `warnings`: `too_early`, `mixed`, `maturing` (nobody's time is
    over yet), `misassigned`, `other_currencies`, `guardrail` (one is broken)."""

    experiment: experiments.Experiment
    phase: PhaseRow
    as_of: datetime
    audit: Audit
    srm_p: float | None
    blocked: str | None
    warnings: Sequence[str]
    groups: Sequence[Group]
    metrics: Sequence[Metric]


def results(
    db: Database,
    key: str,
    *,
    currency: str,
    phase: int | None = None,
    change: float = 0.05,
    power: float = 0.8,
    now: datetime | None = None,
) -> Results:
    """Of the newest phase, or of `phase`. `change` and `power` are for `needed`. Raises NotFound."""
    with db.transaction() as tx:
        return read_out(tx, key, currency=currency, phase=phase, change=change, power=power, now=now)


def read_out(
    tx: Tx,
    key: str,
    *,
    currency: str,
    phase: int | None = None,
    change: float = 0.05,
    power: float = 0.8,
    now: datetime | None = None,
) -> Results:
    """As `results`, within a transaction that is there already."""
    moment = now or datetime.now(UTC)
    found = experiments.loaded(tx, key)
    current = next((one for one in reversed(found.phases) if phase in (None, one.phase)), None)
    if current is None:
        raise NotFound(f"{key} has no such phase" if phase else f"{key} has not been started")
    asked = _asked(found.row, current, as_of=moment, currency=currency)
    rows = {(row.variant, row.metric): row for row in queries.outcomes(tx, asked)}
    audit = _audit(tx, found.row, current)
    groups = _groups(found.row.variants, current, rows)
    p = inference.mismatch([group.exposed for group in groups], current.weights)
    blocked = p is not None and p < inference.SRM_P
    plan = Plan(found.row.metrics, found.row.guardrails, found.row.tolerance, change, power)
    read = metrics(plan, rows | _shares(tx, found.row, asked), len(groups), blocked=blocked)
    early = (current.ended_at or moment) - current.started_at < SHORTEST
    warnings = _warnings(groups, audit, read, too_early=early)
    return Results(found, current, moment, audit, p, "srm" if blocked else None, warnings, groups, read)


def _asked(row: ExperimentRow, phase: PhaseRow, *, as_of: datetime, currency: str) -> Asked:
    return Asked(
        experiment_id=row.id,
        phase=phase.phase,
        key=row.key,
        start=phase.started_at,
        end=phase.ended_at,
        as_of=as_of,
        window_days=row.window_days,
        settle_days=row.settle_days,
        cap_minor=row.cap_minor,
        before_days=BEFORE_DAYS,
        currency=currency,
    )


def _shares(tx: Tx, row: ExperimentRow, asked: Asked) -> dict[tuple[int, str], Shares]:
    """Read only where the plan has such a guardrail: searches and tries to pay are many."""
    if set(row.guardrails) <= set(experiments.METRICS):
        return {}
    return {(one.variant, one.metric): one for one in guard_queries.shares(tx, asked)}


def _audit(tx: Tx, row: ExperimentRow, phase: PhaseRow) -> Audit:
    noted = queries.noted(tx, row.id, phase.phase, limit=AUDITED)
    wrong = [
        visitor_id
        for visitor_id, variant in noted
        if drawn(row, visitor_id, weights=phase.weights, coverage=phase.coverage) != variant
    ]
    return Audit(len(noted), len(wrong), wrong[:NAMED])


def _groups(variants: Sequence[str], phase: PhaseRow, rows: Mapping[tuple[int, str], Outcome]) -> list[Group]:
    groups: list[Group] = []
    for place, (name, weight) in enumerate(zip(variants, phase.weights, strict=True)):
        found = {metric: rows.get((place, metric), _nobody(place, metric)) for metric in experiments.METRICS}
        any_of = found["net_revenue"]
        groups.append(
            Group(
                variant=name,
                weight=weight,
                exposed=any_of.exposed,
                mixed=any_of.mixed,
                maturing=any_of.maturing,
                visitors=any_of.n,
                buyers=round(found["conversion"].total),
                orders=round(found["orders"].total),
                units=round(found["units"].total),
                net=any_of.net,
                capped=any_of.capped,
                refunded=round(found["refunds"].total),
                other_currency_orders=any_of.other_currency_orders,
            )
        )
    return groups


def _nobody(place: int, metric: str) -> Outcome:
    return Outcome(place, metric, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0)


def _warnings(groups: Sequence[Group], audit: Audit, read: Sequence[Metric], *, too_early: bool) -> list[str]:
    exposed, mixed = sum(group.exposed for group in groups), sum(group.mixed for group in groups)
    signs = {
        "too_early": too_early,
        "mixed": mixed > exposed * MIXED_LIMIT,
        "maturing": exposed > 0 and not any(group.visitors for group in groups),
        "misassigned": audit.wrong > 0,
        "other_currencies": any(group.other_currency_orders for group in groups),
        "guardrail": any(effect.guard and effect.guard.verdict == "broken" for one in read for effect in one.effects),
    }
    return [name for name, there in signs.items() if there]
