"""Stripe's webhooks: verify, store, stage, answer. The work is a job's."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from flask import request

from shop.errors import Rejected
from shop.payments.news.receive import Envelope, receive
from web.access import PUBLIC
from web.call import Call
from web.limiting import UNLIMITED
from web.models import Out
from web.routes import Group

GROUP = Group("Webhooks", "What Stripe tells us.")

MAX_DELIVERY = 512 * 1024
"""Bytes. Events hold one object, a few kilobytes; a hundred times that is nobody's event."""

KEPT_HEADERS = ("Stripe-Signature", "User-Agent", "Content-Type")
"""What helps to explain a delivery later. The signature is of this body alone and gives nothing away."""

WRONG_ADDRESS = "wrong_address"


class Taken(Out):
    received: bool = True


class BadSignature(Rejected):
    """The delivery is not signed by a secret we know, or too long ago."""

    code = "bad_signature"
    status = 400


class WrongAddress(Rejected):
    """The delivery comes from an address that is not on the list."""

    code = WRONG_ADDRESS
    status = 403


@GROUP.route(
    "POST",
    "/v1/webhooks/stripe",
    who=PUBLIC,
    answers={200: Taken},
    errors=(BadSignature, WrongAddress),
    limit=UNLIMITED,
    max_body=MAX_DELIVERY,
    accepts=("application/json", "application/octet-stream", "text/plain"),
)
def stripe_delivery(call: Call, raw: bytes) -> Taken:
    """Take a delivery. It is 200 as soon as it is stored; a repeat is 200 and does nothing.

    The signature is checked against every configured secret, with 300 s tolerance. Deliveries with a bad one are kept
    too, and answered 400. Where `STRIPE_WEBHOOK_ADDRESSES` lists addresses, one from elsewhere is kept and answered
    403.
    """
    signed = call.services.notices.read(raw, call.header("Stripe-Signature"))
    if not _is_allowed(request.remote_addr, call.services.settings.stripe_webhook_addresses):
        # Kept with the name of the secret, if it had a right one: then our list is wrong, and somebody should know.
        signed = replace(signed, event=None, refusal=WRONG_ADDRESS)
    headers = {name: value[:500] for name in KEPT_HEADERS if (value := call.header(name)) is not None}
    received = receive(call.db, Envelope(raw, headers, request.remote_addr), signed)
    if received.refusal == WRONG_ADDRESS:
        raise WrongAddress("deliveries are not taken from this address")
    if received.refusal is not None:
        raise BadSignature("the delivery is not signed with a secret that is known here")
    return Taken()


def _is_allowed(address: str | None, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """The address is the one that called us; behind proxies, the one that PROXY_HOPS of them vouch for."""
    if not networks:
        return True
    try:
        caller = ip_address(address or "")
    except ValueError:
        return False  # a proxy that passes on something else vouches for nothing
    if isinstance(caller, IPv6Address) and caller.ipv4_mapped is not None:
        caller = caller.ipv4_mapped
    return any(caller in network for network in networks)
