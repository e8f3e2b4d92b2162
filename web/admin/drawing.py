"""Fills the admin pages' templates: money in its currency, times in the shop's zone, everything escaped."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, Undefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from shop.money import decimals
from shop.pages import figure
from web.admin.assets import asset_path

FOLDER = Path(__file__).parent / "templates"

LOCALE = "en_GB"
"""The pages speak English; days before months, as most of the world writes them."""

SIGNS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}
"""Signs that say one currency to whoever keeps a shop; the others are named by their code."""

Absent = Undefined | None
"""What an answer leaves out, and what it says is not there."""

NOTHING = Markup('<span class="nothing" aria-label="nothing">–</span>')

WORDS = {
    "requires_capture": "held, not taken",
    "requires_action": "waits for the customer",
    "awaiting_payment": "waits for payment",
}
"""States whose name alone says too little."""

ADDRESS = ("name", "company", "line1", "line2", ("postal_code", "city"), "state", "country", "phone")
"""In the order in which a label is read."""

TONES = {
    "good": "paid succeeded done won active healthy completed matched ok sent running on resolved proven drawn "
    "submitted applied returned",
    "bad": "failed dead payment_failed lost canceled rejected expired unexplained orphan parked broken bounced refused "
    "gave_up late",
    "warm": "requested pending processing placing authorized requires_action awaiting_payment needs_response open "
    "under_review waiting staged queued partially_refunded refunded disputed maturing draft paused warning trial "
    "warning_needs_response appeal_needs_response drawing sending returning received in_transit",
}
"""Which colour stands beside which state; every other one is calm."""

_TONE_OF = {name: tone for tone, names in TONES.items() for name in names.split()}


def draw(template: str, *, zone: str, **values: Any) -> str:
    """The text of a template. A field that an answer may leave out is shown as nothing."""
    return _environment().get_template(template).render(zone=zone, now=datetime.now(UTC), **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "asset": asset_path,
        "money": money,
        "major": major,
        "when": when,
        "day": day,
        "ago": ago,
        "number": number,
        "share": share,
        "took": took,
        "state": state,
        "words": words_of,
        "address": address,
        "drawn": drawn,
        "by_moment": by_moment,
        "tone": tone,
        "plain": plain,
    }
    environment.filters |= filters
    return environment


def money(amount: int | Absent, currency: str | Absent) -> str | Markup:
    """`129900, "eur"` → `€1,299.00`; `CHF 12.00` where no sign says it."""
    if isinstance(amount, Absent) or isinstance(currency, Absent):
        return NOTHING
    sign = SIGNS.get(currency)
    written = figure(abs(amount), currency)
    minus = "−" if amount < 0 else ""
    return f"{minus}{sign}{written}" if sign else f"{minus}{currency.upper()}\N{NO-BREAK SPACE}{written}"


def major(amount: int, currency: str) -> str:
    """As a form takes it: `129900, "eur"` → `1299.00`."""
    places = decimals(currency)
    whole, rest = divmod(amount, 10**places)
    return f"{whole}.{rest:0{places}d}" if places else str(whole)


@pass_context
def when(context: Context, moment: str | datetime | Absent, style: str = "short") -> Markup:
    """A time on the shop's clock, with the exact one for machines and for whoever points at it."""
    if isinstance(moment, Absent):
        return NOTHING
    at = _moment(moment).astimezone(ZoneInfo(context["zone"]))
    this_year = at.year == context["now"].astimezone(at.tzinfo).year
    pattern = ("d MMM, HH:mm" if this_year else "d MMM y, HH:mm") + (":ss" if style == "exact" else "")
    shown = format_datetime(at, pattern, tzinfo=at.tzinfo, locale=LOCALE)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), format_datetime(at, "EEEE d MMMM y, HH:mm:ss zzzz", tzinfo=at.tzinfo, locale=LOCALE), shown
    )


def day(value: str | date) -> str:
    """`2026-11-23` → `Mon 23 Nov`."""
    return format_date(date.fromisoformat(value) if isinstance(value, str) else value, "EEE d MMM", locale=LOCALE)


@pass_context
def ago(context: Context, moment: str | datetime | Absent) -> Markup:
    """How long ago, or in how long: `3 minutes ago`."""
    if isinstance(moment, Absent):
        return NOTHING
    at = _moment(moment)
    words = format_timedelta(at - context["now"], add_direction=True, locale="en")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), at.isoformat(), words)


def number(value: float | Absent) -> str | Markup:
    """`12034` → `12,034`; at most two places."""
    return NOTHING if isinstance(value, Absent) else format_decimal(value, format="#,##0.##", locale=LOCALE)


def share(value: float | Absent, places: int = 1) -> str | Markup:
    """`.0312` → `3.1%`."""
    pattern = "#,##0" + ("." + "0" * places if places else "") + "%"
    return NOTHING if isinstance(value, Absent) else format_percent(value, format=pattern, locale=LOCALE)


def took(seconds: float | Absent) -> str | Markup:
    """A duration as people say it: `340 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    if isinstance(seconds, Absent):
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"


def address(parts: Mapping[str, str | None] | Absent) -> list[str]:
    """The lines of an address as a label has them; what nobody expected there comes last."""
    if isinstance(parts, Absent):
        return []
    lines = [
        " ".join(str(parts[name]) for name in (line if isinstance(line, tuple) else (line,)) if parts.get(name))
        for line in ADDRESS
    ]
    known = {name for line in ADDRESS for name in (line if isinstance(line, tuple) else (line,))}
    return [line for line in [*lines, *(str(value) for name, value in parts.items() if name not in known)] if line]


def drawn(svg: str) -> Markup:
    """A picture of shop.charts, which escapes every word it is given."""
    return Markup(svg)  # noqa: S704


def by_moment(history: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """A history, newest second first, within one in its order; what it says twice in a second is said once."""
    seconds: dict[str, dict[str, Mapping[str, Any]]] = {}
    for moment in history:
        at = _moment(moment["at"]).replace(microsecond=0).isoformat()
        seconds.setdefault(at, {}).setdefault(moment["sentence"], moment)
    return [(at, list(said.values())) for at, said in reversed(seconds.items())]


def words_of(name: str | Absent) -> str | Markup:
    """`evidence_due` → `evidence due`; `documents.mail` stays as it is."""
    return NOTHING if isinstance(name, Absent) else name.replace("_", " ")


def state(name: str) -> Markup:
    """A state as a badge: words first, colour only beside them."""
    return Markup('<span class="badge {}">{}</span>').format(tone(name), WORDS.get(name, name.replace("_", " ")))


def tone(name: str) -> str:
    """Whether a state is good, bad, on its way (warm), or none of these (calm)."""
    return _TONE_OF.get(name, "calm")


def plain(name: str) -> str:
    """`payment_failed` → `Payment failed`."""
    words = name.replace("_", " ").replace(".", " · ")
    return words[:1].upper() + words[1:]


def _moment(value: str | datetime) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
