"""The mailbox: real SMTP in, JSON and safe pages out."""

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
import requests

from devstack.stand_ins.doors import serving
from devstack.stand_ins.mail import create_mail
from devstack.stand_ins.mail.mailbox import KEPT_MESSAGES, Mailbox

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40 + b"\n%%EOF\n"


@dataclass(frozen=True)
class Post:
    """The mailbox's two addresses."""

    url: str
    smtp_port: int

    def send(self, mail: EmailMessage, **envelope: object) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as smtp:
            smtp.send_message(mail, **envelope)  # type: ignore[arg-type]

    def messages(self, **query: str) -> list[dict]:
        return requests.get(f"{self.url}/messages", params=query, timeout=5).json()["data"]

    def fault(self, **fault: object) -> None:
        requests.post(f"{self.url}/standin/faults", json=fault, timeout=5).raise_for_status()


@pytest.fixture
def post() -> Iterator[Post]:
    mail = create_mail(smtp_port=0)
    port = mail.start()
    with serving(mail.app) as served:
        yield Post(served.url, port)
    mail.stop()


def letter(to: str = "ada@example.com", subject: str = "Your invoice", html: str | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, subject
    mail["Message-ID"] = "<one@example.com>"
    mail.set_content("Thank you for your order.\nIt cost 12,99 €.\n")
    if html is not None:
        mail.add_alternative(html, subtype="html")
    return mail


def test_a_mail_with_a_pdf_arrives_whole(post: Post):
    mail = letter(subject="Rechnung für Ada – Nº 7", html="<p>Thank <b>you</b></p>")
    mail.add_attachment(PDF, maintype="application", subtype="pdf", filename="Rechnung Nº 7.pdf")
    post.send(mail)
    [got] = post.messages()
    assert got["from"] == "shop@example.com"
    assert got["to"] == ["ada@example.com"]
    assert got["subject"] == "Rechnung für Ada – Nº 7"
    assert got["text"] == "Thank you for your order.\nIt cost 12,99 €.\n"
    assert got["html"] == "<p>Thank <b>you</b></p>\n"
    assert got["headers"]["Message-ID"] == "<one@example.com>"
    assert got["attachments"] == [{"name": "Rechnung Nº 7.pdf", "type": "application/pdf", "size": len(PDF)}]
    file = requests.get(f"{post.url}/messages/{got['id']}/attachments/Rechnung%20N%C2%BA%207.pdf", timeout=5)
    assert file.content == PDF
    assert file.headers["Content-Type"] == "application/pdf"
    assert requests.get(f"{post.url}/messages/{got['id']}/attachments/other.pdf", timeout=5).status_code == 404


def test_mails_come_newest_first_and_by_recipient_blind_copies_too(post: Post):
    post.send(letter("ada@example.com", "first"))
    post.send(letter("bob@example.com", "second"), to_addrs=["bob@example.com", "ada@example.com"])
    assert [mail["subject"] for mail in post.messages()] == ["second", "first"]
    assert [mail["subject"] for mail in post.messages(to="ADA@example.com")] == ["second", "first"]
    assert [mail["subject"] for mail in post.messages(to="bob@example.com")] == ["second"]
    assert post.messages(to="example.com") == []


def test_a_planned_refusal_is_an_smtp_refusal_and_the_retry_gets_through(post: Post):
    post.fault(match="SMTP *", kind="status", status=451, times=1)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        post.send(letter())
    assert refused.value.smtp_code == 451
    assert post.messages() == []
    post.send(letter())
    assert len(post.messages()) == 1


def test_a_fault_can_be_planned_for_one_recipient(post: Post):
    post.fault(match="SMTP *bob@example.com*", kind="status", status=552)
    post.send(letter("ada@example.com"))
    with pytest.raises(smtplib.SMTPDataError):
        post.send(letter("bob@example.com"))
    assert [mail["to"] for mail in post.messages()] == [["ada@example.com"]]


def test_an_answer_lost_after_the_mail_was_taken_leaves_the_mail_in_the_box(post: Post):
    post.fault(match="SMTP *", kind="timeout_after_work", seconds=0.05)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        post.send(letter())
    assert len(post.messages()) == 1


def test_a_connection_reset_takes_no_mail(post: Post):
    post.fault(match="SMTP *", kind="reset")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        post.send(letter())
    assert post.messages() == []


def test_a_mail_that_waits_in_a_fault_does_not_hold_up_others_and_a_stop_wakes_it():
    mail = create_mail(smtp_port=0)
    port = mail.start()
    with serving(mail.app) as served:
        post = Post(served.url, port)
        post.fault(match="SMTP *bob*", kind="timeout", seconds=60)
        command = [
            sys.executable,
            "-c",
            f"import smtplib; smtplib.SMTP('127.0.0.1', {port}).sendmail('a@b.c', ['bob@b.c'], 'Hi')",
        ]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as waiting:
            while not requests.get(f"{post.url}/standin/requests", timeout=5).json()["data"]:
                time.sleep(0.02)
            post.send(letter())
            assert len(post.messages()) == 1
            mail.stop()
            assert waiting.wait(10) != 0


def test_deliveries_stand_in_the_record_of_requests(post: Post):
    post.send(letter())
    [asked] = requests.get(f"{post.url}/standin/requests", timeout=5).json()["data"]
    assert (asked["method"], asked["path"], asked["status"]) == ("SMTP", "/ada@example.com", 204)


def test_mail_does_not_come_in_by_http(post: Post):
    sent = requests.request("SMTP", f"{post.url}/ada@example.com", data=b"Subject: x\n\n", timeout=5)
    assert sent.status_code == 405
    assert post.messages() == []


def test_the_pages_show_a_hostile_mail_without_running_it(post: Post):
    post.send(letter(subject="<script>alert(1)</script>", html="<script>alert(2)</script><img src=https://x.test/y>"))
    [got] = post.messages()
    for path in ("/", f"/messages/{got['id']}/html"):
        page = requests.get(post.url + path, timeout=5)
        assert "<script" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert '<iframe sandbox title="' in page.text
    body = requests.get(f"{post.url}/messages/{got['id']}/body", timeout=5)
    assert body.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_page_of_html_among_the_files_is_downloaded_not_shown(post: Post):
    mail = letter()
    mail.add_attachment("<script>alert(1)</script>", subtype="html", filename="page.html")
    post.send(mail)
    [got] = post.messages()
    file = requests.get(f"{post.url}/messages/{got['id']}/attachments/page.html", timeout=5)
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"


def test_a_broken_mail_is_kept_all_the_same(post: Post):
    raw = b"Subject: odd\r\nContent-Type: text/plain; charset=no-such-thing\r\n\r\ncaf\xc3\xa9\r\n"
    with smtplib.SMTP("127.0.0.1", post.smtp_port, timeout=10) as smtp:
        smtp.sendmail("a@example.com", ["b@example.com"], raw)
    [got] = post.messages()
    assert (got["subject"], got["text"]) == ("odd", "café\n")


def test_a_reset_empties_the_box(post: Post):
    post.send(letter())
    requests.post(f"{post.url}/standin/reset", timeout=5)
    assert post.messages() == []


def test_the_box_forgets_its_oldest_mails_when_there_are_too_many_or_they_are_too_large():
    box = Mailbox()
    for number in range(KEPT_MESSAGES + 5):
        box.deliver("a@example.com", ("b@example.com",), f"Subject: {number}\n\nHi".encode())
    assert len(box.newest_first()) == KEPT_MESSAGES
    assert box.newest_first()[-1].subject == "5"
    large = b"Subject: large\n\n" + b"x" * (20 * 1024 * 1024)
    for _ in range(4):
        box.deliver("a@example.com", ("b@example.com",), large)
    assert [message.subject for message in box.newest_first()] == ["large"] * 3


def test_it_runs_as_a_process_of_its_own_and_stops_when_asked():
    command = [sys.executable, "-m", "devstack.stand_ins.mail", "--port", "0", "--smtp-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        smtp_port = int(process.stdout.readline().rpartition(":")[2])
        post = Post(process.stdout.readline().removeprefix("listening on ").strip(), smtp_port)
        post.send(letter())
        assert len(post.messages(to="ada@example.com")) == 1
        process.terminate()
        assert process.wait(10) == 0
