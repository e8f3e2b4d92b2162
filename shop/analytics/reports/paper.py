"""A report's snapshot as a page of HTML, ready for the printer: words, tables and charts, no figure of its own."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shop import charts
from shop.charts import Bar
from shop.pages import fill, price

TEMPLATES = Path(__file__).parent / "templates"

Figures = Mapping[str, Any]

TITLES = {"nightly": "Nightly report", "revenue": "Revenue report"}

STATEMENT = (
    ("gross", "Gross sales, tax included", 1, "first"),
    ("refunds", "Refunds, tax included", -1, ""),
    ("tax", "Tax on what is left", -1, ""),
    ("net", "Net revenue", 1, "sum"),
    ("goods", "goods, before refunds", 1, "quiet"),
    ("shipping", "shipping, before refunds", 1, "quiet"),
    ("fees", "Payment fees", -1, ""),
    ("disputes", "Disputes", -1, ""),
)
"""Field, words, sign on the paper, look. The last line, what remains, is made of net, fees and disputes."""


def page(figures: Figures, sha256: str, name: str, address: str, tax_id: str) -> str:
    """HTML for shop.pdf.draw; everything in it comes from the snapshot and the shop's name and address."""
    head = figures["report"]
    return fill(
        TEMPLATES,
        "report.html",
        title=f"{TITLES[head['kind']]} {head['day']}",
        heading=TITLES[head["kind"]],
        running=f"{TITLES[head['kind']]} · {head['day']}",
        seller={"name": name, "address": address, "tax_id": tax_id, "email": None, "imprint": None},
        head=head,
        weekday=f"{date.fromisoformat(head['day']):%A}",
        local=lambda moment: _local(moment, head["zone"]),
        moneys=_moneys(figures),
        restated=_restated(figures),
        held=[_held(row) for row in figures["reconciliation"]["held"]],
        figures=figures,
        funnel_chart=_funnel_chart(figures["funnel"]) if "funnel" in figures else "",
        channel_chart=_channel_chart(figures.get("channels", ())),
        tracking=_tracking(figures.get("tracking", ())),
        experiments=[_experiment(row) for row in figures.get("experiments", ())],
        percent=percent,
        sha256=sha256,
    )


def percent(hundredths: int | None) -> str:
    """`1234` → `12.3 %`."""
    return "–" if hundredths is None else f"{hundredths / 100:.1f}\N{NO-BREAK SPACE}%"


def change(now: int, then: int | None) -> str:
    """`+12.5 %` against what was; empty where there is nothing to compare with."""
    if not then:
        return ""
    share = round((now - then) * 1000 / abs(then))
    sign = "+" if share > 0 else "\N{MINUS SIGN}" if share < 0 else "±"
    return f"{sign}{abs(share) / 10:.1f}\N{NO-BREAK SPACE}%"


def _moneys(figures: Figures) -> list[dict[str, Any]]:
    """One statement per currency: currencies are never added up."""
    money = figures["money"]
    currencies = sorted({row["currency"] for row in (*money["booking_day"], *money["order_day"])})
    return [_money(figures, currency) for currency in currencies]


def _money(figures: Figures, currency: str) -> dict[str, Any]:
    money = figures["money"]
    booked = _of(money["booking_day"], currency)
    placed = _of(money["order_day"], currency)
    week = _of(money["week_before"]["rows"], currency)
    year = _of(money["year_before"]["rows"], currency)
    columns = (booked, placed, week, year)
    return {
        "currency": currency,
        "booked": booked,
        "tiles": _tiles(booked, week if figures["report"]["final"] else NOTHING, currency),
        "lines": [
            {
                "words": words,
                "look": look,
                "values": [_told(row, sign * row[field]) for row in columns],
            }
            for field, words, sign, look in STATEMENT
        ],
        "left": [_told(row, row["net"] - row["fees"] - row["disputes"]) for row in columns],
        "orders": [_told(row, row["orders"]) for row in columns],
        "average": [row["average_order"] for row in columns],
        "chart": _trade_chart(figures, currency),
    }


NOTHING = {
    "gross": 0,
    "refunds": 0,
    "net": 0,
    "goods": 0,
    "shipping": 0,
    "tax": 0,
    "fees": 0,
    "disputes": 0,
    "orders": 0,
    "refunded_orders": 0,
    "average_order": None,
}


def _of(rows: Sequence[Figures], currency: str) -> Figures:
    return next((row for row in rows if row["currency"] == currency), NOTHING)


def _told(row: Figures, value: int) -> int | None:
    # Nothing was booked then, so there is nothing to compare with; a row of zeros would look like a bad day.
    return None if row is NOTHING else value


def _tiles(booked: Figures, week: Figures, currency: str) -> list[dict[str, str]]:
    average = booked["average_order"]
    return [
        {
            "label": "Gross sales",
            "value": price(booked["gross"], currency),
            "change": change(booked["gross"], week["gross"]),
        },
        {"label": "Net revenue", "value": price(booked["net"], currency), "change": change(booked["net"], week["net"])},
        {"label": "Orders", "value": f"{booked['orders']:,}", "change": change(booked["orders"], week["orders"])},
        {
            "label": "Average order",
            "value": "–" if average is None else price(average, currency),
            "change": change(average or 0, week["average_order"]) if average else "",
        },
    ]


