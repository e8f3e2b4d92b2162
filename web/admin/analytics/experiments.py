"""Experiments: drafted, started, stopped, and read out with their intervals."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Response

from shop.charts import Whisker, whiskers
from web.admin.drawing import money, share
from web.admin.inside import Refused, at
from web.admin.orders import minor, whole
from web.admin.section import Done, Section, Visit

SECTION = Section("Experiments", "/experiments", "Analytics", "admin")

STATES = (("", "All"), ("draft", "Drafts"), ("running", "Running"), ("stopped", "Stopped"))

METRICS = (
    ("conversion", "Conversion"),
    ("net_revenue", "Net revenue"),
    ("orders", "Orders"),
    ("units", "Pieces"),
    ("refunds", "Refunds"),
)

GUARDRAILS = (
    *METRICS,
    ("search_ms", "Time of a search"),
    ("payment_failures", "Declined payments"),
    ("refund_share", "Share given back"),
)

DEVICES = (("desktop", "Desktop"), ("tablet", "Tablet"), ("phone", "Phone"))

MONEY = frozenset({"net_revenue", "refunds"})
SHARES = frozenset({"conversion", "payment_failures", "refund_share"})

WARNINGS = {
    "too_early": "It has run for less than two weeks; weekdays differ.",
    "mixed": "More than one visitor in a hundred saw two variants; they are left out.",
    "maturing": "Nobody's time is over yet; there is nothing to read.",
    "misassigned": "The audit drew a visitor's variant again, and it came out otherwise. Stop, and look why.",
    "other_currencies": "Orders in other currencies are left out.",
    "guardrail": "A guardrail is broken. Stop it, or know why.",
}


@SECTION.page("/experiments")
def experiments(visit: Visit) -> Response:
    """Newest first, and a form for a new draft."""
    page = visit.api.get("/v1/experiments", status=visit.asked("status"), cursor=visit.asked("cursor"), limit=50)
    return visit.show("analytics/experiments.html", title="Experiments", page=page, states=STATES)


@SECTION.page("/experiments/new")
def new(visit: Visit) -> Response:
    """The form of a draft."""
    return visit.show(
        "analytics/experiment_new.html", title="New experiment", metrics=METRICS, guardrails=GUARDRAILS, devices=DEVICES
    )


@SECTION.page("/experiments/<key>")
def experiment(visit: Visit, key: str) -> Response:
    """One experiment: its plan, its phases, and what came of one of them."""
    found = visit.api.get(at("/v1/experiments/{}", key))
    phase = visit.asked("phase") if visit.asked("phase").isdecimal() else ""
    results = visit.api.get(at("/v1/experiments/{}/results", key), phase=phase) if found["phase"] else None
    return visit.show(
        "analytics/experiment.html",
        title=found["name"],
        found=found,
        results=results,
        words=dict(GUARDRAILS),
        warnings=WARNINGS,
        metrics=[_drawn(metric, results["currency"]) for metric in results["metrics"]] if results else [],
    )


@SECTION.action("/experiments/new", again=new)
def draft(visit: Visit) -> Done:
    """Keep a draft; nobody sees it before it is started."""
    made = visit.api.send("POST", "/v1/experiments", _body(visit))
    return Done(at("/admin/experiments/{}", made["key"]), "Drafted. Nobody sees it before it is started.")


@SECTION.action("/experiments/<key>/start", again=experiment)
def start(visit: Visit, key: str) -> Done:
    """From now on visitors are drawn."""
    visit.api.send("PATCH", at("/v1/experiments/{}", key), {"status": "running"})
    return Done(at("/admin/experiments/{}", key), "It runs: visitors are drawn from now on.")


@SECTION.action("/experiments/<key>/stop", again=experiment)
def stop(visit: Visit, key: str) -> Done:
    """Nobody is drawn any more."""
    visit.api.send("PATCH", at("/v1/experiments/{}", key), {"status": "stopped"})
    return Done(at("/admin/experiments/{}", key), "It is stopped: everybody sees the control.")


@SECTION.action("/experiments/<key>/change", again=experiment)
def change(visit: Visit, key: str) -> Done:
    """Other words, weights or coverage; while it runs, weights and coverage begin a new phase."""
    body: dict[str, Any] = {"name": visit.typed("name"), "hypothesis": visit.typed("hypothesis")}
    found = visit.api.get(at("/v1/experiments/{}", key))
    weights = [_percent(visit.typed(f"weight-{place}"), "/weights") for place in range(len(found["variants"]))]
    coverage = _percent(visit.typed("coverage"), "/coverage")
    if [round(one, 4) for one in weights] != [round(one, 4) for one in found["weights"]]:
        body["weights"] = weights
    if round(coverage, 4) != round(found["coverage"], 4):
        body["coverage"] = coverage
    visit.api.send("PATCH", at("/v1/experiments/{}", key), body)
    return Done(at("/admin/experiments/{}", key), "Changed.")


def _body(visit: Visit) -> dict[str, Any]:
    variants = [line.rsplit(maxsplit=1) for line in visit.typed("variants").splitlines() if line.strip()]
    body: dict[str, Any] = {
        "key": visit.typed("experiment"),
        "name": visit.typed("name"),
        "hypothesis": visit.typed("hypothesis"),
        "variants": [parts[0] for parts in variants],
        "coverage": _percent(visit.typed("coverage", "100"), "/coverage"),
        "metrics": visit.ticked("metric"),
        "guardrails": visit.ticked("guardrail"),
        "window_days": whole(visit.typed("window_days")),
        "settle_days": whole(visit.typed("settle_days")),
    }
    if any(len(parts) > 1 for parts in variants):
        body["weights"] = [_percent(parts[1] if len(parts) > 1 else "", "/variants") for parts in variants]
    audience: dict[str, Any] = {"device": visit.ticked("device")} if visit.ticked("device") else {}
    if visit.typed("signed_in"):
        audience["signed_in"] = visit.typed("signed_in") == "yes"
    if visit.typed("cap"):
        body["cap_minor"] = minor(visit.typed("cap"), visit.menu.currency, "/cap")
    return body | ({"audience": audience} if audience else {})


def _percent(typed: str, pointer: str) -> float:
    """`33.3` as a share. Raises Refused for what is no share of a hundred."""
    try:
        found = Decimal(typed.replace(",", ".").rstrip("% ")) / 100
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found <= 1:
        fault = {"pointer": pointer, "detail": "must be a percentage, such as 50"}
        raise Refused(422, {"code": "invalid_request", "detail": "a share is not one", "errors": [fault]})
    return float(found)


def _drawn(metric: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """A metric with the picture of its differences and their intervals, which hold however often one looks."""
    effects: Sequence[Mapping[str, Any]] = metric["effects"]
    rows = [
        Whisker(
            effect["variant"],
            effect["difference"],
            interval["low"] if interval else None,
            interval["high"] if interval else None,
            _gap(metric["name"], effect["difference"], currency),
            strong=bool(interval and (interval["low"] > 0 or interval["high"] < 0)),
        )
        for effect in effects
        for interval in [effect["interval"]]
    ]
    told = "; ".join(
        f"{row.label} {row.note}, "
        + (
            f"between {_gap(metric['name'], row.low, currency)} and {_gap(metric['name'], row.high, currency)}"
            if row.low is not None and row.high is not None
            else "too little for an interval"
        )
        for row in rows
    )
    name = metric["name"].replace("_", " ")
    return {
        **metric,
        "told": lambda value: _told(metric["name"], value, currency),
        "gap": lambda value: _gap(metric["name"], value, currency),
        "chart": whiskers(rows, title=f"Difference of {name} to the control: {told}", ends=("less", "more"))
        if rows
        else "",
    }


def _told(name: str, value: float | None, currency: str) -> str:
    """A value of a metric per visitor, as people read it."""
    if value is None:
        return "–"
    if name in MONEY:
        return str(money(round(value), currency))
    if name == "search_ms":
        return f"{value:.1f} ms"
    return str(share(value, 2)) if name in SHARES else f"{value:.4f}"


def _gap(name: str, value: float, currency: str) -> str:
    """A difference with its sign; of shares in points, which are no per cent of anything."""
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else "±"
    if name in SHARES:
        return f"{sign}{abs(value) * 100:.2f} points"
    return f"{sign}{_told(name, abs(value), currency)}"
