"""What the shop asks of whoever brings the provider's news: is it genuine, and what is it about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """A notice that something changed over there: which object to look at, not what to believe about it.

    `payment_id` is the payment the object belongs to, where the notice says so. `fault` says why a genuine notice
    cannot be read, `foreign` why it is none of ours; both are None for what is to be looked at. A notice without a name
    has one made of its body in `id`, so that its repeats are known.
    """

    id: str
    type: str
    object_id: str | None
    object_kind: str | None
    payment_id: str | None
    at: datetime
    api_version: str | None
    body: str = field(repr=False)
    fault: str | None = None
    foreign: str | None = None


@dataclass(frozen=True, slots=True)
class SignedDelivery:
    """A webhook request after its signature was looked at.

    `event` is None when it was refused; `refusal` then says why in one word. `secret_label` names the secret that
    verified it, without giving it away.
    """

    event: Event | None
    secret_label: str | None
    refusal: str | None


class Notices(Protocol):
    """Reads deliveries. Needs no network.

    `labels` are the names of the configured secrets, the newest first; `version` is that of the provider's interface
    which this code was written against.
    """

    @property
    def labels(self) -> Sequence[str]: ...

    @property
    def version(self) -> str: ...

    def read(self, body: bytes, signature: str | None) -> SignedDelivery:
        """Check the signature against every secret and read what it signs. Raises nothing, whatever is in there."""
        ...
