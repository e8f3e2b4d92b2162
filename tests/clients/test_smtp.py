"""The SMTP client against real servers: what is final, what is worth another try, and what never leaves in the clear."""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.smtp import SmtpMailer, connect
from shop.ports.mail import Attachment, Letter, MailDelayed, MailRefused

LETTER = Letter(
    id="mail_01",
    recipient="ada@example.com",
    subject="Your order is paid: 12 €",
    text="Thank you – 12 €",
    html="<p>Thank you – 12 €</p>",
    attachments=(Attachment("INV-2026-000001.pdf", "application/pdf", b"%PDF-1.7 \x00\xff"),),
)

Serve = Callable[..., SmtpMailer]


class Postman:
    """Keeps what comes; `rcpt` and `data` are the answers to give instead, by command."""

    def __init__(self, rcpt: str = "250 OK", data: str = "250 OK", quit_: str = "221 Bye") -> None:
        self.answers = {"rcpt": rcpt, "data": data, "quit": quit_}
        self.envelopes: list[Envelope] = []
        self.encrypted: list[bool] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self.answers["rcpt"].startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answers["rcpt"]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers["data"].startswith("250"):
            self.envelopes.append(envelope)
            self.encrypted.append(session.ssl is not None)
        return self.answers["data"]

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.answers["quit"]

    def let_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data == LoginPassword(b"shop", b"p@ss/word"), handled=False)

    def message(self) -> EmailMessage:
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        return message_from_bytes(envelope.content, policy=policy.default)


