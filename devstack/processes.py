"""The supervisor: runs the Procfile's lines as Heroku does, restarts what ends by itself, stops whole groups."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console

from devstack.embedded.lock import is_held
from devstack.groups import group_lives, signal_group
from devstack.output import Output

GRACE_S = 30.0  # between SIGTERM and SIGKILL, as on Heroku
TELL_AFTER_S = 3.0  # a person wonders from here on who is holding things up
QUICK_S = 10.0  # a program that ends sooner has not really started
QUICK_ENDS_ALLOWED = 5
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 10.0
POLL_S = 0.1
LEFT_BEHIND_WITHIN_S = 15.0  # the warden of a killed supervisor needs its five seconds
WARDEN_LOCK = "warden.lock"
HERE = Path(__file__).parent


class ProgramFailed(Exception):
    """A program does not stay up or does not get ready; the text names it and holds its last lines."""


@dataclass(frozen=True)
class Program:
    """A line of the Procfile. `neighbour`: another service; it outlives the shop's own programs when all stop."""

    name: str
    command: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    neighbour: bool = False


@dataclass
class _Run:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_ends: int = 0
    start_at: float = 0.0


def read_procfile(path: Path) -> list[Program]:
    """`name: command` a line; empty ones and # comments are skipped. Raises ValueError naming any other line."""
    programs: list[Program] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.fullmatch(r"([A-Za-z0-9_-]+):\s*(\S.*)", line)
        if found is None:
            raise ValueError(f"{path}, line {number}: expected 'name: command', found {line!r}")
        programs.append(Program(found[1], found[2]))
    return programs


def wait_for_leftovers(root: Path) -> None:
    """Until the programs of a supervisor that was killed are gone from the folder `root`, and their ports free."""
    deadline = time.monotonic() + LEFT_BEHIND_WITHIN_S
    while is_held(root / WARDEN_LOCK) and time.monotonic() < deadline:
        time.sleep(POLL_S)


