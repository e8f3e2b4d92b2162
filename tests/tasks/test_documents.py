"""The queue of documents on real processes: an invoice job becomes a number, a paper and a mail, whoever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot import broker as brokers
from boot.settings import Settings
from db import outbox
from db.database import Database
from devstack.stand_ins.mail import create_mail
from scheduler.reaper import Reaper, reap
from scheduler.relay import relay
from shop import jobs
from shop.documents.proof import verify_numbers
from tests.shop.documents import made, seen

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


class Office:
    """Relay and reaper in threads, the mailbox beside them, and workers of the queue as processes."""

    def __init__(self, db: Database, settings: Settings, smtp_port: int, mailbox: FlaskClient) -> None:
        self.db, self.mailbox = db, mailbox
        self._env = os.environ | {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": settings.redis_url.get_secret_value(),
            "STRIPE_SECRET_KEY": "sk_test",
            "STRIPE_WEBHOOK_SECRETS": "whsec_test",
            "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "SHOP_NAME": "The Shop of the Test",
        }
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tasks", "documents", "--threads", "2"]
        self.workers.append(subprocess.Popen(command, env=self._env, cwd=ROOT, start_new_session=True))
        return self.workers[-1]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen in time: {seen.mails(self.db)}"
            time.sleep(0.05)

    def messages(self) -> list[dict[str, Any]]:
        answer = self.mailbox.get("/messages").json
        assert answer is not None
        return answer["data"]

    def all_mailed(self, count: int) -> bool:
        return [row["state"] for row in seen.mails(self.db)] == ["sent"] * count


@pytest.fixture(name="office")
def _office(db: Database, settings_with: Callable[..., Settings]) -> Iterator[Office]:
    settings = settings_with()
    broker = brokers.connect(settings)
    mailbox = create_mail(smtp_port=0)
    office = Office(db, settings, mailbox.start(), mailbox.app.test_client())
    closing = threading.Event()
    threads = [
        threading.Thread(target=relay, args=(db, broker, closing, ("documents",))),
        threading.Thread(target=reap, args=(Reaper(db, broker), closing)),
    ]
    for thread in threads:
        thread.start()
    yield office
    for worker in office.workers:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    closing.set()
    for thread in threads:
        thread.join()
    mailbox.stop()


def test_a_paid_and_refunded_order_becomes_two_papers_and_two_mails(db: Database, office: Office) -> None:
    order_id = made.order(db)
    refund_id = made.refund(db, order_id, 1000)
    office.worker()
    with db.transaction() as tx:
        outbox.stage(tx, jobs.ISSUE_INVOICE, order_id=order_id)
        outbox.stage(tx, jobs.ISSUE_CREDIT_NOTE, refund_id=refund_id)
    office.until(lambda: office.all_mailed(2))
    subjects = {message["subject"] for message in office.messages()}
    assert len(subjects) == 2
    assert all("The Shop of the Test" in message["html"] for message in office.messages())
    assert "The Shop of the Test" in seen.text(seen.file_of(db, seen.invoices(db)[0]["id"]))


def test_a_worker_killed_in_the_middle_leaves_no_gap_no_double_and_no_order_without_its_mail(
    db: Database, office: Office
) -> None:
    orders = [made.order(db) for _ in range(16)]
    first = office.worker()
    with db.transaction() as tx:
        for order_id in orders:
            outbox.stage(tx, jobs.ISSUE_INVOICE, order_id=order_id)
    office.until(lambda: len(seen.invoices(db)) >= 5)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    with db.transaction() as tx:  # a mail that was in its hands waits three minutes; the test does not
        tx.execute("UPDATE mails SET claimed_until = now() WHERE state = 'sending'")
    office.worker()
    office.until(lambda: office.all_mailed(16))
    assert {row["order_id"] for row in seen.invoices(db)} == set(orders)
    assert verify_numbers(db).faults == []
    assert len({message["headers"]["Message-ID"] for message in office.messages()}) == 16
