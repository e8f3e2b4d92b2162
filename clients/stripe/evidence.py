"""Answers to disputes, carried to Stripe: the file to its upload address, the answer to the dispute."""

import io
from collections.abc import Mapping
from typing import Any, cast

import stripe
from stripe.params import DisputeUpdateParams

from clients.stripe import reading
from clients.stripe.errors import looking, moving
from clients.stripe.gateway import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from clients.stripe.notices import API_VERSION
from shop.ports.evidence import Answer, CardChecks
from shop.ports.gateway import DisputeSeen

STRIPE = "https://api.stripe.com"
UPLOADS = "https://files.stripe.com"
"""Stripe takes files at an address of their own; a stand-in takes them at its only one."""


class StripeEvidenceDesk:
    """Implements `shop.ports.evidence.EvidenceDesk`. Building it opens nothing."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1

    def upload(self, pdf: bytes, *, name: str, key: str) -> str:
        file = io.BytesIO(pdf)
        file.name = name
        with moving():
            made = self._api.files.create(
                params={"purpose": "dispute_evidence", "file": file}, options={"idempotency_key": key}
            )
        return made.id

    def submit(self, provider_dispute_id: str, answer: Answer, *, key: str) -> DisputeSeen:
        params = cast(
            "DisputeUpdateParams",
            {
                "evidence": {**answer.texts, "uncategorized_file": answer.file_id},
                "metadata": {"evidence_id": answer.evidence_id},
                "submit": True,
            },
        )
        with moving():
            seen = self._api.disputes.update(provider_dispute_id, params=params, options={"idempotency_key": key})
        return reading.dispute(seen.to_dict())

    def dispute(self, provider_dispute_id: str) -> DisputeSeen | None:
        with looking():
            try:
                return reading.dispute(self._api.disputes.retrieve(provider_dispute_id).to_dict())
            except stripe.InvalidRequestError as error:
                if error.http_status == 404:
                    return None
                raise

    def card_checks(self, payment_id: str) -> CardChecks:
        with looking():
            intent = self._api.payment_intents.retrieve(payment_id, params={"expand": ["latest_charge"]}).to_dict()
        charge = intent.get("latest_charge")
        return _checks(charge) if isinstance(charge, Mapping) else CardChecks()


def connect_evidence(secret_key: str, base_url: str) -> StripeEvidenceDesk:
    """`base_url` is Stripe's own address everywhere but in the local stack."""
    client = stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": base_url, "files": UPLOADS if base_url == STRIPE else base_url},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)),
    )
    return StripeEvidenceDesk(client)


def _checks(charge: Mapping[str, Any]) -> CardChecks:
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    secure, checks = card.get("three_d_secure") or {}, card.get("checks") or {}
    return CardChecks(
        three_d_secure=secure.get("result"),
        three_d_secure_version=secure.get("version"),
        security_code=checks.get("cvc_check"),
        address_line=checks.get("address_line1_check"),
        postal_code=checks.get("address_postal_code_check"),
        network=card.get("network"),
        funding=card.get("funding"),
        country=card.get("country"),
    )
