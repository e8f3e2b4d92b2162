"""Whether a webhook really is from Stripe: its signature against every secret we have, without any network."""

import hashlib
from collections.abc import Sequence

import stripe

from clients.stripe import reading
from shop.ports.gateway import SignedDelivery

TOLERANCE_S = 300
"""Stripe's own recommendation: older signatures may be replays, and clocks differ by less."""


def check(body: bytes, signature: str | None, secrets: Sequence[str]) -> SignedDelivery:
    """Several secrets are valid during a rotation; which one matched is part of the answer."""
    if not signature:
        return SignedDelivery(None, None, "no_signature")
    if not signature.isascii():  # the comparison in constant time takes no other text
        return SignedDelivery(None, None, "bad_signature")
    refusal = "bad_signature"
    for place, secret in enumerate(secrets, start=1):
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_S)
        except stripe.SignatureVerificationError as error:
            if "tolerance" in str(error):  # the signature itself was right: it is only too old
                refusal = "too_old"
        except UnicodeDecodeError:
            return SignedDelivery(None, None, "not_text")
        else:
            return _read(body, _label(place, secret))
    return SignedDelivery(None, None, refusal)


def _read(body: bytes, label: str) -> SignedDelivery:
    try:
        return SignedDelivery(reading.parse_event(body), label, None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return SignedDelivery(None, label, "no_event")


def _label(place: int, secret: str) -> str:
    # Enough to tell two secrets apart on a screen, nothing to forge a signature with.
    return f"secret {place} ({hashlib.sha256(secret.encode()).hexdigest()[:8]})"
