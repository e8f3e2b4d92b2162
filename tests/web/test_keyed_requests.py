"""Idempotency-Key: whatever is sent twice happens once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from boot.services import Services
from db.database import Database
from shop.operations import idempotency
from shop.operations.idempotency import Kept, Keyed
from tests.web import toyshop

SignedIn = Callable[..., dict[str, str]]


def write(
    toys: FlaskClient, headers: dict[str, str], key: str | None, text: str = "hello", **more: str
) -> TestResponse:
    given = {**headers, **({"Idempotency-Key": key} if key is not None else {}), **more}
    return toys.post("/toys/notes", json={"text": text}, headers=given)


def code(answer: TestResponse) -> Any:
    return answer.json and answer.json.get("code")


def test_the_same_request_again_gets_the_first_answer_and_does_nothing(
    db: Database, toys: FlaskClient, signed_in: SignedIn
) -> None:
    first = write(toys, signed_in(), "k1")
    again = write(toys, signed_in(), "k1")
    assert first.status_code == again.status_code == 202
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert toyshop.count(db) == 1


def test_fields_in_another_order_are_the_same_body(db: Database, toys: FlaskClient, signed_in: SignedIn) -> None:
    headers = {**signed_in(), "Idempotency-Key": "k1", "Content-Type": "application/json"}
    toys.post("/toys/notes", data=b'{"text": "a", "stars": 3}', headers=headers)
    again = toys.post("/toys/notes", data=b'{ "stars":3,"text":"a" }', headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert toyshop.count(db) == 1


def test_another_body_under_the_same_key_is_refused(db: Database, toys: FlaskClient, signed_in: SignedIn) -> None:
    write(toys, signed_in(), "k1", "one")
    other = write(toys, signed_in(), "k1", "two")
    assert (other.status_code, code(other)) == (422, "idempotency_key_reused")
    assert toyshop.count(db) == 1


def test_a_key_belongs_to_its_caller_and_to_its_route(db: Database, toys: FlaskClient, signed_in: SignedIn) -> None:
    assert write(toys, signed_in("usr_1"), "k1").status_code == 202
    assert "Idempotency-Replayed" not in write(toys, signed_in("usr_2"), "k1").headers
    assert toyshop.count(db) == 2
    sealed = [toys.post(f"/toys/notes/{n}/seal", headers={**signed_in(), "Idempotency-Key": "k1"}) for n in (1, 2)]
    assert [answer.json and answer.json["id"] for answer in sealed] == [1, 2]


def test_a_missing_empty_or_overlong_key_is_told(toys: FlaskClient, signed_in: SignedIn) -> None:
    for key in (None, "", "x" * 256, "bad\u00e9"):
        answer = write(toys, signed_in(), key)
        assert (answer.status_code, code(answer)) == (400, "idempotency_key_required")
    assert write(toys, signed_in(), "x" * 255).status_code == 202


def test_a_refusal_undoes_the_work_and_is_the_answer_again(
    db: Database, toys: FlaskClient, signed_in: SignedIn
) -> None:
    first = write(toys, signed_in(), "k1", "blank")
    again = write(toys, signed_in(), "k1", "blank")
    assert (first.status_code, code(first)) == (409, "note_blank")
    assert again.data == first.data
    assert again.content_type == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert toyshop.count(db) == 0


def test_what_failed_on_our_side_keeps_nothing_and_may_be_tried_again(
    db: Database, toys: FlaskClient, signed_in: SignedIn
) -> None:
    for text, status in (("busy", 503), ("bug", 500)):
        for _ in range(2):
            answer = write(toys, signed_in(), f"k-{text}", text)
            assert answer.status_code == status
            assert "Idempotency-Replayed" not in answer.headers
    assert toyshop.count(db) == 0


def test_an_invalid_request_does_not_use_its_key_up(db: Database, toys: FlaskClient, signed_in: SignedIn) -> None:
    headers = {**signed_in(), "Idempotency-Key": "k1"}
    assert toys.post("/toys/notes", json={"text": ""}, headers=headers).status_code == 422
    assert write(toys, signed_in(), "k1").status_code == 202
    assert toyshop.count(db) == 1


def test_while_the_first_is_running_the_second_is_told_so(
    services: Services, db: Database, toys: FlaskClient, signed_in: SignedIn
) -> None:
    answers: list[TestResponse] = []
    first = threading.Thread(
        target=lambda: answers.append(write(toys.application.test_client(), signed_in(), "k1", "slow"))
    )
    first.start()
    assert toyshop.INSIDE.wait(5)
    second = write(toys, signed_in(), "k1", "slow")
    toyshop.GATE.set()
    first.join()
    assert (second.status_code, code(second)) == (409, "idempotency_in_flight")
    assert toyshop.count(db) == 1
    assert write(toys, signed_in(), "k1", "slow").headers["Idempotency-Replayed"] == "true"


def test_twenty_at_once_make_one(db: Database, toys: FlaskClient, signed_in: SignedIn) -> None:
    headers = signed_in()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: write(toys.application.test_client(), headers, "k1"), range(20)))
    assert toyshop.count(db) == 1
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = [answer.json for answer in answers if answer.status_code == 202]
    assert made
    assert all(body == made[0] for body in made)


def test_the_answer_that_was_waited_for_is_the_one_that_comes_again(
    db: Database, toys: FlaskClient, signed_in: SignedIn
) -> None:
    worker = threading.Timer(0.3, toyshop.settle, (db,))
    worker.start()
    first = write(toys, signed_in(), "k1", Prefer="wait=10")
    worker.join()
    assert first.status_code == 201
    assert first.headers["Preference-Applied"] == "wait"
    again = write(toys, signed_in(), "k1", Prefer="wait=10")
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_wait_that_is_over_answers_as_before_with_the_present_state(
    db: Database, toys: FlaskClient, signed_in: SignedIn
) -> None:
    writer = threading.Timer(0.3, toyshop.reword, (db, "written meanwhile"))
    writer.start()
    first = write(toys, signed_in(), "k1", Prefer="wait=1")
    writer.join()
    assert first.json is not None
    assert (first.status_code, first.json["text"]) == (202, "written meanwhile")
    assert first.headers["Location"] == f"/toys/notes/{first.json['id']}"
    assert "Preference-Applied" not in first.headers
    assert write(toys, signed_in(), "k1").data == first.data


def test_a_crash_while_waiting_leaves_the_answer_of_the_commit(db: Database) -> None:
    keyed = Keyed("sub:usr_1", "POST /x", "k", b"{}")
    idempotency.once(db, keyed, lambda _db: Kept(202, {}, b"accepted"))
    assert idempotency.once(db, keyed, lambda _db: Kept(500, {}, b"never")) == (Kept(202, {}, b"accepted"), True)


def test_work_on_the_joined_database_cannot_outlive_its_request(db: Database) -> None:
    kept: list[Database] = []

    def work(joined: Database) -> Kept:
        kept.append(joined)
        return Kept(200, {}, b"")

    idempotency.once(db, Keyed("sub:usr_1", "POST /x", "k", b"{}"), work)
    with pytest.raises(RuntimeError, match="over"), kept[0].transaction():
        pass


def test_old_keys_are_pruned_and_those_of_yesterday_kept(db: Database) -> None:
    for key in ("old", "young"):
        idempotency.once(db, Keyed("sub:usr_1", "POST /x", key, b"{}"), lambda _db: Kept(200, {}, b""))
    with db.transaction() as tx:
        tx.execute("UPDATE idempotency_keys SET created_at = now() - interval '49 hours' WHERE key = 'old'")
        tx.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'young'")
    assert idempotency.prune_keys(db) == 1
    with db.transaction() as tx:
        assert tx.execute("SELECT key FROM idempotency_keys").fetchall() == [("young",)]
