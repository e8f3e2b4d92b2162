"""Asks a pooled connection whether its server still answers, and does not wait for ever where it hangs."""

import select
import time
from typing import Any

import psycopg
from psycopg import pq

WITHIN_S = 3.0
"""As for a new connection: a server that says nothing for three seconds is away, and a thread that waits serves nobody.

The server's own bounds are of no use then: a process that is stopped, or a disk that hangs, ends no statement."""


def check(connection: psycopg.Connection[Any], *, within_s: float = WITHIN_S) -> None:
    """Raises OperationalError when there is no answer within the time, or the connection is gone."""
    server, ends = connection.pgconn, time.monotonic() + within_s
    server.send_query(b"")
    while server.flush():
        _wait(server, select.POLLOUT, ends)
    while (result := _next_result(server, ends)) is not None:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.OperationalError("the connection is of no use any more")


def _next_result(server: pq.abc.PGconn, ends: float) -> pq.abc.PGresult | None:
    while server.is_busy():
        _wait(server, select.POLLIN, ends)
        server.consume_input()
    return server.get_result()


def _wait(server: pq.abc.PGconn, until: int, ends: float) -> None:
    # Not select(): it knows no files above number 1023.
    poll = select.poll()
    poll.register(server.socket, until)
    if not poll.poll(max(0.0, ends - time.monotonic()) * 1000):
        raise psycopg.OperationalError("the server does not answer")
