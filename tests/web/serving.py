"""Starting the real server for a test."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests

from boot.settings import Settings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Running:
    url: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        named = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.split()}
        return [pid for pid, command in named.items() if b"resource_tracker" not in command]


class Serve(Protocol):
    def __call__(self, target: str, *, workers: int, threads: int) -> Running: ...


def start(settings: Settings, folder: Path, target: str, *, workers: int, threads: int) -> Running:
    """granian as the Procfile starts it, on a free port, ready to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
        "STRIPE_WEBHOOK_SECRETS": "whsec_of_the_tests",
        "AUTH_JWT_SECRET": settings.auth_jwt_secret.get_secret_value(),
        "WEB_THREADS": str(threads),
        "TMPDIR": str(folder),
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--workers",
        str(workers),
        "--blocking-threads",
        str(threads),
        "--workers-kill-timeout",
        "10",
        "--no-ws",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, target], cwd=ROOT, env=environment, stdout=log, stderr=log)
    running = Running(f"http://127.0.0.1:{port}", process)
    _wait_until_live(running, folder / "log")
    return running


def _wait_until_live(running: Running, log: Path) -> None:
    for _ in range(300):
        assert running.process.poll() is None, log.read_text()
        try:
            requests.get(f"{running.url}/health/live", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    running.process.kill()
    raise AssertionError(log.read_text())
