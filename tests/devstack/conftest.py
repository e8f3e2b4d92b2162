"""A neighbour's stand-in as a process that can be killed at any moment and started again."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests


class Neighbour:
    """One stand-in as a process that can be killed and started again with what it had kept."""

    def __init__(self, name: str, state: Path, *options: str) -> None:
        self.command = [sys.executable, "-m", f"devstack.stand_ins.{name}", "--port", "0", "--state", str(state)]
        self.command += options
        self.start()

    def start(self, *more: str) -> None:
        self.process = subprocess.Popen([*self.command, *more], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.said = [self.process.stdout.readline()]
        while not self.said[-1].startswith("listening on "):
            assert self.said[-1], "it ended before it was ready"
            self.said.append(self.process.stdout.readline())
        self.url = self.said[-1].split()[-1]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def crash(self, *more: str) -> None:
        self.kill()
        self.start(*more)

    def ask(self, verb: str, path: str, **given: Any) -> requests.Response:
        return requests.request(verb, self.url + path, timeout=10, **given)

    @property
    def smtp_port(self) -> int:
        return int(self.said[0].rpartition(":")[2])


Start = Callable[..., Neighbour]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Neighbour] = []

    def run(name: str, *options: str) -> Neighbour:
        started.append(Neighbour(name, tmp_path / "kept" / f"{name}.db", *options))
        return started[-1]

    yield run
    for one in started:
        one.kill()
