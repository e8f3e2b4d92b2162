"""Whether a webhook really is from Stripe: its signature against every secret we have, without any network."""

from collections.abc import Sequence

import stripe

from clients.stripe import notices
from clients.webhook_secrets import Secret, read_secrets
from shop.ports.notices import SignedDelivery

TOLERANCE_S = 300
"""Stripe's own recommendation: older signatures may be replays, and clocks differ by less."""


class StripeNotices:
    """Implements `shop.ports.notices.Notices`. `live` is the mode of our own key, None where it does not say."""

    def __init__(self, secrets: Sequence[Secret], *, live: bool | None) -> None:
        self._secrets = tuple(secrets)
        self._live = live

    @property
    def labels(self) -> Sequence[str]:
        return tuple(secret.label for secret in self._secrets)

    @property
    def version(self) -> str:
        return notices.API_VERSION

    def read(self, body: bytes, signature: str | None) -> SignedDelivery:
        """Several secrets are valid during a rotation; which one matched is part of the answer."""
        if not signature:
            return SignedDelivery(None, None, "no_signature")
        if not signature.isascii():  # the comparison in constant time takes no other text
            return SignedDelivery(None, None, "bad_signature")
        refusal = "bad_signature"
        for secret in self._secrets:
            try:
                stripe.WebhookSignature.verify_header(body, signature, secret.value, TOLERANCE_S)
            except stripe.SignatureVerificationError as error:
                if "tolerance" in str(error):  # the signature itself was right: it is only too old
                    refusal = "too_old"
            except UnicodeDecodeError:
                return SignedDelivery(None, None, "not_text")
            else:
                return SignedDelivery(notices.posted(body, live=self._live), secret.label, None)
        return SignedDelivery(None, None, refusal)


def listen(secrets: Sequence[str], secret_key: str) -> StripeNotices:
    """`secrets` are `whsec_…` or `label:whsec_…`, the newest first; the key says whether we are live."""
    _, _, rest = secret_key.partition("_")
    return StripeNotices(read_secrets(secrets), live={"live": True, "test": False}.get(rest.partition("_")[0]))
