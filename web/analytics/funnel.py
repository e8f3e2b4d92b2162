"""Funnels over HTTP: the question as JSON, the answer step by step."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, StrictStr

from shop.analytics.behaviour import funnel as funnels
from shop.analytics.behaviour.funnel import Share, Walked
from shop.analytics.behaviour.steps import (
    FIELDS,
    ORDER_FACTS,
    PROPS,
    STEPS,
    Attribution,
    Breakdown,
    Funnel,
    Match,
    Mode,
    Unit,
)
from shop.analytics.queries.funnel import TooMuchWork
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.analytics.figures import USUAL_RANGE, DayOrMoment, Spanned, end_of, start_of
from web.call import Call
from web.limiting import Limit
from web.models import Currency, In, Maybe, Out, Time
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Funnels", "How many go how far on the way to an order, and where they turn back.")

PER_CALLER = Limit(30, bucket="funnels")
"""Each may read a quarter of a year of events."""

LONGEST_WINDOW = timedelta(days=60)

UNITS_OF_TIME = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not have the character NUL")
    return text


def _known_name(name: str) -> str:
    if name not in STEPS:
        raise ValueError(f"must be one of {', '.join(sorted(STEPS))}")
    return name


def _known_field(name: str) -> str:
    if name not in FIELDS and not (name.startswith(PROPS) and len(name) > len(PROPS)):
        raise ValueError(f"must be one of {', '.join(FIELDS)}, or props.NAME")
    return _no_nul(name)


def _as_span(text: str) -> str:
    if not timedelta(0) < span(text) <= LONGEST_WINDOW:
        raise ValueError(f"must be more than nothing and at most {LONGEST_WINDOW.days}d")
    return text


def span(text: str) -> timedelta:
    """`30m` and the like as a length of time."""
    return timedelta(**{UNITS_OF_TIME[text[-1]]: int(text[:-1])})


def length(given: str | int) -> timedelta:
    return span(given) if isinstance(given, str) else timedelta(seconds=given)


Span = (
    Annotated[StrictStr, Field(pattern=re.compile(r"^[0-9]{1,7}[smhd]$")), AfterValidator(_as_span)]
    | Annotated[StrictInt, Field(ge=1, le=int(LONGEST_WINDOW.total_seconds()))]
)


Value = Annotated[StrictStr, Field(min_length=1, max_length=1024), AfterValidator(_no_nul)]
Values = Value | Annotated[list[Value], Field(min_length=1, max_length=50)]
FieldName = Annotated[StrictStr, Field(max_length=80), AfterValidator(_known_field)]


class MatchBody(In):
    """An event by name; `where` names fields (`product_id`, `path`, `channel`, `props.colour`, …) with the value, or a
    list of values, of which the event must have one. Order facts (`order_placed`, `order_paid`) take no `where`.
    `within`: the longest time after the step before, written like `window`; not for the first step."""

    name: Annotated[StrictStr, AfterValidator(_known_name)]
    where: Annotated[dict[FieldName, Values], Field(default_factory=dict, max_length=5)]
    within: Span | None = None

    def match(self) -> Match:
        where = {field: [given] if isinstance(given, str) else given for field, given in self.where.items()}
        return Match(self.name, where, None if self.within is None else length(self.within))


class DefinitionBody(In):
    """`window` as `30m`, `12h` or `7d`, or whole seconds. `attribution`: the breakdown takes the value of the unit's
    `first` or `last` entry. `revenue`: with what those who went all the way paid, from the ledger."""

    steps: Annotated[list[MatchBody], Field(min_length=2, max_length=10)]
    window: Span = "7d"
    mode: Mode = "ordered"
    unit: Unit = "visitor"
    exclude: Annotated[list[MatchBody], Field(default_factory=list, max_length=5)]
    breakdown: Breakdown | None = None
    attribution: Attribution = "first"
    revenue: bool = False


class FunnelBody(DefinitionBody):
    """`from` and `to` are about the entries: days in the shop's time zone, both included, or times. Without them: the
    last 28 days."""

    from_: DayOrMoment | None = Field(None, alias="from")
    to: DayOrMoment | None = None


class ShareBody(Out):
    """`units` out of `of`, with the 95 % interval (Wilson) of the rate."""

    units: int
    of: int
    rate: float | None
    low: float
    high: float


class StepBody(Out):
    """`total`: of all entries. `step`: of those who reached the step before. `mature`: of the entries that had their
    whole window since. Seconds from the entry, each unit with its quickest way."""

    name: str
    total: ShareBody
    step: ShareBody
    mature: ShareBody
    median_s: float | None
    p90_s: float | None


class MoneyBody(Out):
    """Orders of those who went all the way, paid between entry and window's end. `net`: whole minor units from the
    ledger, without tax, after refunds booked by now."""

    currency: Currency
    orders: int
    net: int


class SegmentBody(Out):
    """`value` is null where it is not known, and for the small segments together (`other`). `maturing`: entries whose
    window is not over, which may still go further."""

    value: str | None
    other: bool
    entered: int
    maturing: int
    steps: list[StepBody]
    revenue: Maybe[list[MoneyBody]] = None


class FunnelAnswer(Spanned):
    first: Time = Field(serialization_alias="from")
    last: Time = Field(serialization_alias="to")
    as_of: Time
    mode: Mode
    unit: Unit
    window_s: int
    provisional: bool
    entered: int
    maturing: int
    steps: list[StepBody]
    revenue: Maybe[list[MoneyBody]] = None
    breakdown: Breakdown | None
    attribution: Attribution
    segments: list[SegmentBody]
    source: Literal["steps", "events"]


@GROUP.route(
    "POST",
    "/v1/analytics/funnel",
    who=SUPPORT,
    answers={200: FunnelAnswer},
    errors=(RangeTooLong, TooMuchWork),
    limit=PER_CALLER,
)
def ask(call: Call, body: FunnelBody) -> FunnelAnswer:
    """How many go how far.

    The range chooses entries; what follows counts up to `window` later, also behind the range. `ordered`: steps in this
    order, whatever lies between. `strict`: each step is the very next of the events named here. `any`: in any order.
    An `exclude` event ends what was begun before it. Machines are left out. Entries whose window is still open are
    counted as `maturing`, and `provisional` says that there are any: compare by `mature` then.
    """
    return answered(call, body)


def answered(call: Call, body: FunnelBody) -> FunnelAnswer:
    asked = funnel_of(call, body)
    found = funnels.funnel(call.db, asked, money=body.revenue)
    names = [step.name for step in body.steps]
    return FunnelAnswer(
        first=asked.start,
        last=asked.end,
        as_of=found.as_of,
        mode=asked.mode,
        unit=asked.unit,
        window_s=round(asked.window.total_seconds()),
        provisional=found.whole.maturing > 0 or asked.end > found.as_of,
        entered=found.whole.entered,
        maturing=found.whole.maturing,
        steps=_steps(found.whole, names),
        revenue=_money(found.whole),
        breakdown=asked.breakdown,
        attribution=asked.attribution,
        segments=[_segment(one, names) for one in found.segments],
        source=found.source,
    )


def funnel_of(call: Call, body: FunnelBody) -> Funnel:
    """Raises Invalid."""
    check(body)
    zone = call.services.settings.zone
    end = end_of(datetime.now(zone).date() if body.to is None else body.to, zone)
    start = end - USUAL_RANGE - timedelta(days=1) if body.from_ is None else start_of(body.from_, zone)
    if start >= end:
        raise Invalid([Fault("/to", "is not after from")])
    return Funnel(
        steps=[step.match() for step in body.steps],
        window=length(body.window),
        mode=body.mode,
        unit=body.unit,
        exclude=[one.match() for one in body.exclude],
        breakdown=body.breakdown,
        start=start,
        end=end,
        attribution=body.attribution,
    )


def check(body: DefinitionBody) -> None:
    """What the fields cannot say by themselves. Raises Invalid."""
    faults: list[Fault] = []
    for part, matches in (("steps", body.steps), ("exclude", body.exclude)):
        for at, match in enumerate(matches):
            if match.name in ORDER_FACTS and match.where:
                faults.append(Fault(f"/{part}/{at}/where", f"{match.name} is read from the orders and has no fields"))
            if match.within is not None and (part == "exclude" or at == 0 or body.mode == "any"):
                faults.append(Fault(f"/{part}/{at}/within", "is for steps behind the first, in a fixed order"))
    if faults:
        raise Invalid(faults)


def _segment(one: Walked, names: list[str]) -> SegmentBody:
    return SegmentBody(
        value=one.value,
        other=one.other,
        entered=one.entered,
        maturing=one.maturing,
        steps=_steps(one, names),
        revenue=_money(one),
    )


def _money(walked: Walked) -> list[MoneyBody] | None:
    return None if walked.money is None else [MoneyBody.model_validate(one) for one in walked.money]


def _steps(walked: Walked, names: list[str]) -> list[StepBody]:
    return [
        StepBody(
            name=name,
            total=_share(step.total),
            step=_share(step.step),
            mature=_share(step.mature),
            median_s=step.median_s,
            p90_s=step.p90_s,
        )
        for name, step in zip(names, walked.steps, strict=True)
    ]


def _share(share: Share) -> ShareBody:
    return ShareBody.model_validate(share)
