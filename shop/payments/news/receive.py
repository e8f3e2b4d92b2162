"""A delivery comes in: kept as it came, good or bad, and answered before anybody reads it."""

from collections.abc import Mapping
from dataclasses import dataclass

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.cards import holds_card_number
from shop.ids import new_id
from shop.payments.cards import methods
from shop.payments.queries import deliveries, tallies
from shop.ports.notices import Event, SignedDelivery

OURS = ("payment_intent.", "charge.", "refund.")
"""Kinds of news that can change an order. The others are kept and put aside."""

REFUSED_BODY_MAX = 4096
"""Bytes kept of a delivery whose signature is wrong: enough to see what it was, not enough to fill a disk with."""

LONGEST_CARD = 80
"""Bytes that a card number takes at most with what stands between its digits."""

REFUSED_AN_HOUR = 1000
"""Anybody can send those; beyond this many they are answered but no longer kept."""


@dataclass(frozen=True, slots=True)
class Received:
    """`new` is False for a repeat, which changes nothing."""

    new: bool
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a delivery came; `headers` only those that help to explain it."""

    body: bytes
    headers: Mapping[str, str]
    remote_address: str | None


def receive(db: Database, envelope: Envelope, signed: SignedDelivery) -> Received:
    """Store a delivery, good or bad, and stage the reading of a good one that is new.

    A handful of rows are written by their keys, whatever else is in the inbox.
    """
    with db.transaction() as tx:
        if signed.event is None:
            _keep_refused(tx, envelope, signed)
            return Received(new=False, refusal=signed.refusal or "refused")
        new = keep(tx, signed.event, "webhook", secret_label=signed.secret_label, envelope=envelope)
        return Received(new=new, refusal=None)


def keep(
    tx: Tx, event: Event, source: str, *, secret_label: str | None = None, envelope: Envelope | None = None
) -> bool:
    """Put an event into the inbox, whichever way it came. False if it is there already."""
    delivery_id = new_id("whd")
    state, reason = _first_state(event)
    inserted = deliveries.insert(
        tx,
        delivery_id=delivery_id,
        event=event,
        source=source,
        secret_label=secret_label,
        body=event.body,
        headers=envelope.headers if envelope else {},
        remote_address=envelope.remote_address if envelope else None,
        state=state,
        reason=reason,
    )
    way = source
    if not inserted:
        way = "late" if deliveries.count_repeat(tx, event.id) else "repeat"
    elif state == "received":
        outbox.stage(tx, jobs.READ_DELIVERY, delivery_id=delivery_id)
    told = [("source", way)]
    told += [("version", event.api_version)] if event.api_version else []
    told += [("secret", secret_label)] if secret_label else []
    told += [("state", state)] if inserted and state != "received" else []
    tallies.count(tx, *told)
    return inserted


def _first_state(event: Event) -> tuple[str, str | None]:
    """What is not ours, and what cannot be read however often one tries, needs no job."""
    if event.foreign is not None:
        return "ignored", f"foreign: {event.foreign}"
    if event.fault is None:
        return "received", None
    matters = event.type.startswith((*OURS, *methods.NEWS))
    return "orphan" if matters else "ignored", f"malformed: {event.fault}"


def _keep_refused(tx: Tx, envelope: Envelope, signed: SignedDelivery) -> None:
    kept = deliveries.refused_lately(tx) < REFUSED_AN_HOUR
    if kept:
        deliveries.insert_refused(
            tx,
            delivery_id=new_id("whd"),
            reason=signed.refusal or "refused",
            secret_label=signed.secret_label,
            body=_showable(envelope.body),
            headers=envelope.headers,
            remote_address=envelope.remote_address,
        )
    told = [("state", "refused" if kept else "refused_unkept")]
    # Signed rightly and refused all the same: the list of addresses is wrong, or Stripe has new ones.
    told += [("source", "wrong_address")] if signed.secret_label else []
    tallies.count(tx, *told)


def _showable(body: bytes) -> str:
    """The beginning of a stranger's text; not if there is a card number in it, whoever wrote that there."""
    if holds_card_number(body[: REFUSED_BODY_MAX + LONGEST_CARD].decode("utf-8", "replace")):
        return "(not kept: it holds a card number)"
    return body[:REFUSED_BODY_MAX].decode("utf-8", "replace").replace("\x00", "\ufffd")
