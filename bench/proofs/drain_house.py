"""Servers, a control process and the worker of events as in production, to be killed and looked after."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import redis

from clients import event_stream
from devstack.embedded.servers import EmbeddedServers
from devstack.embedded.state import Urls

ROOT = Path(__file__).parents[2]

PROGRAMS = {"control": ("scheduler",), "worker": ("tasks", "analytics", "--threads", "2")}


@dataclass
class House:
    servers: EmbeddedServers
    urls: Urls
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, subprocess.Popen[bytes]])

    def start(self, name: str) -> None:
        settings = {
            "DATABASE_URL": self.urls.database_url,
            "REDIS_URL": self.urls.redis_url,
            "STRIPE_SECRET_KEY": "sk_test_of_the_proofs",
            "STRIPE_WEBHOOK_SECRETS": "whsec_of_the_proofs",
        }
        self.running[name] = subprocess.Popen(
            [sys.executable, "-m", *PROGRAMS[name]],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | settings,
        )

    def held(self) -> int:
        """The newest batch that was taken and not settled, as a number; 0 without one."""
        with redis.Redis.from_url(self.urls.redis_url) as server:
            try:
                found = server.xpending(event_stream.STREAM, event_stream.GROUP)
            except redis.ResponseError:  # nothing came yet
                return 0
        newest = found["max"]
        return int(newest.replace(b"-", b"")) if newest else 0

    def look_after(self) -> None:
        """As a supervisor does: a program that ended, because a server was away when it began, is started again."""
        for name, process in self.running.items():
            if process.poll() is not None:
                self.start(name)

    def kill_worker(self) -> None:
        """Kill -9 with its sibling, start again at once."""
        self.look_after()
        os.killpg(self.running["worker"].pid, signal.SIGKILL)
        self.running["worker"].wait()
        self.start("worker")

    def stop(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.servers.stop()
