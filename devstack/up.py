"""The whole shop on this machine with one call: servers, schema, neighbours, seed, the Procfile; Ctrl-C ends it all."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from devstack import programs
from devstack.addresses import Ports
from devstack.embedded import EmbeddedServers, Urls
from devstack.embedded.lock import FolderLock
from devstack.environment import (
    FOLDER,
    command,
    environment_for,
    forget_running,
    given_servers,
    remember_running,
    shown,
    whole,
)
from devstack.given import knock_at_redis
from devstack.processes import Supervisor, wait_for_leftovers

READY_WITHIN_S = 120.0  # a cold disk and two busy cores; a quiet machine takes a few seconds
TEND_EVERY_S = 0.2
EXIT_INTERRUPTED = 130  # as a shell answers after Ctrl-C; a stack that was up and is closed answers 0


class StepFailed(Exception):
    """A step that runs once (migrations, seed) failed; the text holds what it printed."""


@dataclass
class Stack:
    """What is up: for those who want more than the table."""

    root: Path
    console: Console
    choose: Callable[[], Ports]
    ports: Ports = field(default_factory=Ports)
    environment: dict[str, str] = field(default_factory=dict[str, str])
    supervisor: Supervisor | None = None
    servers: EmbeddedServers | None = None
    leaving: bool = False
    names: list[str] = field(default_factory=list[str])
    pids: dict[str, int | None] = field(default_factory=dict[str, int | None])


def up(stack: Stack, *, then: str | None = None, and_stop: bool = False, show: bool = True, seed: bool = True) -> int:
    """Bring the stack up, run the shell command `then` in it, stay until Ctrl-C or SIGTERM; the exit code.

    Raises AlreadyRunning, PortTaken, ServerFailed, ProgramFailed, StepFailed or ValueError with a sentence for the
    person; by then everything that had started is stopped again.
    """
    stack.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(stack.root / "up.lock", "The shop's programs")
    lock.take()
    with _interrupts(stack):
        try:
            _bring_up(stack, show=show, seed=seed)
            lock.tell(stack.ports.url("web"))
            return _stay(stack, then, and_stop=and_stop)
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
        finally:
            stack.leaving = True
            _bring_down(stack)
            lock.release()


def _bring_up(stack: Stack, *, show: bool, seed: bool) -> None:
    wait_for_leftovers(stack.root)
    stack.ports = stack.choose()
    with _step(stack, "PostgreSQL and Redis"):
        # Counts of a run before are not this run's; a process id may come again.
        shutil.rmtree(stack.root / "metrics", ignore_errors=True)
        (stack.root / "metrics").mkdir()
        stack.environment = environment_for(_servers(stack), stack.ports, stack.root)
    with _step(stack, "database schema"):
        _once(stack, "release", programs.release_command(FOLDER))
    beside = programs.neighbours(stack.ports, stack.environment, stack.root)
    own = programs.own_programs(FOLDER)
    stack.supervisor = Supervisor(
        [*beside, *own],
        folder=FOLDER,
        environment=whole(stack.environment),
        logs=stack.root / "logs",
        console=stack.console,
        show=show,
    )
    with _step(stack, "neighbours: Auth, Product, Cart, mailbox, Stripe's stand-in"):
        stack.supervisor.start([program.name for program in beside])
        stack.supervisor.wait_ready(programs.checks_of_neighbours(stack.ports), READY_WITHIN_S)
    if seed:
        with _step(stack, "products, customers and carts"):
            _once(stack, "seed", programs.seed_command(stack.ports))
    with _step(stack, ", ".join(program.name for program in own)):
        stack.supervisor.start([program.name for program in own])
        stack.supervisor.wait_ready(programs.checks_of_own(stack.ports), READY_WITHIN_S)
    stack.names = [program.name for program in [*beside, *own]]
    _remember(stack)
    stack.console.print(_table(stack))


def _stay(stack: Stack, then: str | None, *, and_stop: bool) -> int:
    """Watch until told to stop. A failed `then` is told at once, and by the exit code at the end."""
    child = None if then is None else subprocess.Popen(["/bin/sh", "-c", then], env=whole(stack.environment))
    code = 0
    try:
        while True:
            _tend(stack)
            if child is not None and child.poll() is not None:
                code, child = child.returncode, None
                if code:
                    stack.console.print(f"[bold red]{then} failed, exit code {code}.[/]")
                if and_stop:
                    return code
                stack.console.print("The shop stays open. Ctrl-C closes it.")
            time.sleep(TEND_EVERY_S)
    except KeyboardInterrupt:
        return code
    finally:
        if child is not None:
            child.terminate()
            child.wait()


def _tend(stack: Stack) -> None:
    assert stack.supervisor is not None, "the stack is up"
    stack.supervisor.tend()
    _remember(stack)
    for name in stack.servers.revive() if stack.servers else []:
        stack.console.print(f"[yellow]{name} had ended by itself and was started again.[/]")


def _remember(stack: Stack) -> None:
    """Write down who runs, whenever that changed: other terminals, and tests that kill a program, read it."""
    assert stack.supervisor is not None, "the stack is up"
    pids = {name: stack.supervisor.pid(name) for name in stack.names}
    if pids != stack.pids:
        stack.pids = pids
        remember_running(stack.root, stack.environment, pids)


def _bring_down(stack: Stack) -> None:
    forget_running(stack.root)
    if stack.supervisor is not None:
        stack.console.print("\nStopping: running jobs may finish, at most 30 s. Ctrl-C again does not wait.")
        killed = stack.supervisor.stop()
        if killed:
            stack.console.print(f"[yellow]Had to be killed: {', '.join(killed)}.[/]")
    if stack.servers is not None:
        stack.servers.stop()
        stack.console.print("Stopped. The data stays in", str(stack.root), highlight=False)
    elif stack.supervisor is not None:
        stack.console.print("Stopped. The data stays in your own servers.")


def _servers(stack: Stack) -> Urls:
    given = given_servers(os.environ)
    if given is not None:
        knock_at_redis(given.redis_url)
        return given
    stack.servers = EmbeddedServers(stack.root)
    return stack.servers.start()


def _once(stack: Stack, name: str, command: str | None) -> None:
    if command is None:
        return
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=FOLDER,
        env=whole(stack.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    logs = stack.root / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / f"{name}.log").write_text(done.stdout)
    if done.returncode != 0:
        raise StepFailed(f"{name} failed with exit code {done.returncode}: {command}\n{done.stdout.strip()}")


@contextmanager
def _step(stack: Stack, what: str) -> Generator[None]:
    started = time.monotonic()
    with stack.console.status(f"{what} …"):
        yield
    stack.console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - started:.1f} s[/]", highlight=False)


@contextmanager
def _interrupts(stack: Stack) -> Generator[None]:
    """Ctrl-C, SIGTERM or a closed terminal end the stay; while stopping they mean that nobody waits for the grace."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if not stack.leaving:
            stack.leaving = True
            raise KeyboardInterrupt
        if stack.supervisor is not None:
            stack.supervisor.hurry()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _root_option(root: Path) -> str:
    """Nothing for the folder that the command looks into by itself."""
    return "" if root == FOLDER / ".backroom" else f" --root {shown(root)}"


def _table(stack: Stack) -> Table:
    where = stack.ports.url
    rows: list[tuple[str, str]] = [
        ("API", where("web")),
        ("pages for the staff", f"{where('web')}/admin"),
        ("its documentation", f"{where('web')}/docs"),
        ("mailbox", where("mail")),
        ("Stripe's stand-in", where("stripe")),
        ("Auth, Product, Cart", "  ".join(map(where, ("auth", "products", "carts")))),
        ("logs", shown(stack.root / "logs")),
        ("this shell's variables", f'eval "$({command()} env{_root_option(stack.root)})"'),
    ]
    table = Table("what", "where", title="The shop is open")
    for row in rows:
        table.add_row(*row)
    return table
