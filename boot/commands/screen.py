"""How the commands talk to people: one console, one progress bar, one way to say what went wrong."""

import atexit
import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from boot.services import Services, connect
from boot.settings import WrongSettings, read_settings
from db.database import DatabaseUnavailable
from shop.errors import ShopError
from shop.progress import Progress as Listener

out = Console(highlight=False)
"""For results: what a pipe wants to read."""

err = Console(stderr=True, highlight=False)
"""For progress and complaints."""


def connected() -> Services:
    """Services for one command; raises WrongSettings with a sentence when the environment is incomplete."""
    services = connect(read_settings(), name="cli")
    atexit.register(services.db.close)
    return services


@contextmanager
def guarded() -> Generator[None]:
    """Turn the failures that a person can act on into one sentence and exit code 1."""
    try:
        yield
    except WrongSettings as error:
        _complain(str(error))
    except ShopError as error:
        _complain(f"{error.code}: {error}")
    except DatabaseUnavailable as error:
        _complain(f"PostgreSQL does not answer at DATABASE_URL: {str(error).splitlines()[0]}")
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        _complain(f"{error.filename}: {error.strerror}")
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


def _complain(sentence: str) -> None:
    err.print(f"[red]✗[/red] {sentence}", soft_wrap=True)
    sys.exit(1)
