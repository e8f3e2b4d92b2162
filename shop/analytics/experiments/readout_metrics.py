"""An experiment's metrics: each variant against the control, read in four ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shop.analytics.experiments import covariate, guardrail, inference
from shop.analytics.experiments.belief import Belief, belief
from shop.analytics.experiments.covariate import Paired
from shop.analytics.experiments.guardrail import Guard
from shop.analytics.experiments.inference import Interval, Sample
from shop.analytics.queries.guardrails import Shares
from shop.analytics.queries.readout import Outcome


@dataclass(frozen=True, slots=True)
class Cuped:
    """The effect without what the days before the exposure explain."""

    correlation: float
    difference: float
    interval: Interval | None
    fixed: Interval | None


@dataclass(frozen=True, slots=True)
class Effect:
    """Of a metric, variant against control. `difference` per visitor; `lift` relative to the control's mean. `interval`
    holds however often one looks; `fixed` for one look at the planned end; `belief` is Bayes'. `adjusted_p`: of
    `interval`, for all the comparisons of the experiment's metrics (Holm). `guard`: of guardrails, whether the variant
    is not worse."""

    mean: float
    difference: float
    lift: float | None
    interval: Interval | None
    fixed: Interval | None
    adjusted_p: float | None
    belief: Belief | None
    cuped: Cuped | None
    guard: Guard | None


@dataclass(frozen=True, slots=True)
class Metric:
    """`means` by variant, per visitor; of a guardrail that is a share, the share. `effects` of each variant after the
    control; empty while the readout is blocked."""

    name: str
    guardrail: bool
    means: Sequence[float]
    effects: Sequence[Effect]
    needed: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Which metrics, in this order, what guardrails tolerate, and the `change` and `power` that `needed` is worked out
    for."""

    metrics: Sequence[str]
    guardrails: Sequence[str]
    tolerance: float
    change: float
    power: float


def metrics(
    plan: Plan, rows: Mapping[tuple[int, str], Outcome | Shares], variants: int, *, blocked: bool
) -> list[Metric]:
    """`rows` by place of the variant and metric; a variant nobody saw has none."""
    found: list[Metric] = []
    for name in (*plan.metrics, *plan.guardrails):
        samples = [_paired(rows.get((place, name))) for place in range(variants)]
        found.append(_metric(name, samples, plan, blocked=blocked))
    return _adjusted(found)


NOTHING = Sample(0, 0.0, 0.0)


def _paired(row: Outcome | Shares | None) -> Paired:
    """A share is its own sample, with nothing before it: what it is a share of is taken in already."""
    if row is None:
        return Paired(NOTHING, NOTHING, 0)
    since = Sample(row.n, row.total, row.squares)
    if isinstance(row, Outcome):
        return Paired(since, Sample(row.n, row.before, row.before_squares), row.product)
    counted = guardrail.share(Paired(since, Sample(row.n, row.base, row.base_squares), row.product))
    return Paired(counted, Sample(counted.n, 0.0, 0.0), 0)


def _metric(name: str, samples: Sequence[Paired], plan: Plan, *, blocked: bool) -> Metric:
    control = samples[0].since
    guarded = name in plan.guardrails
    if name == "conversion":
        needed = inference.visitors_for_share(control.mean, plan.change, power=plan.power)
    else:
        needed = inference.visitors_for_mean(control, plan.change, power=plan.power)
    if blocked:
        return Metric(name, guarded, [], [], needed)
    effects = [_effect(samples[0], sample) for sample in samples[1:]]
    if guarded:
        effects = [
            replace(effect, guard=_guard(name, control, sample.since, plan))
            for effect, sample in zip(effects, samples[1:], strict=True)
        ]
    return Metric(name, guarded, [sample.since.mean for sample in samples], effects, needed)


def _effect(control: Paired, variant: Paired) -> Effect:
    difference = variant.since.mean - control.since.mean
    return Effect(
        mean=variant.since.mean,
        difference=difference,
        lift=difference / control.since.mean if control.since.mean else None,
        interval=inference.always_valid(control.since, variant.since),
        fixed=inference.fixed_horizon(control.since, variant.since),
        adjusted_p=None,
        belief=belief(control.since, variant.since),
        cuped=_cuped(control, variant),
        guard=None,
    )


def _guard(name: str, control: Sample, variant: Sample, plan: Plan) -> Guard:
    return guardrail.guard(control, variant, worse=guardrail.WORSE[name], tolerance=plan.tolerance)


def _cuped(control: Paired, variant: Paired) -> Cuped | None:
    found = covariate.adjusted(control, variant)
    if found is None:
        return None
    return Cuped(
        correlation=found.correlation,
        difference=found.variant.mean - found.control.mean,
        interval=inference.always_valid(found.control, found.variant),
        fixed=inference.fixed_horizon(found.control, found.variant),
    )


def _adjusted(found: Sequence[Metric]) -> list[Metric]:
    # Guardrails are not asked to win, so they are no comparisons one could win by luck.
    p_values = {
        f"{metric.name} {place}": effect.interval.p
        for metric in found
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
        for metric in found
    ]
