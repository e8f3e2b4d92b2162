"""How the commands talk to people: one console, one progress bar, one way to say what went wrong."""

import atexit
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from boot.services import Services, connect
from boot.settings import WrongSettings, read_settings
from db.database import Database, DatabaseUnavailable
from shop.errors import ShopError
from shop.progress import Progress as Listener

out = Console(highlight=False)
"""For results: what a pipe wants to read."""

err = Console(stderr=True, highlight=False)
"""For progress and complaints."""


def connected() -> Services:
    """Services for one command; raises WrongSettings or DatabaseUnavailable, each with a sentence for the person."""
    services = connect(read_settings(), name="cli")
    knock(services.db)
    atexit.register(services.db.close)
    return services


def knock(db: Database) -> None:
    """A connection of our own says at once why there is none; the pool tries for seconds and keeps the reason."""
    with db.session():
        pass


def reason(error: Exception) -> str:
    """The first line of what PostgreSQL's client said; the others are advice about the network."""
    return str(error).splitlines()[0].removeprefix("connection failed: ")


@contextmanager
def guarded() -> Generator[None]:
    """Turn the failures that a person can act on into one sentence and exit code 1."""
    try:
        yield
    except WrongSettings as error:
        # Commands take the variables of the shop that runs in this checkout; without one they are missing too.
        hint = "" if "DATABASE_URL" in os.environ else "\nNo shop runs from this folder either; make run starts one."
        complain(f"{error}{hint}")
    except ShopError as error:
        complain(f"{error.code}: {error}")
    except DatabaseUnavailable as error:
        complain(f"PostgreSQL cannot be reached with DATABASE_URL: {reason(error)}")
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        complain(f"{error.filename}: {error.strerror}")
    except BrokenPipeError:
        sys.exit(141)  # what the shell reports for a command whose reader went away


@contextmanager
def bar(title: str, unit: str) -> Generator[Listener]:
    """A progress bar on standard error, as the listener that long work of the shop wants."""
    with Progress(
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        console=err,
    ) as progress:
        task = progress.add_task(title, total=None, rate="")

        def listen(done: int, total: int | None) -> None:
            speed = progress.tasks[task].speed
            progress.update(task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "")

        yield listen
        progress.update(task, total=progress.tasks[task].completed)  # what had no known end has one now


def complain(sentence: str) -> NoReturn:
    """The sentence, and exit code 1."""
    err.print(f"[red]✗[/red] {escape(sentence)}", soft_wrap=True)
    sys.exit(1)