@pytest.fixture(name="serve")
def _serve() -> Iterator[Serve]:
    """Start a server for a postman and connect our client to it; `url` may hold a user before the host."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    servers: list[asyncio.Server] = []

    def start(
        postman: Postman, url: str = "smtp://127.0.0.1", ssl_context: ssl.SSLContext | None = None, **options: Any
    ) -> SmtpMailer:
        def session() -> SMTP:
            return SMTP(postman, hostname="mail.localhost", loop=loop, **options)

        listening = loop.create_server(session, "127.0.0.1", 0, ssl=ssl_context)
        servers.append(asyncio.run_coroutine_threadsafe(listening, loop).result(10))
        port = servers[-1].sockets[0].getsockname()[1]
        return connect(f"{url}:{port}", sender="shop@example.com", sender_name="Möbel & Söhne")

    yield start
    for server in servers:
        loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(name="certified")
def _certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS side, with a certificate that this test's client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of the tests")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_letter_arrives_in_both_forms_with_its_papers(serve: Serve) -> None:
    postman = Postman()
    serve(postman).send(LETTER)
    message = postman.message()
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == LETTER.text
    assert html.get_content().strip() == LETTER.html
    (paper,) = message.iter_attachments()
    assert paper.get_filename() == "INV-2026-000001.pdf"
    assert paper.get_payload(decode=True) == LETTER.attachments[0].content
    assert message["Subject"] == LETTER.subject
    assert message["From"] == "Möbel & Söhne <shop@example.com>"
    assert message["To"] == "ada@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert postman.envelopes[0].rcpt_tos == ["ada@example.com"]


def test_every_try_of_one_mail_has_the_same_message_id(serve: Serve) -> None:
    postman = Postman()
    mailer = serve(postman)
    mailer.send(LETTER)
    mailer.send(LETTER)
    ids = {message_from_bytes(cast("bytes", envelope.content))["Message-ID"] for envelope in postman.envelopes}
    assert ids == {"<mail_01@example.com>"}


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_5xx_about_the_letter_is_final_and_4xx_is_not(serve: Serve, where: str) -> None:
    with pytest.raises(MailRefused, match=r"550 5\.1\.1"):
        serve(Postman(**{where: "550 5.1.1 no such user"})).send(LETTER)
    with pytest.raises(MailDelayed, match=r"451 4\.3\.0"):
        serve(Postman(**{where: "451 4.3.0 try later"})).send(LETTER)


def test_whose_mailbox_it_is_stays_out_of_the_error(serve: Serve) -> None:
    with pytest.raises(MailRefused) as refused:
        serve(Postman(rcpt="550 5.1.1 <ada@example.com>: user unknown")).send(LETTER)
    assert "ada" not in str(refused.value)
    assert "user unknown" in str(refused.value)


def test_a_rude_goodbye_does_not_make_a_sent_letter_unsent(serve: Serve) -> None:
    postman = Postman(quit_="500 never heard of it")
    serve(postman).send(LETTER)
    assert len(postman.envelopes) == 1


def test_a_server_that_is_away_or_silent_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mailer = connect(f"smtp://127.0.0.1:{port}", sender="shop@example.com", sender_name="Shop")
        with pytest.raises(MailDelayed):
            replace(mailer, timeout_s=0.3).send(LETTER)
    with pytest.raises(MailDelayed):
        mailer.send(LETTER)


def test_the_connection_is_encrypted_when_the_server_offers_it_and_then_we_log_in(
    serve: Serve, certified: ssl.SSLContext
) -> None:
    postman = Postman()
    mailer = serve(
        postman, "smtp://shop:p%40ss%2Fword@127.0.0.1", tls_context=certified, authenticator=postman.let_in,
        auth_required=True, require_starttls=True,
    )  # fmt: skip
    mailer.send(LETTER)
    assert postman.encrypted == [True]
    assert postman.logins == [(b"shop", b"p@ss/word")]


def test_smtps_is_encrypted_from_the_first_byte(serve: Serve, certified: ssl.SSLContext) -> None:
    postman = Postman()
    mailer = serve(postman, "smtps://127.0.0.1", ssl_context=certified)
    assert mailer.tls_from_start
    mailer.send(LETTER)
    assert len(postman.envelopes) == 1  # the server understands nothing but TLS


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(
    serve: Serve, certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    postman = Postman()
    with pytest.raises(MailDelayed, match="certificate"):
        serve(postman, tls_context=certified).send(LETTER)
    assert postman.envelopes == []


@pytest.mark.allow_hosts(["127.0.0.1", "0.0.0.0"])
def test_a_password_does_not_leave_the_machine_unencrypted(serve: Serve) -> None:
    postman = Postman()
    mailer = serve(postman, "smtp://shop:secret@127.0.0.1", authenticator=postman.let_in, auth_require_tls=False)
    elsewhere = replace(mailer, host="0.0.0.0")
    with pytest.raises(MailDelayed, match="no encryption"):
        elsewhere.send(LETTER)
    assert postman.logins == []


def test_a_wrong_password_is_an_operators_to_mend_so_no_mail_is_lost_over_it(serve: Serve) -> None:
    postman = Postman()
    mailer = serve(postman, "smtp://shop:wrong@127.0.0.1", authenticator=postman.let_in, auth_require_tls=False)
    with pytest.raises(MailDelayed, match="535"):
        mailer.send(LETTER)
    assert postman.envelopes == []


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "ada@example.com\r\nBcc: eve@example.com",
        "a@b@c",
        "ada@example.com, eve@example.com",
        "zoë@example.com",
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_sent(serve: Serve, recipient: str) -> None:
    postman = Postman()
    with pytest.raises(MailRefused):
        serve(postman).send(replace(LETTER, recipient=recipient))
    assert postman.envelopes == []


def test_a_subject_cannot_smuggle_a_header(serve: Serve) -> None:
    postman = Postman()
    serve(postman).send(replace(LETTER, subject="Hello\r\nBcc: eve@example.com"))
    assert postman.message()["Bcc"] is None
    assert postman.envelopes[0].rcpt_tos == ["ada@example.com"]


def test_an_international_domain_is_written_as_the_mail_system_knows_it(serve: Serve) -> None:
    postman = Postman()
    serve(postman).send(replace(LETTER, recipient="ada@bücher.example"))
    assert postman.envelopes[0].rcpt_tos == ["ada@xn--bcher-kva.example"]


def test_addresses_of_servers_are_read_as_people_write_them() -> None:
    def read(url: str) -> tuple[str, int, bool, str, str]:
        mailer = connect(url, sender="shop@example.com", sender_name="Shop")
        return mailer.host, mailer.port, mailer.tls_from_start, mailer.user, mailer.password

    assert read("smtp://mail.example:2525") == ("mail.example", 2525, False, "", "")
    assert read("smtp://apikey:SG.x%2Fy@smtp.sendgrid.net") == ("smtp.sendgrid.net", 587, False, "apikey", "SG.x/y")
    assert read("smtps://u:p@mail.example") == ("mail.example", 465, True, "u", "p")
