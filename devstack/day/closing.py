"""What a person sees when the day is over: what happened, whether the books agree, and where to look."""

from collections import Counter
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from devstack.day import charts
from devstack.day.customers import SOLD_OUT, Plan
from devstack.day.evening import Books
from devstack.day.story import Day
from devstack.day.town import Town
from devstack.environment import command, shown

FIRST_COLUMN = 38
"""So that the tables stand in line below each other."""


def show(console: Console, town: Town, day: Day) -> None:
    """Print the closing tables. Everything in them was read through the public API."""
    console.print(_visits(day))
    if day.figures is not None:
        console.print(charts.funnel(day.figures.funnel))
        console.print(charts.experiment(day.figures))
    if day.books is not None:
        console.print(_books(day.books, day))
        console.print(_where(town, day, day.books))
    for trouble in day.troubles:
        console.print(f"[red]✗[/] {trouble}", soft_wrap=True, markup=True)
    good, bad = "[bold green]Every order is accounted for.[/]", "[bold red]Something is not accounted for.[/]"
    verdict = good if day.accounted else bad
    console.print(f"{verdict} The day took {day.seconds:.0f} s.")


def _visits(day: Day) -> Table:
    table = Table(title="Customers", title_justify="left", title_style="bold", box=box.ROUNDED)
    table.add_column("what they did", min_width=FIRST_COLUMN)
    for name in ("how many", "orders", "money"):
        table.add_column(name, justify="right")
    counts = Counter(story.outcome for story in day.visits)
    for outcome in [*(plan.value for plan in Plan), *([SOLD_OUT] if counts[SOLD_OUT] else [])]:
        orders = [story for story in day.visits if story.outcome == outcome and story.order_id]
        kept = sum(story.kept for story in orders)
        table.add_row(outcome, str(counts[outcome]), str(len(orders)), f"{kept / 100:,.2f} €" if kept else "")
    return table


def _books(books: Books, day: Day) -> Table:
    searches = sorted(ms for story in day.visits for ms in story.search_ms)
    middle = f", half of them within {searches[len(searches) // 2]:.0f} ms" if searches else ""
    unexplained = "[green]0 unexplained[/]" if not books.unexplained else f"[red]{books.unexplained} unexplained[/]"
    return _facts(
        "The books at night",
        {
            "products searchable": f"{day.products:,}",
            "searches": f"{len(searches)}{middle}",
            "events": f"{books.received:,} received: {books.stored:,} stored, {books.duplicates:,} sent twice, "
            f"{books.lost} lost",
            "documents": f"{_many(books.invoices, 'invoice')}, {_many(books.credit_notes, 'credit note')}, "
            f"{_many(books.mails, 'mail')}",
            "refunds": str(books.refunds),
            "ledger": "[green]balanced, chain unbroken[/]" if books.ledger_balanced else "[red]NOT balanced[/]",
            "compared with Stripe": f"{_many(books.differences, 'difference')}, {unexplained}",
            "dead jobs": str(books.dead_jobs),
            "trending": "\n".join(books.trending),
            **({"live": charts.live(day.figures.live)} if day.figures else {}),
        },
    )


def _where(town: Town, day: Day, books: Books) -> Table:
    paid = next((story for story in day.visits if story.status == "paid"), None)
    # Without a frame, so that what is meant to be copied can be copied whole.
    table = Table(title="Where to look", title_justify="left", title_style="bold", box=None, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("pages for the staff", f"{town.api_url}/admin (click Sign in, then a name)")
    table.add_row("API, documented", f"{town.api_url}/docs")
    table.add_row("mails with invoices", town.mailbox_url)
    table.add_row("Stripe's stand-in", f"{town.stripe_url}/standin/state")
    table.add_row("nightly report", f"{shown(Path(books.report_files[0]))} (.csv, .json)")
    table.add_row("search", f'{command()} search "something to keep drinks cold"')
    if paid is not None:
        table.add_row("why an order is so", f"{command()} order {paid.order_id}")
    return table


def _facts(title: str, facts: dict[str, str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.ROUNDED, show_header=False)
    table.add_column(width=FIRST_COLUMN)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
