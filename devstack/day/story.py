"""The day from morning to night: who comes with which plan, in which order things happen, what is told at the end."""

import random
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from devstack.day import evening, experiment, figures, incidents, morning
from devstack.day.api import Api, Json, Unexpected
from devstack.day.customers import Plan, Visit, visit
from devstack.day.evening import Books
from devstack.day.figures import Figures
from devstack.day.morning import Listener
from devstack.day.town import Town
from devstack.seed.shop import generate_shop

AT_ONCE = 4
"""Customers in the shop at the same time; more only makes two cores busy with each other."""

SEARCHES = (
    "coffee grinder", "warm winter jacket", "gift for a gardener", "running shoes", "desk lamp", "wireless headphones",
    "cast iron pan", "yoga mat", "toy for a two year old", "tent for two people", "stainless steel bottle",
    "something to keep drinks cold", "ceramic mug", "backpack", "face cream", "board game for families",
)  # fmt: skip


@dataclass
class Day:
    """What happened."""

    products: int = 0
    visits: list[Visit] = field(default_factory=list[Visit])
    troubles: list[str] = field(default_factory=list[str])
    books: Books | None = None
    figures: Figures | None = None
    seconds: float = 0.0

    @property
    def accounted(self) -> bool:
        """Every order ended as planned, nothing unexplained, nothing lost, nothing dead."""
        books = self.books
        return (
            books is not None
            and not self.troubles
            and not (books.unexplained or books.lost or books.dead_jobs or not books.ledger_balanced)
        )


def play(town: Town, console: Console, *, customers: int, seed: int) -> Day:
    """Play the whole day. Raises Unexpected when a step that everything rests on fails."""
    day, started, opened = Day(), time.monotonic(), datetime.now(UTC)
    support, admin = town.staff("support"), town.staff("admin")
    dice = random.Random(seed)
    morning.refill_shelves(town)
    with _bar(console, "The catalogue comes in") as progress:
        day.products = morning.take_in_catalogue(town, town.staff("service"), progress)
    with _bar(console, "Products are embedded") as progress:
        morning.wait_until_embedded(support, day.products, progress)
    # Stripe promises deliveries at least once and in no order: the first ones of the day come twice.
    town.stripe_doors().post("/standin/deliveries", {"mode": "double", "for": 10}, expect=(200, 201))
    experiment.start(admin)
    with _bar(console, "Customers come and go") as progress:
        _open_doors(town, day, _plans(customers, dice), dice, progress)
    with console.status("One more customer, whose payment Stripe forgets to tell us about …"):
        _lose_news(town, support, day, dice)
    now = figures.live(support)
    with console.status("Goods come back, documents go out …"):
        for story in day.visits:
            _after_the_purchase(town, support, story)
        documents = evening.count_documents(town, support, day.visits)
    with console.status("What is trending is computed every minute …"):
        trending = evening.wait_for_trending(town.stranger("vis_closing_time"))
    with console.status("The night: report, reconciliation, ledger …"):
        day.books = _close_books(town, support, admin, documents, trending, day)
        walked, read = figures.funnel(support, opened), figures.results(admin)
        day.figures = Figures(now, walked, read, figures.reported(day.books.report_files[-1]))
    day.seconds = time.monotonic() - started
    return day


def _plans(customers: int, dice: random.Random) -> list[Plan]:
    """One of each plan, then mostly people who look or buy. The one who comes later, alone, is not among them."""
    plans = [plan for plan in Plan if plan is not Plan.NEWS_LOST]
    plans += dice.choices([Plan.LOOKS, Plan.BUYS], weights=[2, 3], k=max(0, customers - len(Plan)))
    dice.shuffle(plans)
    return plans[: customers - 1]


def _lose_news(town: Town, support: Api, day: Day, dice: random.Random) -> None:
    """After the others: what Stripe forgets would be theirs too."""
    try:
        story = incidents.buy_while_news_are_lost(town, support, _people()[0], _wishes(dice), dice)
    except Unexpected as error:
        day.troubles.append(f"customer who {Plan.NEWS_LOST.value}: {error}")
        return
    day.visits.append(story)
    if story.note:
        day.troubles.append(f"{story.customer}: {story.note}")


def _after_the_purchase(town: Town, support: Api, story: Visit) -> None:
    if story.status != "paid":
        return
    if story.plan is Plan.SENDS_BACK:
        evening.refund(support, story)
    elif story.plan is Plan.SENDS_PART_BACK:
        evening.refund(support, story, parts=3)
    elif story.plan is Plan.DISPUTES:
        incidents.dispute(town, support, story)


def _people() -> list[Json]:
    return [user for user in generate_shop(products=1).users if user["id"][-1].isdigit()]


def _open_doors(town: Town, day: Day, plans: list[Plan], dice: random.Random, progress: Listener) -> None:
    people = _people()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {
            pool.submit(
                visit, town, people[place % len(people)], plan, _wishes(dice), random.Random(dice.random())
            ): plan
            for place, plan in enumerate(plans)
        }
        for number, future in enumerate(as_completed(futures), start=1):
            try:
                story = future.result()
                day.visits.append(story)
                if story.note:
                    day.troubles.append(f"{story.customer}: {story.note}")
            except Unexpected as error:
                day.troubles.append(f"customer who {futures[future].value}: {error}")
            progress(number, len(plans))


def _wishes(dice: random.Random) -> list[str]:
    """Two searches. Many people want the same few things (Zipf's law), or nothing would ever trend."""
    weights = [1 / rank for rank in range(1, len(SEARCHES) + 1)]
    return list(dict.fromkeys(dice.choices(SEARCHES, weights, k=2)))


def _close_books(
    town: Town,
    support: Api,
    admin: Api,
    documents: tuple[int, int, int],
    trending: list[str],
    day: Day,
) -> Books:
    ingest: Json = support.until("/v1/analytics/ingest", lambda row: row["in_flight"] == 0, seconds=60)
    run = evening.reconcile(admin)
    ledger = admin.get("/v1/ledger/verify")
    report_id, files = evening.report(support, _today(town), Path(town.folder) / "reports")
    invoices, credit_notes, mails = documents
    balance = ingest["stored"] + ingest["duplicate"] + ingest["conflict"] + ingest["rejected"] + ingest["quarantined"]
    return Books(
        refunds=sum(story.status in evening.REFUNDED for story in day.visits),
        invoices=invoices,
        credit_notes=credit_notes,
        mails=mails,
        trending=trending,
        received=ingest["received"],
        stored=ingest["stored"],
        duplicates=ingest["duplicate"],
        lost=ingest["received"] - balance,
        differences=len(run["differences"]),
        unexplained=run["unexplained"],
        ledger_balanced=ledger["ok"],
        dead_jobs=sum(queue["dead"] for queue in support.get("/v1/queues")["data"]),
        report_id=report_id,
        report_files=files,
    )


def _today(town: Town) -> date:
    return datetime.now(ZoneInfo(town.time_zone)).date()


@contextmanager
def _bar(console: Console, title: str) -> Generator[Listener]:
    with Progress(
        SpinnerColumn(),
        TextColumn(f"{title:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task(title, total=None)

        def listen(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        yield listen
