"""The one door to PostgreSQL: a lazily opened pool, transactions, and connections of one's own."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import errors, sql
from psycopg_pool import ConnectionPool, PoolTimeout

from db.checking import check

Tx: TypeAlias = psycopg.Connection[tuple[Any, ...]]
"""A connection inside an open transaction. Functions that take one never commit."""

DatabaseUnavailable = (psycopg.OperationalError, PoolTimeout)
"""What is raised while PostgreSQL is away, restarting or full: worth another try, unlike every other error."""

_OF_A_ROW = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure, errors.QueryCanceled)
"""Operational for psycopg, but about what one statement touched: the next one may well go through."""

POOL_WAIT_S = 5.0
"""A request that cannot get a connection in five seconds is better refused than queued behind the rest."""

CONNECT_WITHIN_S = 3
"""A server that does not answer in three seconds is away; a thread that waits longer serves nobody."""

RECONNECT_WITHIN_S = 2.0
"""The pool doubles its pauses between tries; without this bound a process stays cut off as long again as the outage."""

CONNECTION_LIFE_S = 1800.0
"""Half an hour, so that a fail-over or a changed password reaches every process without a restart."""


def database_is_away(error: BaseException) -> bool:
    """Whether the next statement would fare no better, whatever it is about."""
    return isinstance(error, DatabaseUnavailable) and not isinstance(error, _OF_A_ROW)


class Database:
    """A pool of connections to one database.

    The pool is opened on first use and once per process id: a connection that was opened before a fork would be
    shared by two processes and mix up their answers.

    With `direct_url`, `url` is a pooler that gives each transaction whichever connection is free (PgBouncer's
    `transaction` mode): what a session is told would be told to strangers, so bounds are set in each transaction, for
    one more round trip, nothing is prepared, and sessions go to `direct_url`.
    """

    def __init__(
        self,
        url: str,
        *,
        direct_url: str = "",
        size: int = 8,
        name: str = "backroom",
        statement_timeout_s: int = 30,
    ) -> None:
        self._url = url
        self._direct_url = direct_url or url
        self._pooled = bool(direct_url)
        self._bounds = _bounds_of_a_transaction(statement_timeout_s)
        self._size = size
        self._options = _session_options(statement_timeout_s)
        self._name = name
        self._lock = threading.Lock()
        self._pool: ConnectionPool[Tx] | None = None
        self._pid = 0

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """Commit when the block ends, roll back when it raises."""
        try:
            with self._open_pool().connection() as connection, connection.transaction():
                if self._pooled:
                    connection.execute(self._bounds)
                yield connection
        except psycopg.Error as error:
            _forget_values(error)
            raise

    @contextmanager
    def session(self) -> Generator[Tx]:
        """A connection outside the pool, in autocommit, for LISTEN and for work longer than a request."""
        with psycopg.connect(
            self._direct_url,
            autocommit=True,
            application_name=self._name,
            options=self._options,
            connect_timeout=CONNECT_WITHIN_S,
        ) as connection:
            yield connection

    def close(self) -> None:
        with self._lock:
            if self._pool is not None and self._pid == os.getpid():
                self._pool.close()
            self._pool = None

    def _open_pool(self) -> ConnectionPool[Tx]:
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._pool = ConnectionPool(
                    self._url,
                    min_size=1,
                    max_size=self._size,
                    timeout=POOL_WAIT_S,
                    max_lifetime=CONNECTION_LIFE_S,
                    reconnect_timeout=RECONNECT_WITHIN_S,
                    check=check,
                    kwargs=self._of_a_connection(),
                    open=True,
                )
            return self._pool

    def _of_a_connection(self) -> dict[str, Any]:
        shared = {"application_name": self._name, "connect_timeout": CONNECT_WITHIN_S}
        # A pooler refuses options, and what is prepared on one connection would be asked of another.
        return {**shared, "prepare_threshold": None} if self._pooled else {**shared, "options": self._options}


BOUNDS = {"timezone": "UTC", "idle_in_transaction_session_timeout": "30s", "lock_timeout": "10s"}
"""A transaction left open by a stuck process would hold its row locks for ever; PostgreSQL ends it instead."""


def _session_options(statement_timeout_s: int) -> str:
    return " ".join(f"-c {name}={value}" for name, value in _bounds(statement_timeout_s).items())


def _bounds_of_a_transaction(statement_timeout_s: int) -> sql.Composed:
    # Not set_config(): a SELECT takes the transaction's snapshot, and its isolation could no longer be chosen.
    return sql.SQL("; ").join(
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in _bounds(statement_timeout_s).items()
    )


def _bounds(statement_timeout_s: int) -> dict[str, str]:
    return {**BOUNDS, "statement_timeout": f"{statement_timeout_s}s"}


def _forget_values(error: psycopg.Error) -> None:
    """PostgreSQL quotes the row that broke a rule, with names, addresses and secrets; logs and job rows show errors."""
    if error.diag.message_detail is not None:
        error.args = (error.diag.message_primary,)


def listen(connection: Tx, channel: LiteralString) -> None:
    """Subscribe an autocommit connection to a channel."""
    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
