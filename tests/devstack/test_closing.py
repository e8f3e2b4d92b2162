"""What a person reads when the day is over: what really happened, in a window of eighty columns."""

import io
from pathlib import Path

from rich.console import Console

from devstack.day import closing
from devstack.day.api import Json
from devstack.day.customers import SOLD_OUT, Plan, Visit
from devstack.day.evening import Books
from devstack.day.figures import Figures, Live
from devstack.day.story import Day
from devstack.day.town import Town

TOWN = Town(
    api_url="http://127.0.0.1:8000",
    auth_url="http://127.0.0.1:8001",
    product_url="http://127.0.0.1:8002",
    cart_url="http://127.0.0.1:8003",
    stripe_url="http://127.0.0.1:8010",
    mailbox_url="http://127.0.0.1:8011",
    service_token="of the neighbours",
    folder="/",
    time_zone="Europe/Berlin",
)
ORDER_ID = "ord_01m84nka52gje7e431d2746mxn"
WINDOW = 80


def test_an_order_that_found_the_shelf_empty_is_not_counted_as_paid() -> None:
    paid = Visit(Plan.BUYS, "Ada", order_id=ORDER_ID, status="paid", total=1000)
    late = Visit(Plan.BUYS, "Ben", order_id="ord_2", status="rejected", sold_out=True)
    lines = _closing(paid, late).splitlines()
    assert _row(lines, Plan.BUYS.value) == ["1", "1", "10.00 €"]
    assert _row(lines, SOLD_OUT) == ["1", "1", ""]


def test_nobody_is_told_of_empty_shelves_when_there_were_none() -> None:
    assert SOLD_OUT not in _closing(Visit(Plan.BUYS, "Ada", order_id=ORDER_ID, status="paid", total=1000))


def test_frames_close_and_commands_stay_whole_in_a_narrow_window() -> None:
    shown = _closing(Visit(Plan.BUYS, "Ada", order_id=ORDER_ID, status="paid", total=1000))
    lines = shown.splitlines()
    assert max(map(len, lines)) <= WINDOW
    assert sum(line.startswith("╭") for line in lines) == sum(line.endswith("╮") for line in lines) == 2
    assert any(line.endswith(f"backroom order {ORDER_ID}") for line in lines)


def test_one_is_one_and_two_are_many() -> None:
    assert "2 invoices, 1 credit note, 3 mails" in _closing()


def _closing(*visits: Visit) -> str:
    screen = Console(file=io.StringIO(), width=WINDOW)
    closing.show(screen, TOWN, Day(products=2000, visits=list(visits), books=_books()))
    assert isinstance(screen.file, io.StringIO)
    return "\n".join(line.rstrip() for line in screen.file.getvalue().splitlines())


def _row(lines: list[str], name: str) -> list[str]:
    return next([cell.strip() for cell in line.split("│")[2:-1]] for line in lines if line.startswith(f"│ {name} "))


def _books() -> Books:
    return Books(
        refunds=1,
        invoices=2,
        credit_notes=1,
        mails=3,
        trending=["Castelune Tern 18-Step Burr Coffee Grinder in Brushed Silver, 120 g"],
        received=20,
        stored=18,
        duplicates=2,
        lost=0,
        differences=0,
        unexplained=0,
        ledger_balanced=True,
        dead_jobs=0,
        report_id="rep_1",
        report_files=[Path("/srv/shop/.backroom/reports/nightly-2026-11-23.pdf")],
    )


def test_funnel_and_experiment_fit_a_narrow_window_and_few_visitors_prove_nothing() -> None:
    screen = Console(file=io.StringIO(), width=WINDOW)
    closing.show(screen, TOWN, Day(products=2000, books=_books(), figures=_figures(srm_p=None, blocked=None)))
    lines = _lines(screen)
    assert max(map(len, lines)) <= WINDOW
    assert _row(lines[lines.index("From the first page to the paid order") :], "paid") == [
        "23",
        "███████",
        "57%",
        "42% – 71%",
        "85%",
    ]
    assert _row(lines, "one_page") == ["17", "11", "65%", "41% – 83%"]
    said = [line.strip() for line in lines]
    assert "split 23 : 17: too few visitors to judge it" in said
    assert "one_page, bought: too few visitors to say anything" in said
    assert "one_page, net revenue: -3.45 to +3.35 a visitor, no difference shown" in said
    assert "one_page, guardrail time of a search: not worse" in said
    assert "one_page, guardrail declined tries to pay: not known yet" in said
    assert "too early: it has not run for two whole weeks" in said


def test_a_wrong_split_is_said_instead_of_results() -> None:
    screen = Console(file=io.StringIO(), width=WINDOW)
    closing.show(screen, TOWN, Day(books=_books(), figures=_figures(srm_p=0.0004, blocked="srm")))
    lines = _lines(screen)
    assert any("is not the planned one (p = 0.0004): no readout" in line for line in lines)
    assert _row(lines, "one_page") == ["17", "11", "", ""]
    assert not any("net revenue:" in line for line in lines)


def _lines(screen: Console) -> list[str]:
    assert isinstance(screen.file, io.StringIO)
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]


def _figures(*, srm_p: float | None, blocked: str | None) -> Figures:
    def share(units: int, of: int, low: float, high: float) -> Json:
        return {"units": units, "of": of, "rate": units / of, "low": low, "high": high}

    def step(name: str, units: int, before: int, low: float, high: float) -> Json:
        return {"name": name, "total": share(units, 40, low, high), "step": share(units, before, 0, 1)}

    def group(variant: str, visitors: int, buyers: int, low: float, high: float) -> Json:
        rate = None if blocked else {"rate": buyers / visitors, "low": low, "high": high}
        return {"variant": variant, "exposed": visitors, "visitors": visitors, "buyers": buyers, "rate": rate}

    def effects(low: float, high: float) -> list[Json]:
        return [] if blocked else [{"variant": "one_page", "interval": {"low": low, "high": high, "p": 1.0}}]

    def guarded(verdict: str) -> list[Json]:
        return [] if blocked else [{"variant": "one_page", "interval": None, "guard": {"verdict": verdict}}]

    results: Json = {
        "key": "short-checkout",
        "phase": 1,
        "groups": [group("control", 23, 12, 0.33, 0.71), group("one_page", 17, 11, 0.41, 0.83)],
        "srm_p": srm_p,
        "blocked": blocked,
        "warnings": ["too_early"],
        "audit": {"checked": 40, "wrong": 0},
        "metrics": [
            {"name": "conversion", "guardrail": False, "effects": effects(-1.49, 1.74)},
            {"name": "net_revenue", "guardrail": False, "effects": effects(-345.0, 335.0)},
            {"name": "search_ms", "guardrail": True, "effects": guarded("held")},
            {"name": "payment_failures", "guardrail": True, "effects": guarded("open")},
        ],
    }
    funnel: Json = {
        "steps": [step("page_view", 40, 40, 0.91, 1), step("order_paid", 23, 27, 0.42, 0.71)],
        "revenue": [{"currency": "eur", "orders": 23, "net": 297572}],
    }
    return Figures(Live(40, 27, 23, [200, 357]), funnel, results, {"exposed": 40})
