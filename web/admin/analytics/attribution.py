"""What brought the orders: channels and campaigns by the net revenue of the orders after them."""

from flask import Response

from shop.charts import Bar, rows
from web.admin.analytics.span import span
from web.admin.drawing import money
from web.admin.section import Section, Visit

SECTION = Section("Attribution", "/attribution", "Analytics")

MODELS = (("last", "The last visit"), ("first", "The first visit"), ("linear", "Every visit the same"))
BY = (("channel", "Channels"), ("campaign", "Campaigns"))
LOOKBACK = tuple((str(days), f"{days} days") for days in (7, 30, 60, 90))


@SECTION.page("/attribution")
def attribution(visit: Visit) -> Response:
    """To the last cent: what is told apart adds up to the revenue of these days."""
    days = span(visit)
    found = visit.api.get(
        "/v1/analytics/attribution",
        model=visit.asked("model"),
        by=visit.asked("by"),
        lookback_days=visit.asked("lookback"),
        skip_direct=visit.asked("skip_direct") == "1",
        **days.query,
    )
    charts = [
        (one["currency"], _chart([row for row in found["data"] if row["currency"] == one["currency"]], one["currency"]))
        for one in found["totals"]
    ]
    return visit.show(
        "analytics/attribution.html",
        title="Attribution",
        span=days,
        found=found,
        models=MODELS,
        by=BY,
        lookback=LOOKBACK,
        charts=[(currency, chart) for currency, chart in charts if chart],
    )


def _chart(found: list[dict[str, object]], currency: str) -> str:
    bars = [
        Bar(str(row["value"] or "none named")[:40], max(net, 0), str(money(net, currency)), strong=True)
        for row in found
        if isinstance(net := row["net"], int)
    ]
    told = ", ".join(f"{bar.label} {bar.note}" for bar in bars)
    return rows(bars[:12], title=f"Net revenue: {told}", width=620, label_width=160) if bars else ""
