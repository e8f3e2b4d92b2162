"""PostgreSQL and Redis of one folder as one thing: started together, stopped together, never twice."""

import atexit
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from devstack.embedded import state as remembered
from devstack.embedded.account import account_for, home_for
from devstack.embedded.errors import ServerFailed
from devstack.embedded.lock import FolderLock
from devstack.embedded.ports import free_port, is_free
from devstack.embedded.postgres import Postgres
from devstack.embedded.redis import Redis
from devstack.embedded.state import State, Urls

PORT_TRIES = 3  # between finding a port free and listening on it, another program may take it


class EmbeddedServers:
    """The servers of the folder `root`; `durable=False` is for data that a test throws away.

    Start them from the main thread: they die with the thread that started them, so that not even kill -9 of
    this process leaves one behind.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root = root.resolve()
        self._durable = durable
        self._lock = FolderLock(self.root / "servers.lock", "The embedded servers")
        self._state: State | None = None
        self._owner_pid = 0
        self.home = self.root  # of the data; another folder when root's servers could not reach this one
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None

    def start(self) -> Urls:
        """Raises AlreadyRunning when another process runs them, ServerFailed when one does not come up."""
        self._make_root()
        self._lock.take()
        self._owner_pid = os.getpid()
        atexit.register(self.stop)
        try:
            state = replace(remembered.load_or_make(self.root), boot=secrets.token_hex(8))
            self._make_servers(state)
            self._start_both(state)
        except BaseException:
            self.stop()
            raise
        assert self._state is not None, "both servers have just started"
        urls = remembered.urls(self._state)
        self._lock.tell(f"PostgreSQL on port {self._state.postgres_port}, Redis on port {self._state.redis_port}")
        return urls

    def stop(self) -> None:
        """Stops what runs, waits until it is gone; harmless when nothing does, and in a forked child."""
        if os.getpid() != self._owner_pid:
            return
        for server in (self.redis, self.postgres):
            if server is not None:
                server.stop()
        self._lock.release()
        atexit.unregister(self.stop)

    def revive(self) -> list[str]:
        """Start again, on its old port, each server that ended by itself; their names."""
        assert self._state is not None, "nothing was started"
        revived: list[str] = []
        for server, port in (
            (self.postgres, self._state.postgres_port),
            (self.redis, self._state.redis_port),
        ):
            if server is not None and not server.process.alive():
                server.prepare()
                server.start(port)
                revived.append(server.process.name)
        return revived

    def __enter__(self) -> Urls:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_root(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServerFailed(f"Cannot make the folder {self.root}: {error.strerror}") from None
        if not os.access(self.root, os.W_OK | os.X_OK):
            owner = self.root.owner()
            raise ServerFailed(f"{self.root} belongs to {owner}: run this as {owner}, or remove that folder.")

    def _make_servers(self, state: State) -> None:
        account = account_for(self.root / "postgres")
        self.home = home = home_for(self.root, account, state.home_id)
        if home != self.root:
            account = account_for(home / "postgres")
        logs = self.root / "logs"
        self.postgres = Postgres(home, logs, account, state.postgres_password, durable=self._durable)
        self.redis = Redis(home, logs, account, state.redis_password, durable=self._durable)

    def _start_both(self, state: State) -> None:
        assert self.postgres is not None, "made just before"
        assert self.redis is not None, "made just before"
        self.postgres.prepare()
        self.redis.prepare()
        state = replace(state, postgres_port=_start_on_a_port(self.postgres.start, state.postgres_port))
        state = replace(state, redis_port=_start_on_a_port(self.redis.start, state.redis_port))
        remembered.save(self.root, state)
        self._state = state


def _start_on_a_port(start: Callable[[int], None], preferred: int) -> int:
    for tries_left in reversed(range(PORT_TRIES)):
        port = free_port(preferred)
        try:
            start(port)
        except ServerFailed:
            if tries_left == 0 or is_free(port):
                raise  # the port was not the trouble
            continue
        return port
    raise AssertionError("the last try returns or raises")
