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

        Raises MailRefused (the letter or its address will never do) or MailDelayed (worth another try; then it is
        also possible that the server took the letter and only its answer was lost).
        """
        ...


class MailRefused(Rejected):
    """The server, or the form of the address, says never."""

    code = "mail_refused"
    status = 422


class MailDelayed(NotYet):
    """The server is away, busy, or does not let us in."""

    code = "mail_delayed"
