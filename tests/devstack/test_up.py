"""`backroom up` from outside, as a person meets it: real processes on free ports, every way to start and to end."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from devstack.cli import EXIT_ALREADY_RUNNING, EXIT_FAILED, EXIT_NOT_RUNNING, EXIT_WRONG_USE
from devstack.embedded import Urls
from devstack.embedded.databases import temporary_servers
from devstack.environment import running
from devstack.groups import group_lives

BACKROOM = Path(sys.executable).with_name("backroom")
UP_WITHIN_S = 150  # on a machine whose two cores run other tests too
DOWN_WITHIN_S = 60

pytestmark = pytest.mark.journey


@pytest.fixture
def root() -> Generator[Path]:
    """Outside pytest's own folders, which are closed to the account that root's servers run as."""
    path = Path(tempfile.mkdtemp(prefix="backroom-up-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of the tests on servers of one's own must not make every stack here use them."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


def test_up_serves_the_shop_refuses_a_second_start_and_ends_cleanly(root: Path) -> None:
    shop = Shop(root)
    shop.wait_until_open()
    variables = running(root)
    for name in ("PUBLIC_URL", "AUTH_URL", "PRODUCT_URL", "CART_URL", "STRIPE_BASE_URL", "MAILBOX_URL"):
        assert _status(f"{variables[name]}/health/live") == 200, name
    assert f"export PUBLIC_URL='{variables['PUBLIC_URL']}'" in _run("env", "--root", str(root)).stdout

    second = _run("up", "--any-ports", "--root", str(root))
    assert second.returncode == EXIT_ALREADY_RUNNING
    assert f"process {shop.process.pid}, {variables['PUBLIC_URL']}" in second.stderr

    pids = shop.pids()
    shop.process.terminate()
    assert shop.process.wait(DOWN_WITHIN_S) == 0
    assert [pid for pid in pids if group_lives(pid)] == []
    assert _run("env", "--root", str(root)).returncode == EXIT_NOT_RUNNING


def test_after_kill_9_nothing_is_left_and_the_next_start_works_at_once(root: Path) -> None:
    shop = Shop(root)
    shop.wait_until_open()
    pids = shop.pids()
    shop.process.kill()
    shop.process.wait()

    again = _run("up", "--any-ports", "--root", str(root), "--then", "echo open on $PORT", "--and-stop")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "open on" in again.stdout
    assert [pid for pid in pids if group_lives(pid)] == []


def test_a_failing_command_is_told_by_the_exit_code_and_servers_of_ones_own_are_used(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with temporary_servers() as urls:
        _point_at(urls, monkeypatch)
        done = _run("up", "--any-ports", "--root", str(root), "--then", "exit 7", "--and-stop")
    assert done.returncode == 7, done.stdout + done.stderr
    assert not (root / "servers.json").exists()


def test_a_taken_port_is_told_in_one_sentence(root: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = _run("up", "--any-ports", "--port", f"mail={port}", "--root", str(root))
    assert done.returncode == EXIT_FAILED
    assert f"Port {port} is in use by another program, and mail belongs there." in done.stderr
    assert "Traceback" not in done.stderr


def test_one_server_of_ones_own_is_half_a_wish_and_told_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://x@127.0.0.1/x")
    done = _run("up", "--any-ports", "--root", str(root))
    assert (done.returncode, done.stderr.count("\n")) == (EXIT_WRONG_USE, 1)
    assert "DATABASE_URL is set but REDIS_URL is not" in done.stderr


def test_a_redis_of_ones_own_that_is_away_is_told_before_anything_starts(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://x@127.0.0.1:1/x")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    done = _run("up", "--any-ports", "--root", str(root))
    assert (done.returncode, done.stderr.count("\n")) == (EXIT_FAILED, 1)
    assert "Redis cannot be reached with REDIS_URL" in done.stderr


class Shop:
    """A stack in the background."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._output = (root / "up.out").open("w")
        self.process = subprocess.Popen(
            [BACKROOM, "up", "--any-ports", "--no-logs", "--root", str(root)],
            stdout=self._output,
            stderr=self._output,
            env=_environment(),
        )

    def wait_until_open(self) -> None:
        _wait_until(lambda: bool(running(self._root)) or self.process.poll() is not None, UP_WITHIN_S)
        assert running(self._root), (self._root / "up.out").read_text()

    def pids(self) -> list[int]:
        """Heads of all process groups that the supervisor started, and the two servers."""
        listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True).stdout
        rows = [tuple(map(int, line.split())) for line in listed.splitlines()[1:]]
        return [pid for pid, parent in rows if parent == self.process.pid]


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BACKROOM, *words], capture_output=True, text=True, env=_environment(), timeout=240, check=False
    )


def _environment() -> dict[str, str]:
    # Sentences on one line; one web process, because one that is told to stop while it starts takes 25 s to.
    return {**os.environ, "COLUMNS": "300", "WEB_CONCURRENCY": "1"}


def _point_at(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", urls.database_url)
    monkeypatch.setenv("REDIS_URL", urls.redis_url)


def _status(url: str) -> int:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status


def _wait_until(condition: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
