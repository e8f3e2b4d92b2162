"""The commands of the local stack, which `backroom` takes in when it is installed: up, day, env."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import requests
import typer
from rich.console import Console

from devstack.addresses import PortTaken, choose_ports
from devstack.day import closing
from devstack.day.api import Unexpected
from devstack.day.story import play
from devstack.day.town import town_of
from devstack.embedded import AlreadyRunning, ServerFailed
from devstack.embedded.lock import is_held
from devstack.environment import command, running
from devstack.processes import ProgramFailed
from devstack.up import FOLDER, Stack, StepFailed
from devstack.up import up as bring_up

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
EXIT_NOT_RUNNING = 3  # as `systemctl status` answers
EXIT_ALREADY_RUNNING = 4

app = typer.Typer(help="The whole shop on one machine.", no_args_is_help=True)
console = Console(stderr=False)

Root = Annotated[Path, typer.Option("--root", help="Folder of the stack's data, logs and secrets.")]


@app.command()
def up(
    root: Root = FOLDER / ".backroom",
    then: Annotated[str, typer.Option(help="Shell command to run when all is ready.")] = "",
    and_stop: Annotated[bool, typer.Option("--and-stop", help="Stop when that command ends, with its code.")] = False,
    port: Annotated[list[str] | None, typer.Option(help="NAME=NUMBER, as web=9000; 0 takes any free one.")] = None,
    port_offset: Annotated[int, typer.Option(help="Move all ports by this much.")] = 0,
    any_ports: Annotated[bool, typer.Option("--any-ports", help="Free ports for all parts.")] = False,
    seed: Annotated[bool, typer.Option(help="Fill the neighbours with a generated shop.")] = True,
    logs: Annotated[bool | None, typer.Option(help="Show the programs' lines (yes, unless --then is given).")] = None,
) -> None:
    """Start everything: servers, schema, neighbours, the Procfile's programs; stay until Ctrl-C.

    Uses the servers of DATABASE_URL and REDIS_URL when both are set, else starts its own.
    """
    try:
        wishes, show = _wishes(port or []), not then if logs is None else logs
        stack = Stack(root.resolve(), console, lambda: choose_ports(port_offset, wishes, anywhere=any_ports))
        raise typer.Exit(bring_up(stack, then=then or None, and_stop=and_stop, show=show, seed=seed))
    except AlreadyRunning as error:
        _fail(str(error), EXIT_ALREADY_RUNNING)
    except ValueError as error:
        _fail(str(error), EXIT_WRONG_USE)
    except (PortTaken, ServerFailed, ProgramFailed, StepFailed) as error:
        _fail(str(error), EXIT_FAILED)


@app.command()
def env(root: Root = FOLDER / ".backroom") -> None:
    """Print the running stack's variables for a shell: eval "$(backroom env)"."""
    if not is_held(root / "up.lock") or not running(root):
        _fail(_none_runs(root), EXIT_NOT_RUNNING)
    for name, value in running(root).items():
        print(f"export {name}='{value}'")


@app.command()
def day(
    root: Root = FOLDER / ".backroom",
    customers: Annotated[int, typer.Option(min=1, max=10_000, help="How many come.")] = 40,
    seed: Annotated[int, typer.Option(help="The same seed brings the same customers.")] = 1,
    picture: Annotated[Path | None, typer.Option(help="Keep what the screen shows as an SVG.")] = None,
) -> None:
    """Play a day in the running shop: catalogue, customers, payments, trending, the nightly report.

    Everything goes through the public API. Exit code 1 when an order is not accounted for.
    """
    environment = {**running(root), **os.environ}
    if "PUBLIC_URL" not in environment:
        _fail(_none_runs(root), EXIT_NOT_RUNNING)
    town = town_of(environment)
    try:
        screen = Console(record=picture is not None, width=100 if picture else None)
        played = play(town, screen, customers=customers, seed=seed)
        closing.show(screen, town, played)
    except (Unexpected, requests.ConnectionError) as error:
        _fail(f"The day could not be played to its end: {error}", EXIT_FAILED)
    if picture is not None:
        screen.save_svg(str(picture), title="backroom day")
    if not played.accounted:
        raise typer.Exit(EXIT_FAILED)


def _none_runs(root: Path) -> str:
    usual = root == FOLDER / ".backroom"
    start = f"make run, or {command()} up" if usual else f"{command()} up --root {root}"
    return f"No shop runs from {root}. Start one with: {start}"


def _wishes(given: list[str]) -> dict[str, int]:
    wishes: dict[str, int] = {}
    for wish in given:
        name, _, number = wish.partition("=")
        if not number.isdecimal():
            raise ValueError(f"--port {wish}: write NAME=NUMBER, for instance web=9000.")
        wishes[name] = int(number)
    return wishes


def _fail(sentence: str, code: int) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)
