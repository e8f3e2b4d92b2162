"""Results of experiments over HTTP: whether they may be read at all, what they are, how many visitors they need."""

from dataclasses import asdict
from typing import Literal

from pydantic import Field

from shop.analytics.experiments import inference, readout
from shop.analytics.experiments.inference import Interval
from shop.analytics.experiments.readout_metrics import Cuped, Effect, Metric
from shop.analytics.intervals import wilson
from web.access import ADMIN
from web.analytics.experiments import STATUSES, Status
from web.call import Call
from web.models import Currency, In, Maybe, Out, Time
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Results", "What came of an experiment, by the orders and the ledger.")


class ResultsQuery(In):
    """`change` (relative) and `power`: for the number of visitors that would be needed."""

    phase: int | None = Field(None, ge=1, le=10_000)
    change: float = Field(0.05, ge=0.001, le=10)
    power: float = Field(0.8, ge=0.5, le=0.99)


class IntervalBody(Out):
    """95 %; `p` as it is for the same kind of looking."""

    low: float
    high: float
    p: float


class BeliefBody(Out):
    """Bayes' reading with a flat prior: the chance that the variant is the better one, 95 % of the difference, and what
    a visitor would bring less on average, should it be taken and be the worse one."""

    better: float
    low: float
    high: float
    risk: float


class CupedBody(Out):
    """Without what the same visitors did in the 14 days before the exposure. `correlation`: of before and since."""

    correlation: float
    difference: float
    interval: IntervalBody | None
    fixed: IntervalBody | None


class GuardBody(Out):
    """Whether the variant is not worse than the control. `worse`: which way harm lies. `worst`: the difference towards
    harm that cannot be ruled out, null where too little is known. `held`: less harm than the plan tolerates; `broken`:
    there is harm, and it may be more; `open`: neither is sure. 95 %, one-sided, however often one looks."""

    worse: Literal["higher", "lower"]
    worst: float | None
    verdict: Literal["held", "broken", "open"]


class EffectBody(Out):
    """Against the control, per visitor. `interval` holds however often one looks; `fixed` and `belief` for one look at
    a moment that was chosen beforehand. Null where there is too little to say; `guard` is there for guardrails."""

    variant: str
    mean: float
    difference: float
    lift: float | None
    interval: IntervalBody | None
    fixed: IntervalBody | None
    adjusted_p: float | None
    belief: BeliefBody | None
    cuped: CupedBody | None
    guard: Maybe[GuardBody] = None


class MetricBody(Out):
    """Per visitor; money in whole minor units. The guardrails `search_ms`, `payment_failures` and `refund_share` are
    milliseconds of a search, declined tries of all tries to pay, and money given back of money taken.
    `needed`: visitors of each variant to find the change asked for. Without `control` and effects while the readout is
    blocked."""

    name: str
    guardrail: bool
    control: float | None
    effects: list[EffectBody]
    needed: int | None


class RateBody(Out):
    """The share of buyers among a variant's visitors, with its 95 % interval (Wilson)."""

    rate: float
    low: float
    high: float


class GroupBody(Out):
    """`exposed` is everybody, `mixed` of them saw another variant too, `maturing` have still time; both are left out.
    `visitors` is who counts. `net` is uncut; `capped` visitors brought more than the plan's cap.
    `rate` is null without visitors and while the readout is blocked."""

    variant: str
    weight: float
    exposed: int
    mixed: int
    maturing: int
    visitors: int
    buyers: int
    rate: RateBody | None
    orders: int
    units: int
    net: int
    capped: int
    refunded: int
    other_currency_orders: int


class AuditBody(Out):
    """Noted variants that were drawn again, how many came out otherwise, and the first ten of those visitors."""

    checked: int
    wrong: int
    visitors: list[str]


class ResultsBody(Out):
    """`srm_p`: how likely such a split is, if visitors come as planned; null with few visitors. Below 0.001 the
    readout is `blocked`. `warnings`: `too_early` (under two weeks), `mixed` (over 1 %), `maturing`
    (nobody's window is over yet), `misassigned` (the audit found one), `other_currencies`, `guardrail` (one is broken:
    stop it, or know why)."""

    key: str
    status: Status
    phase: int
    started_at: Time
    ended_at: Maybe[Time] = None
    as_of: Time
    currency: Currency
    audit: AuditBody
    srm_p: float | None
    blocked: Literal["srm"] | None
    warnings: list[str]
    groups: list[GroupBody]
    metrics: list[MetricBody]


