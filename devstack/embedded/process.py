"""One server process: dies with us, is watched, is stopped in growing steps, leaves no orphan."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from devstack.embedded.account import Account
from devstack.embedded.errors import ServerFailed
from devstack.embedded.lock import is_held

LAUNCH = Path(__file__).with_name("launch.py")
READY_WITHIN_S = 120  # crash recovery after a long run with a slow disk; a healthy start takes a fifth of a second
ORPHAN_STOPS_WITHIN_S = 20  # a fast shutdown writes a checkpoint first
LOG_KEPT_BYTES = 5_000_000  # older lines go to NAME.log.1 at the next start
POLL_S = 0.02


@dataclass
class ServerProcess:
    """Signals are tried in order, each with the seconds it is given; the last resort is SIGKILL."""

    name: str
    folder: Path
    log: Path
    account: Account
    stop_steps: Sequence[tuple[signal.Signals, float]]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def run(self, argv: Sequence[str | Path], *, told: str = "", death_signal: signal.Signals) -> None:
        """Start the program; `told` is its standard input (passwords never appear on a command line)."""
        if threading.current_thread() is not threading.main_thread():
            raise ServerFailed(f"{self.name} must be started from the main thread: it dies with its thread")
        wrapper = [sys.executable, "-I", "-S", LAUNCH, self.lock, int(death_signal)]
        wrapper += [self.account.uid, self.account.gid, os.getpid(), *argv]
        with _log_file(self.log) as log:
            self._process = subprocess.Popen(
                [str(word) for word in wrapper],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment(),
                start_new_session=True,  # the terminal's Ctrl-C is for us; we stop the servers last
            )
        assert self._process.stdin is not None, "standard input is a pipe"
        with (
            contextlib.suppress(BrokenPipeError),
            self._process.stdin as stdin,
        ):  # wait_until tells why it ended
            stdin.write(told.encode())

    def wait_until(self, answers: Callable[[], bool]) -> None:
        """Raises ServerFailed when the process ends or does not answer in time; nothing runs then."""
        try:
            self._wait_until(answers)
        except BaseException:
            self.stop()
            raise

    def finish(self, within_s: float) -> int:
        """Wait for a program that ends by itself; its exit code."""
        assert self._process is not None, "nothing was started"
        return self._process.wait(within_s)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for number, seconds in [*self.stop_steps, (signal.SIGKILL, 10.0)]:
            if process.poll() is None:
                process.send_signal(number)
            try:
                process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue

    def clear_orphan(self) -> None:
        """Stop what an earlier start left running; the lock tells for certain that it is ours and alive."""
        signals = iter([*(number for number, _ in self.stop_steps), signal.SIGKILL])
        while is_held(self.lock):
            number = next(signals, None)
            if number is None:
                raise ServerFailed(f"An earlier {self.name} (process {self._holder()}) does not stop; end it by hand")
            _signal(self._holder(), number)
            _wait(lambda: not is_held(self.lock), ORPHAN_STOPS_WITHIN_S)

    def last_lines(self, count: int = 8) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        except OSError:
            return ""

    def _wait_until(self, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not answers():
            if not self.alive():
                raise ServerFailed(f"{self.name} did not start. {self.log} ends:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} did not answer within {READY_WITHIN_S} s; see {self.log}")
            time.sleep(POLL_S)

    def _holder(self) -> int:
        try:
            return int(self.lock.read_text() or 0)
        except (OSError, ValueError):
            return 0


def _log_file(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def _environment() -> dict[str, str]:
    """Nothing of ours: PGDATA, PGOPTIONS or a locale set in a person's shell must not reach the server."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _signal(pid: int, number: signal.Signals) -> None:
    if pid > 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait(condition: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_S)
