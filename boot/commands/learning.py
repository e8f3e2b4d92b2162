"""`backroom search-analytics` and `backroom learning …`: how search does, and what it learned, from a terminal."""

import getpass
import json
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from boot.commands.screen import bar, connected, err, out
from boot.services import Services
from shop.money import Money
from shop.search import analytics as figures
from shop.search.analytics import SearchAnalytics
from shop.search.days.sum_up import sum_up
from shop.search.learning import learning as shop
from shop.search.learning import replaying
from shop.search.learning.judging import take_judgments
from shop.search.learning.learning import Standing
from shop.search.learning.replay import replay as run_replay
from shop.search.queries.analytics import QueryRow
from shop.search.queries.replays import Replay, Replayed

app = typer.Typer(help="What search learned from clicks, and what is proven about it.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]
USUAL_DAYS = 28
WIDEST = 40


def search_analytics(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first day; else 28 days")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last day; else today")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="of each list")] = 10,
    as_json: AsJson = False,
) -> None:
    """How search did: searches, clicks, orders, money, times, and the queries to look at.

    Example: backroom search-analytics --from 2026-11-01 --to 2026-11-22
    """
    services = connected()
    settings = services.settings
    until = last.date() if last else datetime.now(settings.zone).date()
    since = first.date() if first else until - timedelta(days=USUAL_DAYS - 1)
    if until < since:
        raise typer.BadParameter("--to is before --from")
    found = figures.analytics(
        services.db,
        services.encoder,
        first=since,
        last=until,
        zone=settings.zone,
        currency=settings.shop_currency,
        limit=limit,
    )
    if as_json:
        out.print_json(json.dumps({"from": since, "to": until, **asdict(found)}, default=str))
        return
    _show_figures(found, since, until, settings.shop_currency)


def sum_up_now() -> None:
    """Count the searches of days that are over, and of those that changed, here and now.

    Example: backroom learning sum-up
    """
    services = connected()
    with bar("Counting", "days") as progress:
        told = sum_up(services.db, progress, zone=services.settings.zone)
    out.print(f"{told['days']} days counted, {told['searches']} searches")


@app.command("show")
def show(as_json: AsJson = False) -> None:
    """Whether clicks move products, how the trial stands, and the newest replay.

    Example: backroom learning show
    """
    _tell(shop.standing(connected().db), as_json=as_json)


@app.command("switch")
def switch(
    state: Annotated[Literal["off", "trial", "on"], typer.Argument(help="on needs a won trial and a passed replay")],
    as_json: AsJson = False,
) -> None:
    """Switch what was learned off, begin its trial, or switch it on; holds from the next search on.

    Example: backroom learning switch trial
    """
    _tell(shop.switch(connected().db, state, changed_by=f"cli:{getpass.getuser()}"), as_json=as_json)


@app.command("judge")
def judge(
    file: Annotated[Path, typer.Argument(help='a line each: {"query": "red sofa", "gains": {"product id": 0 to 1}}')],
) -> None:
    """Take in what people of the shop say is right for queries; replays measure by it. All lines or none.

    Example: backroom learning judge judged.ndjson
    """
    with file.open(encoding="utf-8") as lines:
        number = take_judgments(connected().db, lines)
    out.print(f"{number:,} queries are judged.")


@app.command("replay")
def replay(
    candidate: Annotated[
        Literal["learned", "synonyms", "log"],
        typer.Argument(help="boosts of clicks, suggested synonyms, or what was answered then against now"),
    ] = "learned",
    synonym: Annotated[list[str] | None, typer.Option(help="syn_…, repeat; without it all suggested ones")] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="of logged queries")] = replaying.DAYS,
    queries: Annotated[int, typer.Option(min=1, max=5000, help="the most asked ones")] = replaying.MOST_QUERIES,
    limit: Annotated[int, typer.Option(min=1, max=100, help="queries to show")] = 10,
    as_json: AsJson = False,
) -> None:
    """Run logged queries again here and now, without and with the candidate. Exit code 1 when it was not passed.

    Example: backroom learning replay synonyms --synonym syn_01j…
    """
    services = connected()
    replay_id, _ = replaying.ask(
        services.db,
        candidate,
        asked_by=f"cli:{getpass.getuser()}",
        synonym_ids=synonym or (),
        days=days,
        most=queries,
    )
    with bar("Replaying", "queries") as progress:
        run_replay(services.db, services.encoder, progress, replay_id=replay_id)
    if not _show_replay(services, replay_id, limit=limit, as_json=as_json).passed:
        raise typer.Exit(1)