def _trade_chart(figures: Figures, currency: str) -> str:
    last = date.fromisoformat(figures["report"]["day"])
    by_day = {row["day"]: row["net"] for row in figures["trade"] if row["currency"] == currency}
    days = [last - timedelta(days=back) for back in reversed(range(28))]
    bars = [
        Bar(
            label=f"{day.day} {day:%b}" if day == last or (last - day).days % 7 == 0 else "",
            value=by_day.get(day.isoformat(), 0),
            note=price(by_day.get(day.isoformat(), 0), currency),
            strong=day == last,
        )
        for day in days
    ]
    highest = max(bar.value for bar in bars)
    return charts.columns(
        bars,
        title="Net revenue by the day the order was placed, last 28 days",
        axis=["0", price(round(highest), currency)] if highest > 0 else [],
    )


def _restated(figures: Figures) -> list[dict[str, Any]]:
    return [{**row, "difference": row["now"]["net"] - row["before"]["net"]} for row in figures["restated"]["days"]]


def _held(row: Figures) -> dict[str, Any]:
    captured = row["captured_by_orders"] - row["captured_by_ledger"]
    refunded = row["refunded_by_orders"] - row["refunded_by_ledger"]
    return {**row, "captured_gap": captured, "refunded_gap": refunded}


def _funnel_chart(funnel: Figures) -> str:
    steps = (
        ("Visitors", funnel["visitors"]),
        ("Saw a product", funnel["viewed"]),
        ("Put into a cart", funnel["carted"]),
        ("Began to check out", funnel["checkout"]),
        ("Orders placed", funnel["placed"]),
        ("Orders paid", funnel["paid"]),
    )
    all_visitors = funnel["visitors"]
    bars = [
        Bar(label, count, f"{count:,}{_of_visitors(count, all_visitors)}", strong=label == "Orders paid")
        for label, count in steps
    ]
    return charts.rows(bars, title="From the visit to the paid order")


def _of_visitors(count: int, visitors: int) -> str:
    # More orders than visitors means that not every buyer's page sent events: a share would mislead.
    return f"  ·  {percent(round(count * 10_000 / visitors))}" if 0 < count <= visitors else ""


def _channel_chart(rows: Sequence[Figures]) -> str:
    bars = [Bar(row["channel"].capitalize(), row["visitors"], f"{row['visitors']:,}") for row in rows]
    return charts.rows(bars, title="Visitors by channel") if bars else ""


def _tracking(rows: Sequence[Figures]) -> dict[str, Any]:
    orders, seen = sum(row["orders"] for row in rows), sum(row["tracked"] for row in rows)
    return {
        "orders": orders,
        "lost": orders - seen,
        "share": _lost(orders, seen),
        "methods": _lost_by(rows, "method", METHODS),
        "browsers": _lost_by(rows, "browser", BROWSERS) if all("browser" in row for row in rows) else [],
    }


def _lost_by(rows: Sequence[Figures], field: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Summed by card or by browser, most orders first."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        sofar = sums.setdefault(row[field], [0, 0])
        sofar[0] += row["orders"]
        sofar[1] += row["orders"] - row["tracked"]
    found = sorted(sums.items(), key=lambda pair: (-pair[1][0], pair[0]))
    return [
        {"words": names.get(name, name.capitalize()), "orders": orders, "lost": lost} for name, (orders, lost) in found
    ]


METHODS = {"amex": "American Express", "unknown": "Not by card, or not known", "jcb": "JCB", "unionpay": "UnionPay"}
BROWSERS = {"unknown": "Not known", "other": "Another, or an app", "samsung": "Samsung Internet"}
"""Names that are not simply capitalised."""


def _lost(orders: int, seen: int) -> int | None:
    return round((orders - seen) * 10_000 / orders) if orders else None


METRICS = {
    "conversion": "Conversion",
    "net_revenue": "Net revenue a visitor",
    "orders": "Orders a visitor",
    "units": "Pieces a visitor",
    "refunds": "Refunds a visitor",
}

GUARDRAILS = {
    "search_ms": "Time of a search",
    "payment_failures": "Declined tries to pay",
    "refund_share": "Share of refunds",
}


def _experiment(row: Figures) -> dict[str, Any]:
    # A report frozen before there were guardrails says nothing of them.
    guards = row.get("guardrails", [])
    broken = [f"{_named(one['name'])} ({one['variant']})" for one in guards if one["verdict"] == "broken"]
    held = sum(one["verdict"] == "held" for one in guards)
    says = [_says(row, effect) for effect in row["effects"]]
    return {
        **row,
        "metric": METRICS[row["metric"]],
        "says": says,
        "guards": len(guards),
        "held": held,
        "broken": broken,
    }


def _named(guardrail: str) -> str:
    return METRICS.get(guardrail) or GUARDRAILS[guardrail]


def _says(row: Figures, effect: Figures) -> str:
    """`green +12.5 % (+2.0 % to +23.0 %)`, with what that means while somebody may look every day."""
    if effect["low"] is None:
        return f"{effect['variant']}: too little to say"
    sure = effect["low"] > 0 or effect["high"] < 0
    verdict = ("better" if effect["low"] > 0 else "worse") if sure else "no difference shown"
    between = f"{signed(effect['low'])} to {signed(effect['high'])}"
    words = f"{effect['variant']}: {signed(effect['lift'])} ({between}), {verdict}"
    return f"{words}, too early to stop" if sure and "too_early" in row["warnings"] else words


def signed(hundredths: int) -> str:
    """`+1.2 %`."""
    sign = "+" if hundredths > 0 else "\N{MINUS SIGN}" if hundredths < 0 else "±"
    return f"{sign}{percent(abs(hundredths))}"


def _local(moment: str, zone: str) -> str:
    """A time of the snapshot on the shop's clock."""
    there = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%B %Y, %H:%M}"
