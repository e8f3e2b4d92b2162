"""What an older version left in a queue, or Stripe once sent, is still read: one sample of each kind, never changed.

A new kind gets its sample by `python -m bench.proofs samples`, which never writes over one that is there.
"""

import inspect
import json
from pathlib import Path
from typing import Any, cast

import dramatiq
import pytest
import stripe
from flask.testing import FlaskClient

from bench.proofs.samples import FOLDER, all_jobs
from boot.services import Services
from clients.stripe.gateway import EVENT_TYPES
from db import outbox
from db.job_runs import claim
from db.outbox import Job
from tasks.broker import performers

JOBS = {path.stem: path for path in sorted((FOLDER / "jobs").glob("*.json"))}
WEBHOOKS = {path.stem: path for path in sorted((FOLDER / "webhooks").glob("*.json"))}

NEVER_SENT = {
    "payment_intent.partially_funded": "bank transfers, which the shop does not take",
    "charge.expired": "older than payment intents",
    "payout.canceled": "somebody cancels a payout in the dashboard",
    "payout.failed": "a bank refuses a payout",
    "payout.updated": "somebody changes a payout in the dashboard",
}
"""Kinds that the stand-in does not send by itself, and what would cause them."""


def sample(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))


def test_every_kind_of_job_has_its_sample() -> None:
    assert {job.name for job in all_jobs()} <= set(JOBS)


def test_every_kind_of_news_that_is_read_has_its_sample() -> None:
    assert set(EVENT_TYPES) - set(NEVER_SENT) <= set(WEBHOOKS)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_of_yesterday_still_has_a_door_that_takes_it(name: str) -> None:
    kept = sample(JOBS[name])
    performer = performers[kept["name"]]
    assert performer.job.queue == kept["queue"]
    bound = inspect.signature(performer.door).bind(None, None, **kept["args"])
    assert set(kept["args"]) <= set(bound.arguments)


def test_rows_of_yesterday_are_claimed_with_their_arguments(services: Services) -> None:
    for path in JOBS.values():
        kept = sample(path)
        with services.db.transaction() as tx:
            job_id = outbox.stage(tx, Job(kept["name"], kept["queue"]), **kept["args"])
            claimed = claim(tx, job_id, 0, owner="a test")
        assert claimed is not None
        assert (claimed.name, claimed.args) == (kept["name"], kept["args"])


@pytest.mark.parametrize("name", JOBS)
def test_a_message_of_yesterday_names_the_job_and_its_fence(name: str) -> None:
    kept = sample(JOBS[name])
    message = dramatiq.Message.decode(json.dumps(kept["message"]).encode())
    assert (message.queue_name, message.actor_name) == (kept["queue"], kept["name"])
    bound = inspect.signature(lambda job_id, fence: (job_id, fence)).bind(*message.args, **message.kwargs)
    assert isinstance(bound.arguments["job_id"], str)
    assert isinstance(bound.arguments["fence"], int)


def test_webhooks_of_yesterday_are_taken_once_and_understood(services: Services, client: FlaskClient) -> None:
    for event in map(sample, WEBHOOKS.values()):
        assert event["api_version"]
        body = json.dumps(event)
        signature = stripe.WebhookSignature.generate_signature_header(body, "whsec_of_the_tests")
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
        answers = [client.post("/v1/webhooks/stripe", data=body, headers=headers).status_code for _ in range(2)]
        assert answers == [200, 200]
        with services.db.transaction() as tx:
            rows = tx.execute(
                "SELECT event_id, type, object_id, object_kind, state FROM webhook_deliveries WHERE event_id = %s",
                (event["id"],),
            ).fetchall()
        told = event["data"]["object"]
        assert rows == [(event["id"], event["type"], told["id"], told["object"], "received")]
    with services.db.transaction() as tx:
        staged = tx.execute("SELECT count(*) FROM jobs WHERE name = 'payments.inbox'").fetchone()
    assert staged == (len(WEBHOOKS),)


@pytest.fixture(name="client")
def _client(services: Services) -> FlaskClient:
    from web.app import create_app

    return create_app(services).test_client()
