"""How a stand-in is served: threads, HTTP/1.1, loopback, one line when it is ready."""

import signal
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

POLL_S = 0.05  # how soon a stop is noticed; the default of half a second would be felt in every test


@dataclass(frozen=True)
class Served:
    """A stand-in at its address, for instance `http://127.0.0.1:8010`."""

    url: str
    port: int


def serve(app: Flask, port: int, host: str = "127.0.0.1", on_stop: Callable[[], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; port 0 takes a free one. Prints `listening on URL` when ready."""
    asked_to_stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_given: asked_to_stop.set())
    with serving(app, port, host) as served:
        print(f"listening on {served.url}", flush=True)  # whoever started the process waits for it
        asked_to_stop.wait()
    if on_stop is not None:
        on_stop()


@contextmanager
def serving(app: Flask, port: int = 0, host: str = "127.0.0.1") -> Generator[Served]:
    """Serve `app` from a thread for as long as the block lasts; port 0 takes a free one."""
    server = _Server(host, port, app, handler=_Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)
    thread.start()
    try:
        yield Served(url=f"http://{host}:{server.port}", port=server.port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadedWSGIServer):
    allow_reuse_address = True

    def shutdown_request(self, request: Any) -> None:
        """Close without the usual FIN where a planned fault asked for an abrupt end: the peer sees RST."""
        lingers, _seconds = struct.unpack("ii", request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        if lingers:
            self.close_request(request)
        else:
            super().shutdown_request(request)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written apart; Nagle would hold the body for 40 ms

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: GET /standin/requests is the log of a stand-in."""
