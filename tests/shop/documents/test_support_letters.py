"""Letters to the shop's own people: once each, true when sent, and readable without HTML."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from clients import smtp
from db.database import Database
from devstack.stand_ins.mail import Mail, create_mail
from shop.documents.errors import NothingToDocument
from shop.documents.letters import WRITERS
from shop.documents.mail import mail
from shop.documents.posted import posted
from shop.documents.support_letters import NOTICES, SUPPORT_LETTERS
from shop.ids import new_id
from shop.payments.disputes.remind import remind
from shop.payments.queries import history
from shop.ports.mail import Mailer
from tests.shop.documents import made, seen

DESK = replace(made.DESK, support_to="support@example.com")


@pytest.fixture(name="post_office")
def _post_office() -> Iterator[tuple[FlaskClient, Mailer]]:
    mailbox: Mail = create_mail(smtp_port=0)
    port = mailbox.start()
    mailer = smtp.connect(f"smtp://127.0.0.1:{port}", sender="shop@example.com", sender_name="Backroom Shop")
    yield mailbox.app.test_client(), mailer
    mailbox.stop()


def messages(door: FlaskClient) -> list[dict[str, Any]]:
    answer = door.get("/messages").json
    assert answer is not None
    return answer["data"]


def dispute(db: Database, order_id: str, status: str, *, submitted: bool = False) -> str:
    dispute_id = new_id("dsp")
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO disputes (id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor, currency,
                                  withdrawn_minor, fee_minor, evidence_due_at, evidence_submitted, opened_at)
            SELECT %(id)s, order_id, id, %(id)s || 'x', %(status)s, 'product_not_received', 10470, 'eur', 10470, 1500,
                   now() + interval '5 days', %(submitted)s, now()
              FROM payments WHERE order_id = %(order)s
            """,
            {"id": dispute_id, "status": status, "submitted": submitted, "order": order_id},
        )
    return dispute_id


def told(kind: str) -> str:
    """A state in which the letter of this kind is true."""
    return min(NOTICES[kind].true_in)


@pytest.mark.parametrize("kind", list(NOTICES))
def test_support_is_told_what_happened_what_it_costs_and_what_to_do(
    db: Database, post_office: tuple[FlaskClient, Mailer], kind: str
) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    dispute_id = dispute(db, order_id, told(kind))
    for _ in range(2):
        assert mail(db, mailer, DESK, kind=kind, subject_id=dispute_id) == "sent"
    (message,) = messages(door)
    assert message["to"] == ["support@example.com"]
    notice = NOTICES[kind]
    for words in (message["text"], message["html"]):
        assert notice.headline.split("'")[0] in words
        assert dispute_id in words
        assert "The cardholder says that the goods did not arrive." in words
        assert "104.70" in words
        assert "15.00" in words
    assert ("due by" in message["text"]) == (told(kind) in {"needs_response", "warning_needs_response"})


@pytest.mark.parametrize("kind", list(NOTICES))
def test_a_letter_that_is_no_longer_true_is_not_sent(
    db: Database, post_office: tuple[FlaskClient, Mailer], kind: str
) -> None:
    door, mailer = post_office
    dispute_id = dispute(db, made.order(db), "under_review")
    assert mail(db, mailer, DESK, kind=kind, subject_id=dispute_id) == "dropped"
    assert messages(door) == []
    assert "under_review" in seen.mails(db)[0]["last_error"]


def test_nobody_is_reminded_of_what_is_answered(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    _, mailer = post_office
    dispute_id = dispute(db, made.order(db), "needs_response", submitted=True)
    assert mail(db, mailer, DESK, kind="dispute_due", subject_id=dispute_id) == "dropped"


def remind_by_mail(db: Database, mailer: Mailer) -> int:
    """Every letter that the reminder staged, sent as the jobs say; answers how many it staged."""
    told = remind(db, days=3)
    with db.transaction() as tx:
        staged = tx.execute("DELETE FROM jobs WHERE name = 'documents.mail' RETURNING args").fetchall()
    for (args,) in staged:
        assert mail(db, mailer, DESK, **args) == "sent"
    return told


def move_last_day(db: Database, hours: int) -> None:
    with db.transaction() as tx:
        tx.execute("UPDATE disputes SET evidence_due_at = now() + make_interval(hours => %(h)s)", {"h": hours})


def test_a_last_day_that_moved_is_told_by_a_letter_of_its_own(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    dispute_id = dispute(db, order_id, "needs_response")
    move_last_day(db, 60)
    assert [remind_by_mail(db, mailer) for _ in range(2)] == [1, 0]
    move_last_day(db, 20)
    assert [remind_by_mail(db, mailer) for _ in range(2)] == [1, 0]
    texts = [message["text"] for message in messages(door)]
    assert len(texts) == 2
    assert all(dispute_id in text and "due by" in text for text in texts)
    assert texts[0] != texts[1], "each names the day that was the last one when it was sent"
    rows = posted(db, state="sent", order_id=order_id, before_id=None, limit=10)
    assert [(row.kind, row.subject_id, row.order_id) for row in rows] == [("dispute_due", dispute_id, order_id)] * 2
    with db.transaction() as tx:
        told = [moment for moment in history.moments(tx, order_id) if moment.kind == "mail"]
    assert [moment.what for moment in told] == ["dispute_due"] * 2


def test_a_refund_that_failed_is_told_with_its_goods(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    refund_id = made.refund(db, order_id, 1000, status="failed")
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO effects (order_id, kind, generation) VALUES (%(order)s, 'restock', %(refund)s)",
            {"order": order_id, "refund": refund_id},
        )
    assert mail(db, mailer, made.DESK, kind="refund_failed", subject_id=refund_id) == "sent"
    (message,) = messages(door)
    assert message["to"] == [made.DESK.report_to]  # nobody was named for support
    assert "suspected nonsense" in message["text"]
    assert "in stock again and stay there" in message["text"]
    other = made.refund(db, order_id, 1000)
    assert mail(db, mailer, DESK, kind="refund_failed", subject_id=other) == "dropped"


@pytest.mark.parametrize("kind", [*NOTICES, "refund_failed"])
def test_a_letter_about_nothing_is_refused(db: Database, post_office: tuple[FlaskClient, Mailer], kind: str) -> None:
    assert kind in WRITERS.keys() & set(SUPPORT_LETTERS)
    with pytest.raises(NothingToDocument):
        mail(db, post_office[1], DESK, kind=kind, subject_id="dsp_none")


def test_the_text_of_a_mail_is_kept(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    """A bank may ask what was said."""
    door, mailer = post_office
    dispute_id = dispute(db, made.order(db), "won")
    mail(db, mailer, DESK, kind="dispute_won", subject_id=dispute_id)
    with db.transaction() as tx:
        (kept,) = tx.execute("SELECT body_text FROM mails").fetchall()
    assert kept[0].split() == messages(door)[0]["text"].split()
