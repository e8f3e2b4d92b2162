"""Sentry hears of bugs by kind and place, and of nobody."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
import pytest
import sentry_sdk
import structlog

from boot import faults, logs
from boot.settings import Settings


class Sentry(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.bodies: list[bytes] = []

    def events(self) -> list[dict[str, Any]]:
        lines = [line for body in self.bodies for line in body.splitlines()]
        return [found for line in lines if "exception" in (found := json.loads(line))]


class _Door(BaseHTTPRequestHandler):
    server: Sentry

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress}.get(self.headers.get("Content-Encoding", ""))
        self.server.bodies.append(unpack(body) if unpack else body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_words: object) -> None: ...


@pytest.fixture(name="sentry")
def _sentry() -> Iterator[Sentry]:
    with Sentry() as sentry:
        thread = threading.Thread(target=sentry.serve_forever)
        thread.start()
        yield sentry
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
        sentry.shutdown()
        thread.join()


@pytest.mark.usefixtures("log_as_before")
def test_a_bug_is_told_with_its_place_and_ids_and_without_its_words(
    sentry: Sentry, settings_with: Callable[..., Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(process="test")
    faults.begin(settings_with(sentry_dsn=f"http://key@127.0.0.1:{sentry.server_port}/1"), process="test")
    email = "ada@example.com"
    try:
        raise ValueError(f"{email} lives in Example Street")
    except ValueError as error:
        structlog.get_logger().error("job failed", exc_info=error, job="payments.place", job_id="job_1", customer=email)
        structlog.get_logger().exception("once more")
    structlog.get_logger().error("no exception, no bug", customer=email)
    sentry_sdk.flush(10)
    first, second = sentry.events()
    assert first["exception"]["values"][0]["type"] == second["exception"]["values"][0]["type"] == "ValueError"
    assert first["exception"]["values"][0]["stacktrace"]["frames"][-1]["function"].startswith("test_a_bug_is_told")
    assert first["tags"] == {"process": "test", "job": "payments.place", "job_id": "job_1"}
    sent = b"".join(sentry.bodies)
    assert b"ada@" not in sent
    assert b"Street" not in sent
    assert b"server_name" not in sent
    assert "ada@example.com" in capsys.readouterr().out, "the line itself is written as before"
