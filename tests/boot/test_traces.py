"""A collector sees a request, its wait in the outbox and its job as one story, with ids and nothing personal."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask.testing import FlaskClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Seen
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from boot import traces
from boot.services import Services, connect
from boot.settings import Settings
from db import outbox
from db.database import Database
from shop import jobs
from tasks.broker import Performer, Run
from tasks.runner import Runner
from web.access import PUBLIC
from web.app import create_app
from web.call import Call
from web.models import Out
from web.routes import Group

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Staged(Out):
    job: str


class Collector(ThreadingHTTPServer):
    """Speaks OTLP over HTTP as far as a client can tell."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.spans: list[Seen] = []
        self.services: set[str] = set()

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(named["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]


class _Door(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/traces"
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.take(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words: object) -> None: ...


@pytest.fixture(name="collector")
def _collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


@pytest.fixture(name="traced")
def _traced(settings_with: Callable[..., Settings], collector: Collector) -> Iterator[Services]:
    settings = settings_with(otel_exporter_otlp_endpoint=f"http://127.0.0.1:{collector.server_port}")
    services = connect(settings, name="test")
    traces.begin(settings, process="test")
    yield services
    traces.end()
    services.db.close()


def client_that_stages(services: Services) -> FlaskClient:
    group = Group("Staging", "One route that stages a job, and one that breaks.")

    @group.route("GET", "/stage/{name}", who=PUBLIC, answers={200: Staged})
    def stage(call: Call, name: str) -> Staged:
        """Stage."""
        if name == "broken":
            raise RuntimeError(f"{name} ada@example.com")
        with call.db.transaction() as tx:
            return Staged(job=outbox.stage(tx, jobs.PLACE_ORDER, order_id="ord_1"))

    return create_app(services, [group]).test_client()


def run_staged(services: Services, door: Callable[..., None]) -> None:
    with services.db.transaction() as tx:
        row = tx.execute("SELECT id, fence FROM jobs WHERE state = 'staged'").fetchone()
    assert row is not None
    Runner(services, "me", threading.Event()).run(Performer(jobs.PLACE_ORDER, door), row[0], row[1])


def test_a_request_its_wait_and_its_job_are_one_story(traced: Services, collector: Collector) -> None:
    def door(_services: Services, run: Run, *, order_id: str) -> None:
        with run.services.db.transaction() as tx:
            outbox.stage(tx, jobs.CAPTURE_PAYMENT, order_id=order_id)

    client_that_stages(traced).get("/stage/ada", headers={"traceparent": CALLER, "X-Request-Id": "shop-42"})
    run_staged(traced, door)
    with traced.db.transaction() as tx:
        follows = tx.execute("SELECT traceparent FROM jobs WHERE state = 'staged'").fetchone()
    traces.end()
    assert collector.services == {"backroom-test"}
    request, wait, job = collector.spans
    assert [span.name for span in collector.spans] == ["GET /stage/{name}", "outbox payments.place", "payments.place"]
    assert {span.trace_id.hex() for span in collector.spans} == {CALLER.split("-")[1]}
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    assert wait.parent_span_id == request.span_id
    assert job.parent_span_id == wait.span_id
    assert wait.start_time_unix_nano < wait.end_time_unix_nano <= job.start_time_unix_nano + 1_000_000
    assert told(request) == {"http.route": "/stage/{name}", "http.response.status_code": 200, "request_id": "shop-42"}
    assert told(job)["outcome"] == "done"
    assert follows is not None
    assert follows[0].split("-")[1:3] == [job.trace_id.hex(), job.span_id.hex()]


def test_what_breaks_is_marked_and_its_words_stay_here(traced: Services, collector: Collector) -> None:
    def door(_services: Services, _run: Run, *, order_id: str) -> None:
        raise RuntimeError(f"{order_id} of ada@example.com")

    client = client_that_stages(traced)
    client.get("/stage/ada")
    run_staged(traced, door)
    assert client.get("/stage/broken").status_code == 500
    traces.end()
    failed = {span.name for span in collector.spans if span.status.code == Status.STATUS_CODE_ERROR}
    assert failed == {"payments.place", "GET /stage/{name}"}
    assert b"ada" not in b"".join(span.SerializeToString() for span in collector.spans)


def test_without_a_collector_the_callers_trace_travels_on_unchanged(db: Database, services: Services) -> None:
    client_that_stages(services).get("/stage/ada", headers={"traceparent": CALLER})
    with db.transaction() as tx:
        assert tx.execute("SELECT traceparent FROM jobs").fetchone() == (CALLER,)


def told(span: Seen) -> dict[str, object]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}
