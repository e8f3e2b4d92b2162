"""A server that hangs is away: nobody waits for it longer than for one that is down."""

import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from db.database import Database, DatabaseUnavailable


class Line:
    """A line to the server that can fall silent without being cut, as where a machine or its disk hangs."""

    def __init__(self, host: str, port: int) -> None:
        self.talks = threading.Event()
        self.talks.set()
        self._server = (host, port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        self.talks.set()
        self._door.close()

    def _take(self) -> None:
        while True:
            try:
                near = self._door.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self._server)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with one, other:
            try:
                while said := one.recv(65536):
                    self.talks.wait()
                    other.sendall(said)
                other.shutdown(socket.SHUT_WR)
            except OSError:
                return


@pytest.fixture(name="line")
def _line(database_url: str) -> Iterator[Line]:
    server = urlsplit(database_url)
    line = Line(server.hostname or "127.0.0.1", server.port or 5432)
    yield line
    line.close()


def test_a_server_that_hangs_is_taken_for_away_and_used_again_when_it_answers(line: Line, database_url: str) -> None:
    server = urlsplit(database_url)
    db = Database(database_url.replace(f":{server.port}/", f":{line.port}/"), size=2)
    with db.transaction() as tx:
        tx.execute("SELECT 1")
    line.talks.clear()
    with pytest.raises(DatabaseUnavailable), db.transaction():
        pass
    line.talks.set()
    with db.transaction() as tx:
        row = tx.execute("SELECT 2").fetchone()
    db.close()
    assert row == (2,)
