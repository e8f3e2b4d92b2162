"""`backroom jobs …`: see what waits, runs and died, and decide about it."""

import getpass
from typing import Annotated

import typer
from rich.table import Table

from boot.commands.screen import connected, out
from db import job_rows
from db.job_rows import JobRow
from shop.errors import NotFound, Rejected
from shop.jobs import QUEUES

app = typer.Typer(help="See and decide about jobs.", no_args_is_help=True)

STATE_COLOURS = {
    "done": "green",
    "running": "cyan",
    "dead": "red",
    "failed": "yellow",
    "staged": "white",
    "queued": "white",
}


class NotDead(Rejected):
    """Only a job that is dead, failed or waiting can be decided about."""

    code = "job_not_waiting"


@app.command("queues")
def queues() -> None:
    """Depth, age and deaths of each queue."""
    with connected().db.transaction() as tx:
        rows = job_rows.queues(tx, list(QUEUES))
    table = Table("queue")
    for name in ("waiting", "oldest", "running", "dead", "done/h"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        counts = (str(row.waiting), f"{row.oldest_s:.1f} s", str(row.running), str(row.dead))
        table.add_row(row.name, *counts, str(row.done_last_hour), "paused" if row.paused else "")
    out.print(table)


@app.command("list")
def list_jobs(
    state: Annotated[str, typer.Option(help="staged, queued, running, done, failed or dead")] = "dead",
    queue: Annotated[str | None, typer.Option(help="only this queue")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
) -> None:
    """Jobs in one state, newest first."""
    with connected().db.transaction() as tx:
        rows = job_rows.page(tx, states=[state], queue=queue, limit=limit)
    table = Table()
    for name in ("job", "name", "tries", "progress", "created"):
        table.add_column(name, no_wrap=True, min_width=31 if name == "job" else None)
    if any(row.error for row in rows):
        table.add_column("why")
    for row in rows:
        tries = f"{row.attempts}/{row.max_attempts}"
        cells = [row.id, row.name, tries, _progress(row), f"{row.created_at:%H:%M:%S}", row.error or ""]
        table.add_row(*cells[: len(table.columns)])
    out.print(table if rows else f"No job is {state}.")


@app.command("show")
def show(job_id: str) -> None:
    """Everything the row knows about one job, with its error and traceback."""
    row = _find(job_id)
    colour = STATE_COLOURS.get(row.state, "white")
    out.print(f"[bold]{row.name}[/bold] {row.id}  [{colour}]{row.state}[/{colour}]  attempt {row.attempts}")
    facts = {
        "arguments": row.args,
        "asked by": row.asked_by,
        "progress": _progress(row) or None,
        "result": row.result,
        "error": f"{row.error_kind} {row.error_code or ''}: {row.error}" if row.error else None,
        "created": row.created_at,
        "finished": row.finished_at,
    }
    for name, value in facts.items():
        if value is not None:
            out.print(f"  {name}: {value}", markup=False)
    if row.traceback:
        out.print(row.traceback, markup=False)


@app.command("retry")
def retry(job_id: str) -> None:
    """Start a dead or failed job again, with fresh attempts."""
    _find(job_id)
    with connected().db.transaction() as tx:
        if not job_rows.retry(tx, job_id):
            raise NotDead(f"{job_id} is neither dead nor failed, or the same work waits already")
    out.print(f"{job_id} is staged again.")


@app.command("dismiss")
def dismiss(job_id: str) -> None:
    """Close a waiting or dead job for good. Your login name is kept with it."""
    _find(job_id)
    with connected().db.transaction() as tx:
        if not job_rows.dismiss(tx, job_id, by=f"cli:{getpass.getuser()}"):
            raise NotDead(f"{job_id} runs or is closed already")
    out.print(f"{job_id} is dismissed.")


@app.command("pause")
def pause(queue: str) -> None:
    """Hand over nothing more of a queue; what runs goes on to its end."""
    _set_paused(queue, paused=True)


@app.command("resume")
def resume(queue: str) -> None:
    """Hand over the jobs of a queue again."""
    _set_paused(queue, paused=False)


def _set_paused(queue: str, *, paused: bool) -> None:
    if queue not in QUEUES:
        raise NotFound(f"there is no queue {queue}; there are {', '.join(QUEUES)}")
    with connected().db.transaction() as tx:
        job_rows.pause(tx, queue, paused=paused, by=f"cli:{getpass.getuser()}")
    out.print(f"{queue} is {'paused' if paused else 'resumed'}.")


def _find(job_id: str) -> JobRow:
    with connected().db.transaction() as tx:
        row = job_rows.find(tx, job_id)
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return row


def _progress(row: JobRow) -> str:
    if row.progress_done is None:
        return ""
    return f"{row.progress_done:,}" + (f"/{row.progress_total:,}" if row.progress_total else "")