@GROUP.route("GET", "/v1/experiments/{key}/results", who=ADMIN, answers={200: ResultsBody})
def results(call: Call, key: str, query: ResultsQuery) -> ResultsBody:
    """What came of one phase, the newest unless another is named.

    First it is checked that visitors came in the planned shares; where they did not, nothing is read out. Money is from
    the ledger: orders placed in the plan's window after the exposure, net of tax and of what was refunded by now, in
    the shop's currency, of visitors whose window is over.
    """
    currency = call.services.settings.shop_currency
    found = readout.results(call.db, key, currency=currency, phase=query.phase, change=query.change, power=query.power)
    return _results(found, currency)


class SampleSizeQuery(In):
    """What a visitor brings without the change: a `share` of buyers, or a `mean` with its standard `deviation`."""

    share: float | None = Field(None, gt=0, lt=1)
    mean: float | None = Field(None, gt=0, le=1e9)
    deviation: float | None = Field(None, gt=0, le=1e9)
    change: float = Field(0.05, ge=0.001, le=10)
    power: float = Field(0.8, ge=0.5, le=0.99)
    variants: int = Field(2, ge=2, le=10)


class SampleSizeBody(Out):
    """Visitors of `each` variant, and of all together."""

    each: int
    together: int


@GROUP.route("GET", "/v1/sample-size", who=ADMIN, answers={200: SampleSizeBody})
def sample_size(_call: Call, query: SampleSizeQuery) -> SampleSizeBody:
    """How many visitors an experiment needs to find a relative `change` with the `power` asked for, in one look."""
    each = None
    if query.share is not None and query.mean is None and query.deviation is None:
        each = inference.visitors_for_share(query.share, query.change, power=query.power)
    elif query.share is None and query.mean is not None and query.deviation is not None:
        each = inference.visitors_for_mean(
            inference.sample_of(query.mean, query.deviation), query.change, power=query.power
        )
    if each is None:
        words = "name a share that the change leaves below 1, or a mean with its deviation"
        raise Invalid([Fault("/share", words)])
    return SampleSizeBody(each=each, together=each * query.variants)


def _results(found: readout.Results, currency: str) -> ResultsBody:
    return ResultsBody(
        key=found.experiment.row.key,
        status=STATUSES[found.experiment.row.status],
        phase=found.phase.phase,
        started_at=found.phase.started_at,
        ended_at=found.phase.ended_at,
        as_of=found.as_of,
        currency=currency,
        audit=AuditBody.model_validate(found.audit),
        srm_p=found.srm_p,
        blocked="srm" if found.blocked else None,
        warnings=list(found.warnings),
        groups=[_group(group, blocked=found.blocked is not None) for group in found.groups],
        metrics=[_metric(metric, found.experiment.row.variants[1:]) for metric in found.metrics],
    )


def _group(group: readout.Group, *, blocked: bool) -> GroupBody:
    rate = None
    if group.visitors and not blocked:
        low, high = wilson(group.buyers, group.visitors)
        rate = RateBody(rate=group.buyers / group.visitors, low=low, high=high)
    return GroupBody(**asdict(group), rate=rate)


def _metric(metric: Metric, variants: list[str]) -> MetricBody:
    return MetricBody(
        name=metric.name,
        guardrail=metric.guardrail,
        control=metric.means[0] if metric.means else None,
        effects=[_effect(variant, effect) for variant, effect in zip(variants, metric.effects, strict=False)],
        needed=metric.needed,
    )


def _effect(variant: str, effect: Effect) -> EffectBody:
    return EffectBody(
        variant=variant,
        mean=effect.mean,
        difference=effect.difference,
        lift=effect.lift,
        interval=_interval(effect.interval),
        fixed=_interval(effect.fixed),
        adjusted_p=effect.adjusted_p,
        belief=None if effect.belief is None else BeliefBody.model_validate(effect.belief),
        cuped=None if effect.cuped is None else _cuped(effect.cuped),
        guard=None if effect.guard is None else GuardBody.model_validate(effect.guard),
    )


def _cuped(found: Cuped) -> CupedBody:
    return CupedBody(
        correlation=found.correlation,
        difference=found.difference,
        interval=_interval(found.interval),
        fixed=_interval(found.fixed),
    )


def _interval(interval: Interval | None) -> IntervalBody | None:
    return None if interval is None else IntervalBody.model_validate(interval)
