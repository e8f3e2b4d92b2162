"""Funnels over HTTP: the question as JSON, the answer step by step."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, StrictStr

from shop.analytics.behaviour import funnel as funnels
from shop.analytics.behaviour.funnel import Share, Walked
from shop.analytics.behaviour.steps import FIELDS, ORDER_FACTS, PROPS, STEPS, Breakdown, Funnel, Match, Mode, Unit
from shop.analytics.queries.funnel import TooMuchWork
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.analytics.figures import USUAL_RANGE, DayOrMoment, Spanned, end_of, start_of
from web.call import Call
from web.limiting import Limit
from web.models import In, Out, Time
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


Value = Annotated[StrictStr, Field(min_length=1, max_length=1024), AfterValidator(_no_nul)]
Values = Value | Annotated[list[Value], Field(min_length=1, max_length=50)]
FieldName = Annotated[StrictStr, Field(max_length=80), AfterValidator(_known_field)]


class MatchBody(In):
    """An event by name; `where` names fields (`product_id`, `path`, `channel`, `props.colour`, …) with the value, or a
    list of values, of which the event must have one. Order facts (`order_placed`, `order_paid`) take no `where`."""

    name: Annotated[StrictStr, AfterValidator(_known_name)]
    where: Annotated[dict[FieldName, Values], Field(default_factory=dict, max_length=5)]

    def match(self) -> Match:
        return Match(
            self.name, {field: [given] if isinstance(given, str) else given for field, given in self.where.items()}
        )


class FunnelBody(In):
    """`window` as `30m`, `12h` or `7d`, or whole seconds. `from` and `to` are about the entries: days in the shop's
    time zone, both included, or times. Without them: the last 28 days."""

    steps: Annotated[list[MatchBody], Field(min_length=2, max_length=10)]
    window: (
        Annotated[StrictStr, Field(pattern=re.compile(r"^[0-9]{1,7}[smhd]$")), AfterValidator(_as_span)]
        | Annotated[StrictInt, Field(ge=1, le=int(LONGEST_WINDOW.total_seconds()))]
    ) = "7d"
    mode: Mode = "ordered"
    unit: Unit = "visitor"
    exclude: Annotated[list[MatchBody], Field(default_factory=list, max_length=5)]
    breakdown: Breakdown | None = None
    from_: DayOrMoment | None = Field(None, alias="from")
    to: DayOrMoment | None = None


class ShareBody(Out):
    """`units` out of `of`, with the 95 % interval (Wilson) of the rate."""

    units: int
    of: int
    rate: float | None
    low: float
    high: float


class DroppedBody(Out):
    """`unit`: the visitor (of a session, too) or the customer."""

    unit: str
    entered_at: Time


class StepBody(Out):
    """`total`: of all entries. `step`: of those who reached the step before. `mature`: of the entries that had their
    whole window since. Seconds from the entry, each unit with its quickest way. `dropped`: the newest who got no
    further than here."""

    name: str
    total: ShareBody
    step: ShareBody
    mature: ShareBody
    median_s: float | None
    p90_s: float | None
    dropped: list[DroppedBody]


class SegmentBody(Out):
    """`value` is null where it is not known, and for the small segments together (`other`). `maturing`: entries whose
    window is not over, which may still go further."""

    value: str | None
    other: bool
    entered: int
    maturing: int
    steps: list[StepBody]


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
    breakdown: Literal["channel", "campaign", "country", "device", "referrer_host"] | None
    segments: list[SegmentBody]


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
    asked = _funnel(call, body)
    found = funnels.funnel(call.db, asked)
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
        breakdown=asked.breakdown,
        segments=[
            SegmentBody(
                value=one.value, other=one.other, entered=one.entered, maturing=one.maturing, steps=_steps(one, names)
            )
            for one in found.segments
        ],
    )


def _funnel(call: Call, body: FunnelBody) -> Funnel:
    for part, matches in (("steps", body.steps), ("exclude", body.exclude)):
        for at, match in enumerate(matches):
            if match.name in ORDER_FACTS and match.where:
                raise Invalid([Fault(f"/{part}/{at}/where", f"{match.name} is read from the orders and has no fields")])
    zone = call.services.settings.zone
    end = end_of(datetime.now(zone).date() if body.to is None else body.to, zone)
    start = end - USUAL_RANGE - timedelta(days=1) if body.from_ is None else start_of(body.from_, zone)
    if start >= end:
        raise Invalid([Fault("/to", "is not after from")])
    return Funnel(
        steps=[step.match() for step in body.steps],
        window=span(body.window) if isinstance(body.window, str) else timedelta(seconds=body.window),
        mode=body.mode,
        unit=body.unit,
        exclude=[one.match() for one in body.exclude],
        breakdown=body.breakdown,
        start=start,
        end=end,
    )


def _steps(walked: Walked, names: list[str]) -> list[StepBody]:
    return [
        StepBody(
            name=name,
            total=_share(step.total),
            step=_share(step.step),
            mature=_share(step.mature),
            median_s=step.median_s,
            p90_s=step.p90_s,
            dropped=[DroppedBody.model_validate(one) for one in step.dropped],
        )
        for name, step in zip(names, walked.steps, strict=True)
    ]


def _share(share: Share) -> ShareBody:
    return ShareBody.model_validate(share)
