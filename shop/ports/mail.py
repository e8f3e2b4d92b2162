"""What the shop asks of whoever delivers its mail."""

from dataclasses import dataclass
from typing import Protocol

from shop.errors import NotYet, Rejected


@dataclass(frozen=True, slots=True)
class Attachment:
    """`media_type` as in `application/pdf`."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in two forms that say the same. `id` is that of our row: every try of the same mail carries it."""

    id: str
    recipient: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    def send(self, letter: Letter) -> None:
        """Returns once the server has taken responsibility.

        Raises MailRefused or MailBounced (the letter or its address will never do) or MailDelayed (worth another try;
        then it is also possible that the server took the letter and only its answer was lost).
        """
        ...

    def knock(self) -> None:
        """Come in and go again without a letter. Raises MailDelayed when the server is away or does not let us in."""
        ...


@dataclass(frozen=True, slots=True)
class ServerSaid:
    """An SMTP reply: 550 and its words, which may name the mailbox. It stays in the mail's own row, and in no log."""

    status: int
    words: str


class MailRefused(Rejected):
    """The form of the address says never."""

    code = "mail_refused"
    status = 422


class MailBounced(MailRefused):
    """The server says never: there is no such mailbox, or it does not take this letter."""

    code = "mail_bounced"

    def __init__(self, message: str, said: ServerSaid) -> None:
        super().__init__(message)
        self.said = said


class MailDelayed(NotYet):
    """The server is away, busy, or does not let us in."""

    code = "mail_delayed"

    def __init__(self, message: str, *, said: ServerSaid | None = None) -> None:
        super().__init__(message)
        self.said = said