@app.command("replays")
def replays(limit: Annotated[int, typer.Option(min=1, max=100)] = 20, as_json: AsJson = False) -> None:
    """Replays of the last 90 days, newest first.

    Example: backroom learning replays --limit 5
    """
    found = replaying.listed(connected().db, before=None, limit=limit)
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in found], default=str))
        return
    table = Table("replay", "candidate", "asked (UTC)", "queries", "NDCG@10", "passed")
    for one in found:
        change = f"{one.summary['ndcg_before']} → {one.summary['ndcg_after']}" if one.summary else "running"
        table.add_row(
            one.id, one.candidate, f"{one.created_at:%Y-%m-%d %H:%M}", str(one.queries or 0), change, _yes(one.passed)
        )
    out.print(table if found else "No replay was asked for.")


@app.command("report")
def report(
    replay_id: Annotated[str, typer.Argument(metavar="REPLAY", help="rpl_…, as the list shows it")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="queries to show")] = 20,
    as_json: AsJson = False,
) -> None:
    """What a replay says: newly empty queries first, then the largest losses, then the largest changes.

    Example: backroom learning report rpl_01j…
    """
    _show_replay(connected(), replay_id, limit=limit, as_json=as_json)


app.command("sum-up")(sum_up_now)


def _tell(found: Standing, *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(asdict(found), default=str))
        return
    learning, wins = found.learning, found.wins
    out.print(
        f"{learning.state} since {learning.since:%Y-%m-%d %H:%M} UTC; {learning.boosts:,} boosts of "
        f"{learning.queries:,} queries"
    )
    share = "" if found.share is None else f", {found.share:.1%} ({found.low:.1%} to {found.high:.1%})"
    proven = "proven" if found.proven else "not proven"
    out.print(f"trial: {wins.won} won, {wins.lost} lost of {wins.searches}{share}; {proven}")
    replay = found.replay
    out.print(
        f"replay: {replay.id}, {'passed' if replay.passed else 'not passed'}" if replay else "replay: none this week"
    )


def _show_replay(services: Services, replay_id: str, *, limit: int, as_json: bool) -> Replay:
    found, results = replaying.replay_of(services.db, replay_id, limit=limit)
    if as_json:
        out.print_json(json.dumps(asdict(found) | {"data": [asdict(one) for one in results]}, default=str))
        return found
    out.print(_table(results))
    told = found.summary
    if told is None:
        err.print(f"{found.done} of {found.queries or 0} queries are run")
        return found
    out.print(
        f"{told['queries']} queries, {told['changed']} changed, {told['newly_empty']} newly empty; {told['judged']} "
        f"judged: {told['won']} won, {told['lost']} lost, NDCG@10 {told['ndcg_before']} → {told['ndcg_after']}; "
        f"{'passed' if found.passed else 'not passed'}",
        soft_wrap=True,
    )
    return found


def _table(results: list[Replayed]) -> Table:
    table = Table("query", "same of ten", "NDCG@10 before", "after", "judged by", "moved")
    for one in results:
        scores = ["–" if value is None else f"{value:.3f}" for value in (one.ndcg_before, one.ndcg_after)]
        table.add_row(
            escape(one.query[:WIDEST]), f"{one.overlap:.0%}", *scores, one.judged_by or "–", str(len(one.moved))
        )
    return table


def _yes(value: bool | None) -> str:
    return "–" if value is None else "yes" if value else "no"


def _show_figures(found: SearchAnalytics, first: date, last: date, currency: str) -> None:
    totals, latency = found.totals, found.latency
    rate = totals.clicked / totals.searches if totals.searches else 0
    out.print(
        f"{first} to {last}: {totals.searches:,} searches, {totals.without_result:,} without result, "
        f"{totals.unclicked:,} without click, clicked {rate:.1%}, {totals.bought:,} with an order, "
        f"{Money(totals.sold, currency)}, lost about {Money(found.lost, currency)}; {latency.p50_ms or 0:.0f} / "
        f"{latency.p95_ms or 0:.0f} / {latency.p99_ms or 0:.0f} ms (p50 / p95 / p99)",
        soft_wrap=True,
    )
    lists = {
        "most asked": found.top,
        "without result": [one.row for one in found.without_result],
        "without click": found.unclicked,
        "losing money": found.losing,
    }
    for title, rows in lists.items():
        if rows:
            out.print(_queries(title, list(rows), currency))


def _queries(title: str, rows: list[QueryRow], currency: str) -> Table:
    table = Table("query", "searches", "no result", "no click", "orders", "revenue", "lost", title=title)
    for row in rows:
        table.add_row(
            escape(row.query[:WIDEST]),
            *(f"{number:,}" for number in (row.searches, row.without_result, row.unclicked, row.bought)),
            str(Money(row.sold, currency)),
            str(Money(row.lost, currency)),
        )
    return table
