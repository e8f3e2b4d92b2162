"""What analytics says of the day, asked as a colleague asks it: live figures, the funnel, the experiment."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from devstack.day.api import Api, Json, Unexpected
from devstack.day.experiment import KEY

STEPS = ("page_view", "product_view", "cart_add", "checkout_start", "order_paid")
"""From the first page to the paid order; the last one is a fact of the order, which no page can claim."""

STORED_WITHIN_S = 60.0


@dataclass(frozen=True)
class Live:
    """The last half hour as the live page shows it. `minutes`: events of people a minute, oldest first."""

    visitors_now: int
    orders_placed: int
    orders_paid: int
    minutes: list[int]


@dataclass(frozen=True)
class Figures:
    """Answers of the API as they came; `reported` is what the nightly report's frozen figures say of the experiment."""

    live: Live
    funnel: Json
    results: Json
    reported: Json


def live(support: Api) -> Live:
    """As soon as nothing is on the way any more."""
    found = support.until("/v1/analytics/live", lambda now: now["in_flight"] == 0, seconds=STORED_WITHIN_S)
    minutes = [sum(minute["events"].values()) for minute in found["minutes"]]
    return Live(found["visitors_now"], found["orders_placed"], found["orders_paid"], minutes)


def funnel(support: Api, since: datetime) -> Json:
    """Of visitors whose visit began since then."""
    question = {"steps": [{"name": name} for name in STEPS], "window": "1d", "revenue": True, "from": since.isoformat()}
    return support.post("/v1/analytics/funnel", question, expect=(200,))


def results(admin: Api) -> Json:
    return admin.get(f"/v1/experiments/{KEY}/results")


def reported(report: Path) -> Json:
    """The experiment's section in the nightly report. Raises Unexpected when the report does not know it."""
    figures = json.loads(report.read_bytes())
    rows = figures.get("experiments", [])
    found = next((row for row in rows if row["key"] == KEY), None)
    if found is None:
        raise Unexpected(f"the nightly report says nothing of the experiment {KEY}")
    return found
