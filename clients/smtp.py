"""Hands letters to an SMTP server: any provider speaks it. The one place that knows smtplib."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, localtime
from urllib.parse import unquote, urlsplit

from shop.ports.mail import Letter, MailBounced, MailDelayed, MailRefused, ServerSaid

TIMEOUT_S = 20.0
"""RFC 5321 allows minutes; a worker that waits longer than this for one answer is better used otherwise."""

NEVER = 500
"""RFC 5321, 4.2.1: replies from here on are for good, those from 400 on for now."""

LONGEST_ANSWER = 500
"""Characters of a reply that are kept: its first line says why, the rest advertises."""

SUBMISSION_PORT = 587
TLS_PORT = 465

NEAR = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts to which a password may go without encryption: it does not leave the machine."""

_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")
_LINE_BREAKS = re.compile(r"[\r\n]+")


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Opens one connection per letter: documents are few, and a kept connection goes stale unseen."""

    host: str
    port: int
    tls_from_start: bool
    user: str
    password: str
    sender: str
    sender_name: str
    timeout_s: float = TIMEOUT_S

    def send(self, letter: Letter) -> None:
        recipient = _address(letter)
        message = self._message(letter, recipient)
        try:
            with self._session() as server:
                server.send_message(message, from_addr=self.sender, to_addrs=[recipient.addr_spec])
        except smtplib.SMTPException as error:
            raise _ours(letter.id, error) from error
        except OSError as error:
            raise MailDelayed(f"mail {letter.id}: {self.host}:{self.port} cannot be reached: {error}") from error

    def knock(self) -> None:
        try:
            with self._session() as server:
                server.noop()
        except (smtplib.SMTPException, OSError) as error:
            raise MailDelayed(f"{self.host}:{self.port} does not let us in: {error}") from error

    def _message(self, letter: Letter, recipient: Address) -> EmailMessage:
        message = EmailMessage(policy=WIRE)
        message["From"] = Address(self.sender_name, addr_spec=self.sender)
        message["To"] = recipient
        message["Subject"] = _LINE_BREAKS.sub(" ", letter.subject)
        message["Date"] = format_datetime(localtime())
        # The same for every try, so that a letter sent twice after a crash is recognised as one.
        message["Message-ID"] = f"<{letter.id}@{self.sender.rpartition('@')[2]}>"
        # Out-of-office robots must not answer a robot.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        for attachment in letter.attachments:
            main, _, sub = attachment.media_type.partition("/")
            message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)
        return message

    @contextmanager
    def _session(self) -> Generator[smtplib.SMTP]:
        server = self._open()
        try:
            encrypted = self.tls_from_start or self._starttls(server)
            self._log_in(server, encrypted=encrypted)
            yield server
        finally:
            # The letter is taken or refused by now; how the server says goodbye must not cause a second one.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _open(self) -> smtplib.SMTP:
        if self.tls_from_start:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)

    def _starttls(self, server: smtplib.SMTP) -> bool:
        server.ehlo_or_helo_if_needed()
        if not server.has_extn("starttls"):
            return False
        server.starttls(context=ssl.create_default_context())
        return True

    def _log_in(self, server: smtplib.SMTP, *, encrypted: bool) -> None:
        if not self.user:
            return
        if not encrypted and self.host not in NEAR:
            raise MailDelayed(f"{self.host} offers no encryption, and the password is not sent without it")
        server.login(self.user, self.password)


def connect(url: str, *, sender: str, sender_name: str) -> SmtpMailer:
    """`smtp://user:password@host:587` (encrypts when the server offers it) or `smtps://…:465`. Opens nothing."""
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    return SmtpMailer(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or (TLS_PORT if tls else SUBMISSION_PORT),
        tls_from_start=tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=sender,
        sender_name=sender_name,
    )


def _address(letter: Letter) -> Address:
    """One plain address, its domain in the form that travels. Raises MailRefused for anything else."""
    local, _, domain = letter.recipient.rpartition("@")
    try:
        return Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except (ValueError, MessageError, IndexError) as error:
        raise MailRefused(f"mail {letter.id}: the recipient's address is none that mail can be sent to") from error


def _ours(mail_id: str, error: smtplib.SMTPException) -> MailDelayed | MailRefused:
    """5xx about the letter is final; about our login, the greeting or the connection an operator can mend it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _judged(mail_id, *next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        return _judged(mail_id, error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailRefused(f"mail {mail_id}: the server cannot carry it: {_without_addresses(str(error))}")
    return MailDelayed(f"mail {mail_id}: {type(error).__name__}: {_without_addresses(str(error))}")


def _judged(mail_id: str, status: int, words: bytes | str) -> MailDelayed | MailRefused:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    told = f"mail {mail_id}: the server said {status} {_without_addresses(said)}"
    whole = ServerSaid(status, " ".join(said.split())[:LONGEST_ANSWER])
    return MailBounced(told, whole) if status >= NEVER else MailDelayed(told, said=whole)


def _without_addresses(words: str) -> str:
    # Job errors are logged and shown; whose mailbox it is stays in the mail's own row.
    return _ADDRESS.sub("<address>", " ".join(words.split()))[:300]
