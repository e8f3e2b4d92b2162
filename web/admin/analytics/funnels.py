"""The funnel builder: steps added and taken out without scripts, the answer as bars and table, funnels to keep."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from shop.analytics.behaviour.steps import FIELDS, STEPS
from shop.charts import Bar, rows
from web.admin.analytics.span import Span, span
from web.admin.drawing import number, share
from web.admin.inside import Refused, at
from web.admin.section import Done, Section, Visit

SECTION = Section("Funnels", "/funnels", "Analytics")

FIRST_STEPS = ("product_view", "cart_add", "checkout_start", "order_paid")
"""What a shop asks first."""

MOST_STEPS = 10

MODES = (("ordered", "In this order"), ("strict", "One right after the other"), ("any", "In any order"))
UNITS = (("visitor", "Visitors"), ("customer", "Customers"), ("session", "Visits"))
WINDOWS = (("30m", "30 minutes"), ("1d", "a day"), ("7d", "a week"), ("30d", "30 days"), ("60d", "60 days"))
BREAKDOWNS = (
    ("", "Nothing"),
    ("channel", "Channel"),
    ("campaign", "Campaign"),
    ("country", "Country"),
    ("device", "Device"),
    ("referrer_host", "Referring site"),
)


@SECTION.page("/funnels")
def funnels(visit: Visit) -> Response:
    """The builder with what it says; everything that was chosen is in the address, so that it can be passed on."""
    days, saved = span(visit), visit.api.get("/v1/analytics/funnels", limit=100)["data"]
    kept = next((one for one in saved if one["id"] == visit.asked("saved")), None)
    asked = kept["definition"] if kept and "step" not in visit.request.args else _definition(visit)
    found, refused = _answer(visit, asked, days)
    return visit.show(
        "analytics/funnels.html",
        title="Funnels",
        span=days,
        saved=saved,
        kept=kept,
        asked=asked,
        lines=[_line(step) for step in asked["steps"]],
        more_than_shown=_more_than_shown(asked),
        found=found,
        problem=refused,
        chart=_chart(found["steps"]) if found else "",
        definition=json.dumps(asked),
        events=sorted(STEPS),
        fields=FIELDS,
        modes=MODES,
        units=UNITS,
        windows=_with(WINDOWS, asked.get("window", "7d")),
        breakdowns=BREAKDOWNS,
        most=MOST_STEPS,
    )


@SECTION.page("/funnels/people", role="admin")
def people(visit: Visit) -> Response:
    """Who got to a step and no further."""
    days, asked = span(visit), json_of(visit.asked("definition"))
    step = min(max(int(visit.asked("stop")) if visit.asked("stop").isdecimal() else 1, 1), MOST_STEPS)
    path = f"/v1/analytics/funnel/people?step={step}&limit=50"
    path += "&cursor={}" if visit.asked("cursor") else ""
    body = {**asked, **days.query}
    page = visit.api.send("POST", at(path, visit.asked("cursor")), body) if asked else {"data": []}
    return visit.show(
        "analytics/funnel_people.html", title="People of a funnel", span=days, asked=asked, page=page, step=step
    )


@SECTION.action("/funnels/keep")
def keep(visit: Visit) -> Done:
    """Keep the funnel under a name, a new one or the one it came from."""
    body = {"name": visit.typed("name"), "definition": json_of(visit.typed("definition"))}
    if visit.typed("id") and visit.typed("how") == "change":
        row = visit.api.send("PUT", at("/v1/analytics/funnels/{}", visit.typed("id")), body)
    else:
        row = visit.api.send("POST", "/v1/analytics/funnels", body)
    return Done(f"{SECTION.home}?saved={row['id']}", "The funnel is kept.")


@SECTION.action("/funnels/forget")
def forget(visit: Visit) -> Done:
    """Keep it no longer."""
    visit.api.delete(at("/v1/analytics/funnels/{}", visit.typed("id")))
    return Done(SECTION.home, "It is kept no longer.")


def json_of(text: str) -> dict[str, Any]:
    """A funnel as its own form wrote it; {} for anything else, which the API then refuses."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _definition(visit: Visit) -> dict[str, Any]:
    """The funnel of the address, with its button done: a step more, or one out."""
    args = visit.request.args
    columns = [args.getlist(name) for name in ("step", "field", "value", "within")]
    steps = [
        _step(*(column[place] if place < len(column) else "" for column in columns)) for place in range(len(columns[0]))
    ]
    steps = steps or [{"name": name} for name in FIRST_STEPS]
    out = visit.asked("drop")
    if out.isdecimal() and int(out) < len(steps) and len(steps) > 2:
        steps.pop(int(out))
    if visit.asked("more") and len(steps) < MOST_STEPS:
        steps.append({"name": "order_paid"})
    asked: dict[str, Any] = {
        "steps": steps[:MOST_STEPS],
        "window": visit.asked("window") or "7d",
        "mode": visit.asked("mode") or "ordered",
        "unit": visit.asked("unit") or "visitor",
        "revenue": visit.asked("revenue") == "1",
    }
    if visit.asked("exclude"):
        asked["exclude"] = [{"name": visit.asked("exclude")}]
    if visit.asked("breakdown"):
        asked["breakdown"] = visit.asked("breakdown")
    return asked


def _step(name: str, field: str, value: str, within: str) -> dict[str, Any]:
    step: dict[str, Any] = {"name": name}
    values = [one.strip() for one in value.split(",") if one.strip()]
    if field and values:
        step["where"] = {field: values}
    if within.strip():
        step["within"] = within.strip()
    return step


def _line(step: Mapping[str, Any]) -> dict[str, str]:
    """A step as the form has it: its first condition, values with commas between."""
    field, values = next(iter(step.get("where", {}).items()), ("", []))
    said = values if isinstance(values, str) else ", ".join(values)
    return {"name": step["name"], "field": field, "value": said, "within": str(step.get("within", ""))}


def _more_than_shown(asked: Mapping[str, Any]) -> bool:
    """Whether the API kept what this form has no fields for, and would lose."""
    several = any(len(step.get("where", {})) > 1 for step in asked["steps"])
    between: Sequence[Mapping[str, Any]] = asked.get("exclude", ())
    return several or len(between) > 1 or any(one.get("where") for one in between)


def _answer(visit: Visit, asked: Mapping[str, Any], days: Span) -> tuple[Any, Refused | None]:
    try:
        return visit.api.send("POST", "/v1/analytics/funnel", {**asked, **days.query}), None
    except Refused as refusal:
        if refusal.status != 422:
            raise
        return None, refusal


def _chart(steps: Sequence[Mapping[str, Any]]) -> str:
    bars = [
        Bar(
            f"{place}. {step['name'].replace('_', ' ')}",
            step["total"]["units"],
            f"{number(step['total']['units'])}  {share(step['total']['rate'])}",
            strong=True,
        )
        for place, step in enumerate(steps, start=1)
    ]
    told = ", ".join(f"{bar.label} {bar.note}" for bar in bars)
    return rows(bars, title=f"Funnel: {told}", width=620, label_width=130, row_height=22)


def _with(options: Sequence[tuple[str, str]], chosen: object) -> Sequence[tuple[str, str]]:
    """The options, and what was chosen otherwise."""
    known = str(chosen) in {value for value, _ in options}
    return options if known else (*options, (str(chosen), str(chosen)))
