"""Mails: once per kind and subject, true when sent, and readable without HTML."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from clients import smtp
from db.database import Database
from devstack.stand_ins.mail import Mail, create_mail
from shop.documents.credit import credit
from shop.documents.errors import BeingSent, NotDrawn, NothingToDocument, UnknownKindOfMail
from shop.documents.invoice import invoice
from shop.documents.letters import MOST_A_DAY, WRITERS
from shop.documents.mail import mail
from shop.documents.posted import posted
from shop.ports.mail import Letter, MailDelayed, Mailer, MailRefused
from tests.shop.documents import made, seen


@pytest.fixture(name="post_office")
def _post_office() -> Iterator[tuple[FlaskClient, Mailer]]:
    """The mailbox stand-in: its HTTP door, and our client connected to its SMTP door."""
    mailbox: Mail = create_mail(smtp_port=0)
    port = mailbox.start()
    mailer = smtp.connect(f"smtp://127.0.0.1:{port}", sender="shop@example.com", sender_name="Backroom Shop")
    yield mailbox.app.test_client(), mailer
    mailbox.stop()


def messages(door: FlaskClient) -> list[dict[str, Any]]:
    answer = door.get("/messages").json
    assert answer is not None
    return answer["data"]


def test_a_paid_order_is_thanked_for_with_the_invoice_attached(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    number = invoice(db, made.SELLER, order_id)
    assert mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id) == "sent"
    (message,) = messages(door)
    (row,) = seen.mails(db)
    assert message["to"] == ["ada@example.com"]
    assert message["headers"]["From"] == "Backroom Shop <shop@example.com>"
    assert message["headers"]["Message-ID"] == f"<{row['id']}@example.com>"
    assert message["attachments"][0]["name"] == f"{number}.pdf"
    assert message["attachments"][0]["type"] == "application/pdf"
    paper = door.get(f"/messages/{message['id']}/attachments/{number}.pdf").data
    assert paper == seen.file_of(db, seen.invoices(db)[0]["id"])
    for words in (message["text"], message["html"]):
        assert number in words
        assert "Walnut desk lamp" in words
        assert "€104.70" in words
    assert (row["state"], row["attempts"], row["recipient"]) == ("sent", 1, "ada@example.com")


def test_a_mail_is_sent_once_however_often_its_job_runs(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)

    def run(_: int) -> str:
        try:
            return mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id)
        except BeingSent as busy:
            return "waiting is not failing" if not busy.spends_attempt else "spent"

    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(run, range(12)))
    assert set(outcomes) <= {"sent", "waiting is not failing"}
    assert run(0) == "sent"
    assert len(messages(door)) == 1


def test_a_refund_is_told_with_its_credit_note(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    refund_id = made.refund(db, order_id, 1000)
    note = credit(db, made.SELLER, refund_id)
    mail(db, mailer, made.DESK, kind="refund_done", subject_id=refund_id)
    (message,) = messages(door)
    assert message["attachments"][0]["name"] == f"{note}.pdf"
    assert "€10.00" in message["text"]


def test_the_nightly_report_goes_to_who_reads_reports_as_pdf_and_csv(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    mail(db, mailer, made.DESK, kind="report", subject_id=made.report(db))
    (message,) = messages(door)
    assert message["to"] == ["finance@example.com"]
    assert [file["name"] for file in message["attachments"]] == [
        "nightly-report-2026-11-22.pdf",
        "nightly-report-2026-11-22.csv",
    ]
    assert "22 November 2026" in message["text"]
    assert "not over" not in message["text"]


def test_a_report_on_a_day_that_goes_on_says_so(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    door, mailer = post_office
    mail(db, mailer, made.DESK, kind="report", subject_id=made.report(db, final=False))
    assert "The day was not over when it was made" in messages(door)[0]["text"]


def test_a_canceled_order_is_told_with_its_reason(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    door, mailer = post_office
    order_id = made.order(db, captured=0, status="canceled", reason="out_of_stock")
    mail(db, mailer, made.DESK, kind="order_canceled", subject_id=order_id)
    (message,) = messages(door)
    assert "no longer in stock" in message["text"]
    assert message["attachments"] == []


def test_nobody_is_plagued_with_mails_about_orders_that_somebody_placed_in_his_name(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    orders = [made.order(db, captured=0, status="canceled") for _ in range(MOST_A_DAY + 2)]
    outcomes = [mail(db, mailer, made.DESK, kind="order_canceled", subject_id=order_id) for order_id in orders]
    assert outcomes == ["sent"] * MOST_A_DAY + ["dropped"] * 2
    assert len(messages(door)) == MOST_A_DAY
    other = made.order(db, captured=0, status="canceled", email="grace@example.com")
    assert mail(db, mailer, made.DESK, kind="order_canceled", subject_id=other) == "sent"


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Ada Byron", True),
        ("Dr. Jean-Luc O’Neill", True),
        ("Đặng Thị Mai", True),
        ("you won, see https://evil.example", False),
        ("evil.example", False),
        ("call 0900 123456", False),
        ("a b c d e f g h i j", False),
        ("Ada\r\nBcc: x@y.example", False),
    ],
)
def test_a_mail_about_an_unpaid_order_carries_no_strangers_message(
    db: Database, post_office: tuple[FlaskClient, Mailer], name: str, greeted: bool
) -> None:
    door, mailer = post_office
    order_id = made.order(db, captured=0, status="canceled")
    with db.transaction() as tx:
        address = json.dumps({"name": name})
        tx.execute("UPDATE orders SET shipping_address = %s::jsonb WHERE id = %s", (address, order_id))
    mail(db, mailer, made.DESK, kind="order_canceled", subject_id=order_id)
    (message,) = messages(door)
    assert (name in message["text"], "Dear" in message["text"], "Dear" in message["html"]) == (greeted,) * 3


def test_a_failed_payment_is_told_unless_it_was_mended_meanwhile(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    failed = made.order(db, captured=0, status="payment_failed")
    mended = made.order(db)
    assert mail(db, mailer, made.DESK, kind="payment_failed", subject_id=failed) == "sent"
    assert mail(db, mailer, made.DESK, kind="payment_failed", subject_id=mended) == "dropped"
    assert len(messages(door)) == 1
    assert [row["last_error"] for row in seen.mails(db)] == [None, "order is paid by now"]


def test_an_order_without_an_address_is_noted_and_not_tried_for_ever(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db, email=None)
    invoice(db, made.SELLER, order_id)
    assert mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id) == "dropped"
    assert messages(door) == []
    assert seen.mails(db)[0]["last_error"] == "no mail address is known"


def test_a_hostile_product_name_stays_text_in_the_mail(db: Database, post_office: tuple[FlaskClient, Mailer]) -> None:
    door, mailer = post_office
    name = "<a href='https://evil.example'>free</a>\r\nTotal: 0.00\nBcc: eve@example.com"
    order_id = made.order(db, lines=((name, 1, 1000),))
    invoice(db, made.SELLER, order_id)
    mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id)
    (message,) = messages(door)
    assert "<a href" not in message["html"]
    assert "&lt;a href" in message["html"]
    assert "\nTotal: 0.00" not in message["text"]
    assert "\nBcc:" not in message["text"]
    assert message["to"] == ["ada@example.com"]


def test_a_busy_server_leaves_the_mail_waiting_for_the_next_run(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)
    door.post("/standin/faults", json={"match": "SMTP *", "times": 1, "kind": "status", "status": 451})
    with pytest.raises(MailDelayed):
        mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id)
    (row,) = seen.mails(db)
    assert row["state"] == "waiting"
    assert "451" in row["last_error"]
    assert mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id) == "sent"
    assert (seen.mails(db)[0]["state"], seen.mails(db)[0]["attempts"]) == ("sent", 2)
    assert len(messages(door)) == 1


def test_a_server_that_says_never_ends_the_job_and_an_operator_may_try_again(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)
    door.post("/standin/faults", json={"match": "SMTP *", "times": 1, "kind": "status", "status": 550})
    with pytest.raises(MailRefused):
        mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id)
    (row,) = posted(db, state="bounced", order_id=order_id, before_id=None, limit=10)
    assert (row.state, row.smtp_code, row.recipient, row.order_id) == ("bounced", 550, "ada@example.com", order_id)
    assert row.smtp_answer
    assert mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id) == "sent"


def test_a_server_that_is_away_for_ever_is_given_up_and_seen(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)
    door.post("/standin/faults", json={"match": "SMTP *", "times": 1, "kind": "status", "status": 452})
    with pytest.raises(MailDelayed):
        mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id, last=True)
    (row,) = posted(db, state="gave_up", order_id=None, before_id=None, limit=10)
    assert (row.kind, row.smtp_code, row.attempts) == ("order_paid", 452, 1)
    assert mail(db, mailer, made.DESK, kind="order_paid", subject_id=order_id) == "sent"


def test_who_died_while_sending_is_relieved_after_the_claim_and_the_letter_is_recognisable(db: Database) -> None:
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)

    class PowerCut(BaseException):
        pass

    class Post:
        def __init__(self) -> None:
            self.letters: list[Letter] = []
            self.dies = True

        def send(self, letter: Letter) -> None:
            self.letters.append(letter)
            if self.dies:
                raise PowerCut

    post = Post()
    with pytest.raises(PowerCut):
        mail(db, post, made.DESK, kind="order_paid", subject_id=order_id)
    post.dies = False
    with pytest.raises(BeingSent):
        mail(db, post, made.DESK, kind="order_paid", subject_id=order_id)
    with db.transaction() as tx:
        tx.execute("UPDATE mails SET claimed_until = now() - interval '1 second'")
    assert mail(db, post, made.DESK, kind="order_paid", subject_id=order_id) == "sent"
    first, second = post.letters
    assert first.id == second.id


def test_a_run_that_lost_its_claim_does_not_write_over_the_one_that_took_it(db: Database) -> None:
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)
    entered, leave = threading.Event(), threading.Event()

    class SlowPost:
        def send(self, letter: Letter) -> None:
            entered.set()
            assert leave.wait(20)
            raise MailDelayed("too slow")

    class Post:
        def send(self, letter: Letter) -> None:
            pass

    def slow() -> None:
        with pytest.raises(MailDelayed):
            mail(db, SlowPost(), made.DESK, kind="order_paid", subject_id=order_id)

    thread = threading.Thread(target=slow)
    thread.start()
    assert entered.wait(20)
    with db.transaction() as tx:
        tx.execute("UPDATE mails SET claimed_until = now() - interval '1 second'")
    mail(db, Post(), made.DESK, kind="order_paid", subject_id=order_id)
    leave.set()
    thread.join()
    assert seen.mails(db)[0]["state"] == "sent"


def test_a_mail_waits_for_its_paper(db: Database) -> None:
    post: Any = None
    order_id = made.order(db)
    made.issued(db, order_id)
    with pytest.raises(NotDrawn):
        mail(db, post, made.DESK, kind="order_paid", subject_id=order_id)
    with pytest.raises(NotDrawn):
        mail(db, post, made.DESK, kind="report", subject_id=made.report(db, drawn=False))


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_a_mail_about_nothing_is_refused(db: Database, kind: str) -> None:
    post: Any = None
    with pytest.raises(NothingToDocument):
        mail(db, post, made.DESK, kind=kind, subject_id="ord_unknown")
    with pytest.raises(UnknownKindOfMail):
        mail(db, post, made.DESK, kind="newsletter", subject_id="ord_unknown")
    assert seen.mails(db) == []


def test_an_order_whose_money_comes_with_the_parcel_is_confirmed_in_the_customers_language(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db, captured=0, status="authorized")
    with db.transaction() as tx:
        tx.execute("UPDATE orders SET locale = 'fr' WHERE id = %s", (order_id,))
    assert mail(db, mailer, made.DESK, kind="order_received", subject_id=order_id) == "sent"
    (message,) = messages(door)
    assert message["subject"].startswith("Nous avons bien reçu votre commande")
    assert message["headers"]["Auto-Submitted"] == "auto-generated"
    assert not [name for name in message["headers"] if name.startswith("List-")]
    for words in (message["text"], message["html"]):
        assert "Bonjour Ada Lovelace," in words
        assert "2 × " in words
        assert "Livraison" in words
        assert "104,70" in words
    assert "<" not in message["text"]


def test_an_order_that_is_paid_by_now_gets_the_receipt_and_no_letter_that_it_was_received(
    db: Database, post_office: tuple[FlaskClient, Mailer]
) -> None:
    door, mailer = post_office
    order_id = made.order(db)
    assert mail(db, mailer, made.DESK, kind="order_received", subject_id=order_id) == "dropped"
    assert messages(door) == []
    assert "paid by now" in seen.mails(db)[0]["last_error"]
