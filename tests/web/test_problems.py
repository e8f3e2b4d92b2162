"""Every refusal is a problem: right status, right code, nothing that is not for the caller."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from boot.services import connect
from boot.settings import Settings
from web.app import create_app
from web.models import In
from web.problems import MalformedJson
from web.reading import canonical, parse

SignedIn = Callable[..., dict[str, str]]


class Anything(In):
    props: Any


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    body = answer.json
    assert body is not None
    assert body["code"] == code
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert {"type", "title", "detail"} <= set(body)
    return body


def write(toys: FlaskClient, signed_in: SignedIn, data: bytes, content_type: str = "application/json") -> TestResponse:
    headers = {**signed_in(), "Idempotency-Key": "k", "Content-Type": content_type}
    return toys.post("/toys/notes", data=data, headers=headers)


def test_an_unknown_path_and_an_unknown_verb(toys: FlaskClient) -> None:
    problem(toys.get("/nothing/here"), 404, "not_found")
    answer = toys.delete("/toys/open")
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]
    problem(toys.options("/toys/open"), 405, "method_not_allowed")


def test_no_token_a_bad_token_and_the_wrong_role(toys: FlaskClient, signed_in: SignedIn) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = toys.get("/toys/notes", headers=headers)
        problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    problem(toys.get("/toys/notes", headers=signed_in("usr_1", "customer")), 403, "forbidden")
    assert toys.get("/toys/notes", headers=signed_in("usr_1", "admin")).status_code == 200


def test_a_bad_token_is_refused_even_where_none_is_needed(toys: FlaskClient) -> None:
    problem(toys.get("/toys/me", headers={"Authorization": "Bearer nonsense"}), 401, "unauthorized")
    assert toys.get("/toys/open", headers={"Authorization": "Bearer nonsense"}).status_code == 200


def test_a_visitor_needs_an_id_or_a_token(toys: FlaskClient, signed_in: SignedIn) -> None:
    problem(toys.get("/toys/visit"), 401, "unauthorized")
    assert toys.get("/toys/visit", headers={"X-Visitor-Id": "vis_1"}).json["visitor_id"] == "vis_1"  # type: ignore[index]
    assert toys.get("/toys/visit", headers=signed_in()).json["sub"] == "usr_1"  # type: ignore[index]
    problem(toys.get("/toys/visit", headers={"X-Visitor-Id": "x" * 65}), 422, "invalid_request")


@pytest.mark.parametrize(
    "data",
    [b"{", b'{"text": }', b"\xff\xfe", b'{"text": "\xc3"}', b'{"text": "\\ud800"}', b"{'text': 'a'}", b"{} {}"],
)
def test_what_is_not_json_is_told_apart_from_what_is_wrong(toys: FlaskClient, signed_in: SignedIn, data: bytes) -> None:
    problem(write(toys, signed_in, data), 400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/text"]),
        ({"text": "a", "price": 1}, ["/price"]),
        ({"text": 5}, ["/text"]),
        ({"text": "a", "stars": "3"}, ["/stars"]),
        ({"text": "a", "stars": 3.5}, ["/stars"]),
        ({"text": "a", "tags": ["x", 7]}, ["/tags/1"]),
        ({"text": "", "a/b~c": 1}, ["/text", "/a~1b~0c"]),
        ({"text": "a\x00b"}, ["/text"]),
        ({"text": "a", "tags": ["x", "\x00"]}, ["/tags/1"]),
        ([], [""]),
        ("text", [""]),
        (None, [""]),
    ],
)
def test_each_wrong_field_is_named_by_its_pointer(
    toys: FlaskClient, signed_in: SignedIn, body: object, pointers: list[str]
) -> None:
    answer = problem(write(toys, signed_in, json.dumps(body).encode()), 422, "invalid_request")
    assert [fault["pointer"] for fault in answer["errors"]] == pointers
    assert all(fault["detail"] for fault in answer["errors"])


@pytest.mark.parametrize(
    "raw", [b'{"props": NaN}', b'{"props": -Infinity}', b'{"props": 1e999}', b'{"props": ' + b"9" * 5000 + b"}"]
)
def test_numbers_that_no_database_holds_are_not_json(raw: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse(Anything, raw)
    with pytest.raises(MalformedJson):
        canonical(raw)


def test_an_empty_body_is_an_empty_object(toys: FlaskClient, signed_in: SignedIn) -> None:
    assert problem(write(toys, signed_in, b""), 422, "invalid_request")["errors"][0]["pointer"] == "/text"


def test_a_field_where_no_body_is_read_is_told(toys: FlaskClient, signed_in: SignedIn) -> None:
    headers = {**signed_in(), "Idempotency-Key": "k"}
    refused = problem(toys.post("/toys/notes/1/seal", json={"force": True}, headers=headers), 422, "invalid_request")
    assert refused["errors"] == [{"pointer": "/force", "detail": "is not a field of this request"}]
    assert toys.post("/toys/notes/1/seal", json={}, headers=headers).status_code == 200


def test_a_body_over_the_routes_limit_is_refused_unread(toys: FlaskClient, signed_in: SignedIn) -> None:
    problem(write(toys, signed_in, json.dumps({"text": "x" * 2000}).encode()), 413, "too_large")


def test_a_form_is_not_json(toys: FlaskClient, signed_in: SignedIn) -> None:
    problem(write(toys, signed_in, b"text=a", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")
    headers = {**signed_in(), "Idempotency-Key": "k", "Content-Encoding": "gzip", "Content-Type": "application/json"}
    problem(toys.post("/toys/notes", data=gzip.compress(b"{}"), headers=headers), 415, "unsupported_media_type")


def test_gzip_is_unpacked_where_it_is_read_and_a_bomb_is_not(toys: FlaskClient) -> None:
    packed = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    assert toys.post("/toys/raw", data=gzip.compress(b"abc"), headers=packed).data == b"cba"
    problem(toys.post("/toys/raw", data=gzip.compress(b"a" * 5_000_000)[:900], headers=packed), 413, "too_large")
    problem(toys.post("/toys/raw", data=gzip.compress(b"a" * 400)[:-9], headers=packed), 400, "malformed_json")
    problem(toys.post("/toys/raw", data=b"no gzip at all", headers=packed), 400, "malformed_json")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "colour=red", "limit=1&limit=2", "cursor=!!", "settled=perhaps", "cursor=WzFd"],
)
def test_a_wrong_query_is_told(toys: FlaskClient, signed_in: SignedIn, query: str) -> None:
    problem(toys.get(f"/toys/notes?{query}", headers=signed_in("s", "support")), 422, "invalid_request")


def test_a_query_where_none_is_read_is_told(toys: FlaskClient) -> None:
    problem(toys.get("/toys/open?debug=1"), 422, "invalid_request")


def test_a_path_that_no_text_column_can_hold_names_nothing(client: FlaskClient, signed_in: SignedIn) -> None:
    problem(client.get("/v1/jobs/job_%00", headers=signed_in("s", "support")), 404, "not_found")
    problem(client.get("/v1/jobs/%ff", headers=signed_in("s", "support")), 404, "not_found")


def test_a_bug_says_nothing_of_itself(
    toys: FlaskClient, signed_in: SignedIn, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = write(toys, signed_in, b'{"text": "bug"}')
    problem(answer, 500, "internal_error")
    assert b"ZeroDivision" not in answer.data
    assert b"secret" not in answer.data
    assert "secret detail of a bug" in capsys.readouterr().out  # the log has it


def test_not_yet_says_when(toys: FlaskClient, signed_in: SignedIn) -> None:
    answer = write(toys, signed_in, b'{"text": "busy"}')
    problem(answer, 503, "note_busy")
    assert answer.headers["Retry-After"] == "8"


def test_without_a_database_the_answer_is_503(settings_with: Callable[..., Settings], signed_in: SignedIn) -> None:
    services = connect(settings_with(database_url="postgresql://nobody@127.0.0.1:1/none"), name="test")
    answer = create_app(services).test_client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["parts"] == {"postgresql": "down", "migrations": "down", "redis": "ok"}
    services.db.close()


def test_every_answer_carries_the_headers_that_keep_browsers_careful(toys: FlaskClient) -> None:
    for path in ("/toys/open", "/nothing"):
        headers = toys.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"


def test_times_are_utc_and_absent_things_are_null_unless_told(toys: FlaskClient) -> None:
    assert toys.get("/toys/open").json == {"at": "2026-11-23T14:04:05.123Z", "nothing": None}


def test_another_customers_thing_does_not_exist(toys: FlaskClient, signed_in: SignedIn) -> None:
    write(toys, signed_in, b'{"text": "mine"}')
    assert toys.get("/toys/notes/1", headers=signed_in("usr_1")).status_code == 200
    problem(toys.get("/toys/notes/1", headers=signed_in("usr_2")), 404, "not_found")
    problem(toys.get("/toys/notes/1", headers=signed_in("usr_2", "service")), 404, "not_found")
    assert toys.get("/toys/notes/1", headers=signed_in("usr_3", "support")).status_code == 200


def test_lists_go_page_by_page_to_their_end(toys: FlaskClient, signed_in: SignedIn) -> None:
    seen: list[int] = []
    query: dict[str, Any] = {}
    while True:
        page = toys.get("/toys/notes", query_string=query, headers=signed_in("s", "support")).json
        assert page is not None
        assert len(page["data"]) <= 20
        seen += [note["id"] for note in page["data"]]
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}
    assert seen == list(range(45, 0, -1))
