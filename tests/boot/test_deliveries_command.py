"""`backroom deliveries`: what waits for a person is seen and decided in a terminal, with the login name kept."""

import getpass
import json

import pytest

from db.database import Database
from tests.boot.conftest import Run


@pytest.fixture(name="variables")
def _variables(variables: dict[str, str]) -> dict[str, str]:
    return variables | {"STRIPE_WEBHOOK_SECRETS": "summer:whsec_new,whsec_old"}


def keep(db: Database, name: str, state: str = "orphan", payment: str | None = "pi_1") -> None:
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO webhook_deliveries (id, event_id, source, type, payment_ref, body, state, reason, seen)
            VALUES (%(id)s, 'evt_' || %(id)s, 'webhook', 'payment_intent.succeeded', %(payment)s,
                    '{"data": {"object": {"client_secret": "pi_1_secret_2"}}}', %(state)s, 'there is no order ord_x (yet)',
                    '{"amount": 4490, "currency": "eur", "status": "succeeded", "captured": 4490, "refunded": 0}')
            """,
            {"id": name, "state": state, "payment": payment},
        )


def test_orphans_are_listed_shown_dismissed_and_given_back(db: Database, run: Run) -> None:
    keep(db, "whd_1")
    keep(db, "whd_2", payment="pi_2")
    keep(db, "whd_3", state="parked", payment="pi_3")
    listed = run("deliveries", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {row["id"] for row in json.loads(listed.stdout)} == {"whd_1", "whd_2"}
    shown = run("deliveries", "show", "whd_1")
    assert "there is no order ord_x" in shown.stdout
    assert "[removed]" in shown.stdout
    assert "pi_1_secret_2" not in shown.stdout
    done = run("deliveries", "dismiss", "whd_1", "--reason", "a test")
    assert done.returncode == 0, done.stderr
    again = run("deliveries", "dismiss", "whd_1", "--reason", "a test")
    assert again.returncode == 1
    assert "delivery_settled" in again.stderr
    back = run("deliveries", "refund", "whd_2", "--reason", "no such order")
    assert back.returncode == 0, back.stderr
    with db.transaction() as tx:
        acts = tx.execute("SELECT delivery_id, act, actor, reason FROM delivery_acts ORDER BY id").fetchall()
        staged = tx.execute("SELECT name FROM jobs").fetchall()
    name = f"cli:{getpass.getuser()}"
    assert acts == [("whd_1", "dismiss", name, "a test"), ("whd_2", "refund", name, "no such order")]
    assert staged == [("payments.give_back",)]


def test_what_is_missing_or_wrong_is_said(db: Database, run: Run) -> None:
    keep(db, "whd_1")
    assert run("deliveries", "dismiss", "whd_1").returncode == 2
    adopted = run("deliveries", "adopt", "whd_1", "ord_none", "--reason", "why not")
    assert (adopted.returncode, "there is no order ord_none" in adopted.stderr) == (1, True)


def test_the_doctor_and_the_list_of_secrets_tell_how_a_rotation_stands(db: Database, run: Run) -> None:
    keep(db, "whd_1")
    with db.transaction() as tx:
        tx.execute("INSERT INTO webhook_tallies (kind, name, shard, count) VALUES ('secret', 'summer', 1, 7)")
    listed = json.loads(run("deliveries", "secrets", "--json").stdout)
    assert [(use["label"], use["count"], use["retire_ok"]) for use in listed[:1]] == [("summer", 7, False)]
    assert listed[1]["retire_ok"] is True
    told = run("doctor", "--offline").stdout
    assert "1 deliveries could not be placed and wait for a person: backroom deliveries list --state orphan." in told
    assert f"The webhook secret {listed[1]['label']} can be taken out of STRIPE_WEBHOOK_SECRETS." in told
    assert "whsec" not in told
