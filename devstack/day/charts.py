"""The day's analytics on a screen: live figures, the funnel with its intervals, and what the experiment may say."""

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from devstack.day.api import Json
from devstack.day.figures import Figures, Live

BLOCKS = " ▁▂▃▄▅▆▇█"
BAR = 12
"""Cells of the longest bar: the table stays within a window of eighty columns."""

WORDS = {
    "page_view": "came",
    "product_view": "looked at a product",
    "cart_add": "put it into the cart",
    "checkout_start": "went to the checkout",
    "order_paid": "paid",
}

METRICS = {"conversion": "bought", "net_revenue": "net revenue"}

GUARDRAILS = {
    "refunds": "refunds",
    "search_ms": "time of a search",
    "payment_failures": "declined tries to pay",
    "refund_share": "share of refunds",
}

GUARDED = {"held": "[green]not worse[/]", "broken": "[red]worse[/]", "open": "not known yet"}

WARNINGS = {
    "too_early": "too early: it has not run for two whole weeks",
    "mixed": "more than one visitor in a hundred saw several variants",
    "maturing": "nobody's time is over yet",
    "misassigned": "variants are noted that would not be drawn",
    "other_currencies": "some orders are in other currencies",
    "guardrail": "something is made worse that must not be: stop it, or know why",
}


def live(figures: Live) -> str:
    """`12 visitors; in half an hour 30 orders placed, 24 paid`, and the events of its minutes below."""
    top = max(figures.minutes, default=0)
    line = "".join(BLOCKS[-(-count * (len(BLOCKS) - 1) // top)] if top else " " for count in figures.minutes)
    people = (
        f"{figures.visitors_now} visitors, {sum(figures.minutes):,} events {line if len(line) > 1 else ''}".rstrip()
    )
    return f"{people}\nin half an hour {figures.orders_placed} orders placed, {figures.orders_paid} paid"


def funnel(answer: Json) -> RenderableType:
    table = _table("From the first page to the paid order")
    table.add_column("visitors who", min_width=20)
    table.add_column("", justify="right")
    table.add_column("", min_width=BAR, style="cyan")
    for name in ("of all", "95 % sure", "of step"):
        table.add_column(name, justify="right", no_wrap=True)
    for step in answer["steps"]:
        total = step["total"]
        rate = total["rate"] or 0.0
        between = f"{total['low']:.0%} – {total['high']:.0%}" if step is not answer["steps"][0] else ""
        table.add_row(
            WORDS.get(step["name"], step["name"]),
            f"{total['units']:,}",
            "█" * round(rate * BAR),
            _percent(rate),
            between,
            _percent(step["step"]["rate"]) if between else "",
        )
    money = [
        f"{row['orders']:,} orders of those who paid: {row['net'] / 100:,.2f} {row['currency'].upper()} net"
        for row in answer.get("revenue") or []
    ]
    return Group(table, *_below(money))


def experiment(figures: Figures) -> RenderableType:
    """Each variant's buyers with Wilson's interval, then whether anything may be concluded at all."""
    found = figures.results
    table = _table(f"Experiment {found['key']}, phase {found['phase']}")
    table.add_column("variant", min_width=20)
    for name in ("visitors", "bought", "rate", "95 % sure"):
        table.add_column(name, justify="right")
    for group in found["groups"]:
        rate = group["rate"]
        said = ("", "") if rate is None else (_percent(rate["rate"]), f"{rate['low']:.0%} – {rate['high']:.0%}")
        table.add_row(group["variant"], f"{group['visitors']:,}", str(group["buyers"]), *said)
    return Group(table, *_below(_sentences(figures)))


def _sentences(figures: Figures) -> list[str]:
    found = figures.results
    lines: list[str] = [_split(found)]
    for metric in found["metrics"]:
        lines += [(_guard if metric["guardrail"] else _effect)(metric, effect) for effect in metric["effects"]]
    lines += [WARNINGS[warning] for warning in found["warnings"]]
    audit = found["audit"]
    lines.append(f"audit: {audit['checked']} noted variants drawn again, {audit['wrong']} came out otherwise")
    lines.append(f"the nightly report tells of it, with {figures.reported['exposed']} visitors")
    return lines


def _split(found: Json) -> str:
    came = " : ".join(str(group["exposed"]) for group in found["groups"])
    if found["srm_p"] is None:
        return f"split {came}: too few visitors to judge it"
    if found["blocked"]:
        return f"[red]split {came} is not the planned one (p = {found['srm_p']:.2g}): no readout[/]"
    return f"split {came}: [green]as planned[/] (p = {found['srm_p']:.2g})"


def _effect(metric: Json, effect: Json) -> str:
    name, interval = METRICS.get(metric["name"], metric["name"]), effect["interval"]
    # A share cannot move by more than a whole: such an interval says that nothing is known.
    if interval is None or (metric["name"] == "conversion" and max(interval["high"], -interval["low"]) > 1):
        return f"{effect['variant']}, {name}: too few visitors to say anything"
    low, high = (_amount(metric["name"], interval[end]) for end in ("low", "high"))
    sure = interval["low"] > 0 or interval["high"] < 0
    verdict = ("better" if interval["low"] > 0 else "worse") if sure else "no difference shown"
    return f"{effect['variant']}, {name}: {low} to {high} a visitor, {verdict}"


def _guard(metric: Json, effect: Json) -> str:
    told = GUARDRAILS.get(metric["name"], metric["name"])
    return f"{effect['variant']}, guardrail {told}: {GUARDED[effect['guard']['verdict']]}"


def _amount(metric: str, value: float) -> str:
    return f"{value * 100:+.0f} points" if metric == "conversion" else f"{value / 100:+,.2f}"


def _below(sentences: list[str]) -> list[RenderableType]:
    return [Padding(sentence, (0, 2)) for sentence in sentences]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.ROUNDED)
