"""Results of experiments over HTTP: first whether they may be read at all, then what they are."""

from typing import Literal

from pydantic import Field

from shop.analytics import readout
from shop.analytics.inference import Interval
from web.access import ADMIN
from web.call import Call
from web.experiments import STATUSES, Status
from web.models import Currency, In, Maybe, Out, Time
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


class EffectBody(Out):
    """Against the control, per visitor. `interval` holds however often one looks; `fixed` for one look at a moment that
    was chosen beforehand. Null where there is too little to say."""

    variant: str
    mean: float
    difference: float
    lift: float | None
    interval: IntervalBody | None
    fixed: IntervalBody | None
    adjusted_p: float | None


class MetricBody(Out):
    """Per visitor; money in whole minor units. `needed`: visitors of each variant to find the change asked for.
    Without `control` and effects while the readout is blocked."""

    name: str
    guardrail: bool
    control: float | None
    effects: list[EffectBody]
    needed: int | None


class GroupBody(Out):
    """`exposed` is everybody, `mixed` of them saw another variant too and are left out, `visitors` is who counts."""

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


class ResultsBody(Out):
    """`srm_p`: how likely such a split is, if visitors come as planned; null with few visitors. Below 0.001 the
    readout is `blocked`. `warnings`: `too_early` (under two weeks), `mixed` (over 1 %), `other_currencies`."""

    key: str
    status: Status
    phase: int
    started_at: Time
    ended_at: Maybe[Time] = None
    as_of: Time
    currency: Currency
    srm_p: float | None
    blocked: Literal["srm"] | None
    warnings: list[str]
    groups: list[GroupBody]
    metrics: list[MetricBody]


@GROUP.route("GET", "/v1/experiments/{key}/results", who=ADMIN, answers={200: ResultsBody})
def results(call: Call, key: str, query: ResultsQuery) -> ResultsBody:
    """What came of one phase, the newest unless another is named.

    Money is from the ledger: orders placed after the exposure, net of tax and of what was refunded by now, in the
    shop's currency. First it is checked that visitors came in the planned shares; where they did not, nothing is
    read out.
    """
    currency = call.services.settings.shop_currency
    found = readout.results(call.db, key, currency=currency, phase=query.phase, change=query.change, power=query.power)
    return _results(found, currency)


def _results(found: readout.Results, currency: str) -> ResultsBody:
    return ResultsBody(
        key=found.experiment.row.key,
        status=STATUSES[found.experiment.row.status],
        phase=found.phase.phase,
        started_at=found.phase.started_at,
        ended_at=found.phase.ended_at,
        as_of=found.as_of,
        currency=currency,
        srm_p=found.srm_p,
        blocked="srm" if found.blocked else None,
        warnings=list(found.warnings),
        groups=[GroupBody.model_validate(group) for group in found.groups],
        metrics=[_metric(metric, found.experiment.row.variants[1:]) for metric in found.metrics],
    )


def _metric(metric: readout.Metric, variants: list[str]) -> MetricBody:
    return MetricBody(
        name=metric.name,
        guardrail=metric.guardrail,
        control=metric.means[0] if metric.means else None,
        effects=[
            EffectBody(
                variant=variant,
                mean=effect.mean,
                difference=effect.difference,
                lift=effect.lift,
                interval=_interval(effect.interval),
                fixed=_interval(effect.fixed),
                adjusted_p=effect.adjusted_p,
            )
            for variant, effect in zip(variants, metric.effects, strict=False)
        ],
        needed=metric.needed,
    )


def _interval(interval: Interval | None) -> IntervalBody | None:
    return None if interval is None else IntervalBody.model_validate(interval)
