"""An experiment's results: first whether they may be read at all, then what they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics import experiments, inference
from shop.analytics.inference import Interval, Sample
from shop.analytics.queries import readout as queries
from shop.analytics.queries.experiments import PhaseRow
from shop.analytics.queries.readout import Outcome
from shop.errors import NotFound

SHORTEST = timedelta(days=14)
"""Two whole weeks: each weekday twice. Before that a result may be a Saturday."""

MIXED_LIMIT = 0.01
"""More visitors than this with several variants, and something is wrong with how they are recognised or drawn."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Of a metric, variant against control. `difference` per visitor; `lift` relative to the control's mean. `interval`
    holds however often one looks; `fixed` for one look at the planned end. `adjusted_p`: of `interval`, for all the
    comparisons of the experiment's metrics (Holm)."""

    mean: float
    difference: float
    lift: float | None
    interval: Interval | None
    fixed: Interval | None
    adjusted_p: float | None


@dataclass(frozen=True, slots=True)
class Metric:
    """`means` by variant. `effects` of each variant after the control; empty while the readout is blocked."""

    name: str
    guardrail: bool
    means: Sequence[float]
    effects: Sequence[Effect]
    needed: int | None


@dataclass(frozen=True, slots=True)
class Group:
    variant: str
    weight: float
    exposed: int
    mixed: int
    visitors: int
    buyers: int
    orders: int
    net: int
    refunded: int
    other_currency_orders: int


@dataclass(frozen=True, slots=True)
class Results:
    """`blocked` says why there are no effects: `srm`. `warnings`: `too_early`, `mixed`, `other_currencies`."""

    experiment: experiments.Experiment
    phase: PhaseRow
    as_of: datetime
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
    moment = now or datetime.now(UTC)
    found = experiments.read(db, key)
    current = next((one for one in reversed(found.phases) if phase in (None, one.phase)), None)
    if current is None:
        raise NotFound(f"{key} has no such phase" if phase else f"{key} has not been started")
    ended = current.ended_at or moment
    with db.transaction() as tx:
        rows = queries.outcomes(
            tx, found.row.id, current.phase, key, start=current.started_at, end=ended, currency=currency
        )
    groups = _groups(found.row.variants, current, rows)
    p = inference.mismatch([group.exposed for group in groups], current.weights)
    blocked = "srm" if p is not None and p < inference.SRM_P else None
    samples = {name: _samples(name, rows, len(groups)) for name in experiments.METRICS}
    metrics = [
        _metric(
            name, samples[name], guardrail=name in found.row.guardrails, blocked=blocked, change=change, power=power
        )
        for name in (*found.row.metrics, *found.row.guardrails)
    ]
    warnings = _warnings(groups, too_early=ended - current.started_at < SHORTEST)
    return Results(found, current, moment, p, blocked, warnings, groups, _adjusted(metrics))


def _groups(variants: Sequence[str], phase: PhaseRow, rows: Sequence[Outcome]) -> list[Group]:
    by_place = {row.variant: row for row in rows}
    groups: list[Group] = []
    for place, (name, weight) in enumerate(zip(variants, phase.weights, strict=True)):
        row = by_place.get(place, _nobody(place))
        groups.append(
            Group(
                name,
                weight,
                row.exposed,
                row.mixed,
                row.n,
                row.buyers,
                row.orders,
                row.net,
                row.refunded,
                row.other_currency_orders,
            )
        )
    return groups


def _nobody(place: int) -> Outcome:
    return Outcome(place, 0, 0, 0, 0, 0, 0, 0, 0.0, 0, 0.0, 0)


def _samples(name: str, rows: Sequence[Outcome], variants: int) -> list[Sample]:
    by_place = {row.variant: row for row in rows}
    return [_sample(name, by_place.get(place, _nobody(place))) for place in range(variants)]


def _sample(name: str, row: Outcome) -> Sample:
    sums = {
        "conversion": (row.buyers, row.buyers),
        "net_revenue": (row.net, row.net_squares),
        "orders": (row.orders, row.orders_squares),
        "refunds": (row.refunded, row.refunded_squares),
    }
    total, squares = sums[name]
    return Sample(row.n, float(total), float(squares))


def _metric(
    name: str, samples: Sequence[Sample], *, guardrail: bool, blocked: str | None, change: float, power: float
) -> Metric:
    control = samples[0]
    if name == "conversion":
        needed = inference.visitors_for_share(control.mean, change, power=power)
    else:
        needed = inference.visitors_for_mean(control, change, power=power)
    if blocked:
        return Metric(name, guardrail, [], [], needed)
    effects = [_effect(control, sample) for sample in samples[1:]]
    return Metric(name, guardrail, [sample.mean for sample in samples], effects, needed)


def _effect(control: Sample, variant: Sample) -> Effect:
    difference = variant.mean - control.mean
    return Effect(
        mean=variant.mean,
        difference=difference,
        lift=difference / control.mean if control.mean else None,
        interval=inference.always_valid(control, variant),
        fixed=inference.fixed_horizon(control, variant),
        adjusted_p=None,
    )


def _adjusted(metrics: Sequence[Metric]) -> list[Metric]:
    # Guardrails are not asked to win, so they are no comparisons one could win by luck.
    p_values = {
        f"{metric.name} {place}": effect.interval.p
        for metric in metrics
        if not metric.guardrail
        for place, effect in enumerate(metric.effects)
        if effect.interval is not None
    }
    adjusted = inference.holm(p_values)
    return [
        replace(
            metric,
            effects=[
                replace(effect, adjusted_p=adjusted.get(f"{metric.name} {place}"))
                for place, effect in enumerate(metric.effects)
            ],
        )
        for metric in metrics
    ]


def _warnings(groups: Sequence[Group], *, too_early: bool) -> list[str]:
    exposed, mixed = sum(group.exposed for group in groups), sum(group.mixed for group in groups)
    signs = {
        "too_early": too_early,
        "mixed": mixed > exposed * MIXED_LIMIT,
        "other_currencies": any(group.other_currency_orders for group in groups),
    }
    return [name for name, there in signs.items() if there]
