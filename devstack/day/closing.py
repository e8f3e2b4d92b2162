"""What a person sees when the day is over: what happened, whether the books agree, and where to look."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from devstack.day.customers import Plan
from devstack.day.story import Day
from devstack.day.town import Town


def show(console: Console, town: Town, day: Day) -> None:
    """Print the closing tables. Everything in them was read through the public API."""
    console.print(_visits(day))
    console.print(_books(day))
    console.print(_where(town, day))
    for trouble in day.troubles:
        console.print(f"[red]✗[/] {trouble}", soft_wrap=True, markup=True)
    good, bad = "[bold green]Every order is accounted for.[/]", "[bold red]Something is not accounted for.[/]"
    verdict = good if day.accounted else bad
    console.print(f"{verdict} The day took {day.seconds:.0f} s.")


def _visits(day: Day) -> Table:
    table = Table(title="Customers", title_justify="left")
    for name in ("what they did", "how many", "orders", "money"):
        table.add_column(name, justify="left" if name == "what they did" else "right")
    counts = Counter(story.plan for story in day.visits)
    for plan in Plan:
        stories = [story for story in day.visits if story.plan is plan]
        orders = [story for story in stories if story.order_id]
        taken = sum(story.total for story in orders if story.status == "paid")
        table.add_row(plan.value, str(counts[plan]), str(len(orders)), f"{taken / 100:,.2f} €" if taken else "")
    return table


def _books(day: Day) -> Table:
    table = Table("the books", "", title="The night", title_justify="left")
    books = day.books
    if books is None:
        return table
    searches = sorted(ms for story in day.visits for ms in story.search_ms)
    middle = f", half of them within {searches[len(searches) // 2]:.0f} ms" if searches else ""
    rows = (
        ("products searchable", f"{day.products:,}"),
        ("searches", f"{len(searches)}{middle}"),
        ("events received", f"{books.received:,}"),
        ("of them", f"{books.stored:,} stored, {books.duplicates:,} sent twice, {books.lost} lost"),
        ("invoices, credit notes, mails", f"{books.invoices}, {books.credit_notes}, {books.mails}"),
        ("refunds", str(books.refunds)),
        ("ledger", "balanced, chain unbroken" if books.ledger_balanced else "[red]NOT balanced[/]"),
        ("differences with Stripe", f"{books.differences}, unexplained {books.unexplained}"),
        ("dead jobs", str(books.dead_jobs)),
        ("trending", "\n".join(books.trending)),
    )
    for name, value in rows:
        table.add_row(name, value)
    return table


def _where(town: Town, day: Day) -> Table:
    table = Table("where to look", title="And now", title_justify="left")
    table.add_column("", overflow="fold")
    paid = next((story for story in day.visits if story.status == "paid"), None)
    table.add_row("API and its documentation", f"{town.api_url}/docs")
    table.add_row("mailbox with the invoices", town.mailbox_url)
    table.add_row("Stripe's stand-in", f"{town.stripe_url}/standin/state")
    if day.books is not None:
        for path in day.books.report_files:
            table.add_row(f"nightly report ({path.suffix[1:]})", str(path))
    if paid is not None:
        table.add_row("one order's story", f"{town.api_url}/v1/orders/{paid.order_id}/timeline")
    table.add_row("search from the terminal", 'eval "$(backroom env)"; backroom search "something to keep drinks cold"')
    return table