class Supervisor:
    """Between `with` and its end the programs run. Call `tend` often: it restarts; use it from the main thread.

    `grace_s` is the time between SIGTERM and SIGKILL. `show` prints the programs' lines on the console; the log files
    `logs`/NAME.log get them always.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        folder: Path,
        environment: Mapping[str, str],
        logs: Path,
        console: Console,
        show: bool = True,
        grace_s: float = GRACE_S,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        self._runs = {program.name: _Run(program) for program in programs}
        self._folder = folder
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._lock = logs.parent / WARDEN_LOCK
        self._console = console
        self._grace_s = grace_s
        self._first_delay_s = first_delay_s
        self.output = Output(logs, console, show=show, width=max((len(name) for name in self._runs), default=0))
        self._warden: subprocess.Popen[bytes] | None = None
        self._hurry = False

    def start(self, names: Sequence[str] | None = None) -> None:
        """Start all programs, or those named."""
        if self._warden is None:
            self._warden = self._start_warden()
        for name in self._runs if names is None else names:
            self._start(self._runs[name])

    def wait_ready(self, checks: Mapping[str, Callable[[], bool]], within_s: float) -> None:
        """Until every check (by program's name) has answered yes once. Raises ProgramFailed with the last lines."""
        waiting, deadline = dict(checks), time.monotonic() + within_s
        while waiting:
            self.tend()
            waiting = {name: check for name, check in waiting.items() if not check()}
            if waiting and time.monotonic() > deadline:
                names = ", ".join(waiting)
                raise ProgramFailed(f"Not ready after {within_s:.0f} s: {names}.\n{self._story(next(iter(waiting)))}")
            time.sleep(POLL_S if waiting else 0)

    def tend(self) -> None:
        """Notice what ended, start it again when its delay is over. Raises ProgramFailed after too many quick ends."""
        now = time.monotonic()
        for run in self._runs.values():
            if run.process is not None and run.process.poll() is not None:
                self._note_end(run, now)
            if run.process is None and run.start_at and now >= run.start_at:
                self._start(run)

    def pid(self, name: str) -> int | None:
        """The head of the program's process group; None while it waits for its restart."""
        process = self._runs[name].process
        return process.pid if process else None

    def stop(self) -> list[str]:
        """SIGTERM to every group, the neighbours' last, SIGKILL after the grace; the names that had to be killed."""
        killed: list[str] = []
        for neighbours in (False, True):
            runs = [run for run in self._runs.values() if run.process and run.program.neighbour is neighbours]
            killed += self._stop_all(runs)
        if self._warden is not None and self._warden.stdin is not None:
            self._warden.stdin.close()
            self._warden.wait(10)
            self._warden = None
            self.output.close()
        return killed

    def hurry(self) -> None:
        """Do not wait for the rest of the grace: a person pressed Ctrl-C again."""
        self._hurry = True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_warden(self) -> subprocess.Popen[bytes]:
        assert threading.current_thread() is threading.main_thread(), "signals and restarts are the main thread's"
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        warden = subprocess.Popen(
            [sys.executable, "-S", "-m", "devstack.warden", self._lock.resolve()],
            cwd=HERE.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert warden.stdout is not None, "standard output is a pipe"
        with warden.stdout as told:
            told.readline()
        return warden

    def _start(self, run: _Run) -> None:
        assert self._warden is not None, "start() comes first"
        assert self._warden.stdin is not None, "standard input is a pipe"
        pipe = self._warden.stdin.fileno()
        run.process = subprocess.Popen(
            [sys.executable, "-I", "-S", HERE / "enlist.py", str(pipe), run.program.command],
            cwd=self._folder,
            env={**self._environment, **run.program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[pipe],
        )
        run.started, run.start_at = time.monotonic(), 0.0
        assert run.process.stdout is not None, "standard output is a pipe"
        self.output.add(run.program.name, run.process.stdout)

    def _note_end(self, run: _Run, now: float) -> None:
        assert run.process is not None, "it has just ended"
        pid, code = run.process.pid, run.process.returncode
        self._bury(run)
        run.quick_ends = run.quick_ends + 1 if now - run.started < QUICK_S else 0
        name = run.program.name
        if run.quick_ends >= QUICK_ENDS_ALLOWED:
            raise ProgramFailed(f"{name} ended {run.quick_ends} times in a row ({_how(code)}).\n{self._story(name)}")
        delay = min(self._first_delay_s * 2**run.quick_ends, LONGEST_DELAY_S)
        run.start_at = now + delay
        self._console.print(
            f"[yellow]{name} (process {pid}) ended by itself, {_how(code)}; it starts again in {delay:.0f} s.[/]"
        )

    def _stop_all(self, runs: list[_Run]) -> list[str]:
        for run in runs:
            _signal_group(run, signal.SIGTERM)
        began, told = time.monotonic(), False
        while (left := [run.program.name for run in runs if _group_lives(run)]) and not self._hurry:
            waited = time.monotonic() - began
            if waited > self._grace_s:
                break
            if waited > TELL_AFTER_S and not told:
                told = True
                self._console.print(f"Waiting for {', '.join(left)}.")
            time.sleep(POLL_S / 2)
        for run in runs:
            self._bury(run)
        return left

    def _bury(self, run: _Run) -> None:
        """Nothing of the group is left after this, and the warden need not know it any more."""
        assert run.process is not None, "only what ran is buried"
        _signal_group(run, signal.SIGKILL)
        run.process.wait()
        if self._warden is not None and self._warden.stdin is not None:
            os.write(self._warden.stdin.fileno(), f"-{run.process.pid}\n".encode())
        run.process = None

    def _story(self, name: str) -> str:
        lines = "\n".join(f"  {line}" for line in self.output.last_lines(name))
        return f"The last lines of {name}:\n{lines}" if lines else f"{name} printed nothing."


def _group_lives(run: _Run) -> bool:
    assert run.process is not None, "only what ran is asked"
    run.process.poll()
    return group_lives(run.process.pid)


def _signal_group(run: _Run, number: signal.Signals) -> None:
    assert run.process is not None, "only what runs is signalled"
    # Without a group either nothing is left, or the head has not yet made its group: then it is alone.
    if not signal_group(run.process.pid, number) and run.process.poll() is None:
        run.process.send_signal(number)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
