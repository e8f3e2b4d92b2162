"""The mails that came, parsed once and kept within bounds."""

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.policy import default as modern
from typing import Any

from devstack.stand_ins.keeping import Keeping

# A long browser session or the whole test suite stays below; a load test drops its oldest mails.
KEPT_MESSAGES = 1000
KEPT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Attachment:
    """One file of a mail."""

    name: str
    type: str
    content: bytes

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "size": len(self.content)}


@dataclass(frozen=True)
class Message:
    """One mail; `sender` and `recipients` are those of the envelope, so blind copies show."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    headers: dict[str, str]
    attachments: tuple[Attachment, ...]
    received_at: datetime
    size: int

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "from": self.sender,
            "to": list(self.recipients),
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "headers": self.headers,
            "attachments": [attachment.as_json() for attachment in self.attachments],
            "received_at": self.received_at.isoformat().replace("+00:00", "Z"),
            "size": self.size,
        }


class Mailbox:
    """The newest mails; the oldest go when there are too many or they are too large together."""

    def __init__(self, keeping: Keeping | None = None) -> None:
        self._lock = keeping or Keeping()
        self._messages = deque(_read(name, kept) for name, kept in self._lock.rows("mail"))
        self._bytes = sum(message.size for message in self._messages)
        self._number: int = dict(self._lock.rows("number")).get("last", 0)

    def deliver(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> Message:
        """Parse and keep a mail."""
        received_at = datetime.now(UTC)
        parsed = _parse("", sender, recipients, raw, received_at)
        with self._lock:
            self._number += 1
            message = replace(parsed, id=f"msg_{self._number:06}")
            self._messages.append(message)
            self._bytes += message.size
            self._lock.put("number", "last", self._number)
            self._lock.put("mail", message.id, _written(message, raw))
            while len(self._messages) > KEPT_MESSAGES or self._bytes > KEPT_BYTES:
                oldest = self._messages.popleft()
                self._bytes -= oldest.size
                self._lock.drop("mail", oldest.id)
        return message

    def newest_first(self, to: str | None = None) -> list[Message]:
        """Return the mails, or those to one address (in any spelling of its case)."""
        with self._lock:
            messages = list(reversed(self._messages))
        if to is None:
            return messages
        wanted = to.strip().casefold()
        return [mail for mail in messages if wanted in (address.casefold() for address in mail.recipients)]

    def find(self, message_id: str) -> Message | None:
        with self._lock:
            return next((message for message in self._messages if message.id == message_id), None)

    def clear(self) -> None:
        with self._lock:
            self._messages.clear()
            self._bytes = 0
            self._lock.clear("mail")


def _written(message: Message, raw: bytes) -> dict[str, Any]:
    """Return a mail as it is kept: as it came, with the envelope."""
    return {
        "sender": message.sender,
        "recipients": message.recipients,
        "received_at": message.received_at.isoformat(),
        "raw": raw.decode("latin-1"),  # every byte is a character of that, and most mails are ASCII anyway
    }


def _read(message_id: str, kept: dict[str, Any]) -> Message:
    received_at = datetime.fromisoformat(kept["received_at"])
    return _parse(message_id, kept["sender"], tuple(kept["recipients"]), kept["raw"].encode("latin-1"), received_at)


def _parse(message_id: str, sender: str, recipients: tuple[str, ...], raw: bytes, received_at: datetime) -> Message:
    parsed = BytesParser(policy=modern).parsebytes(raw)
    return Message(
        id=message_id,
        sender=sender,
        recipients=recipients,
        subject=str(parsed.get("Subject", "")),
        text=_body(parsed, "plain"),
        html=_body(parsed, "html"),
        headers=_headers(parsed),
        attachments=_attachments(parsed),
        received_at=received_at,
        size=len(raw),
    )


def _body(parsed: EmailMessage, kind: str) -> str | None:
    part = parsed.get_body(preferencelist=(kind,))
    return None if part is None else _text(part)


def _text(part: MIMEPart) -> str:
    """Return a part's text with plain line ends; a charset that does not exist is read as well as can be."""
    try:
        text = str(part.get_content())
    except (LookupError, ValueError):
        text = _bytes(part).decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def _headers(parsed: EmailMessage) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in parsed.items():
        headers[name] = f"{headers[name]}\n{value}" if name in headers else str(value)
    return headers


def _attachments(parsed: EmailMessage) -> tuple[Attachment, ...]:
    if not parsed.is_multipart():
        return ()
    taken: set[str] = set()
    found: list[Attachment] = []
    for place, part in enumerate(parsed.iter_attachments(), start=1):
        name = part.get_filename() or f"attachment-{place}"
        name = name if name not in taken else f"{place}-{name}"
        taken.add(name)
        found.append(Attachment(name, part.get_content_type(), _bytes(part)))
    return tuple(found)


def _bytes(part: MIMEPart) -> bytes:
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else part.as_bytes()
