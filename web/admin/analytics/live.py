"""What is happening right now: visitors, orders and events of the last half hour, refreshed by itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from shop.charts import Bar, columns
from web.admin.section import Section, Visit

SECTION = Section("Live", "/live", "Analytics")

BOTS = (("without", "People"), ("with", "People and machines"), ("only", "Machines"))

MINUTES = 30
"""As many as the API tells of."""


@SECTION.page("/live")
def live(visit: Visit) -> Response:
    """Counted as events come in."""
    bots = visit.asked("bots", "without")
    found = visit.api.get("/v1/analytics/live", bots=bots)
    names: Counter[str] = Counter()
    for minute in found["minutes"]:
        names.update(minute["events"])
    return visit.show(
        "analytics/live.html",
        title="Live",
        found=found,
        bots=bots,
        kinds=BOTS,
        names=names.most_common(),
        chart=_minutes(visit, found["minutes"]),
        trending=visit.api.get("/v1/trending", window="1h", limit=8)["data"],
    )


def _minutes(visit: Visit, found: Sequence[Mapping[str, Any]]) -> str:
    """Events by minute, the newest strong."""
    zone = ZoneInfo(visit.menu.zone)
    counts = {datetime.fromisoformat(one["minute"]): sum(one["events"].values()) for one in found}
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    minutes = [now - timedelta(minutes=place) for place in reversed(range(MINUTES))]
    bars = [
        Bar(f"{at.astimezone(zone):%H:%M}" if at.minute % 5 == 0 else "", counts.get(at, 0), strong=at == now)
        for at in minutes
    ]
    title = f"Events by minute: {sum(counts.values())} in half an hour, {counts.get(now, 0)} in this one"
    return columns(bars, title=title, width=760, height=150)
