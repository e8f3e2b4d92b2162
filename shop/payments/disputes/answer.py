"""Sends one answer to a bank: the PDF first, then the dispute that refers to it, each under a key of its own."""

from datetime import datetime

from db.database import Database
from shop.errors import NotYet
from shop.payments.disputes.disputing import OPEN, dispute_seen
from shop.payments.orders.facts import apply
from shop.payments.queries import evidence, orders
from shop.payments.queries.evidence import Drawn
from shop.payments.rows import Packet
from shop.ports.evidence import Answer, EvidenceDesk
from shop.ports.gateway import DisputeSeen, GatewayRefused, OutcomeUnknown


class NotDrawnYet(NotYet):
    """The packet is not drawn: its other job comes first."""

    code = "not_drawn"


def answer(db: Database, desk: EvidenceDesk, packet_id: str) -> str | None:
    """Answers `submitted` or `refused`; None for a packet that is only to be read. Safe to repeat.

    A repeat looks at the dispute first: it carries our packet's id once the answer arrived, so the bank never gets two.
    """
    with db.transaction() as tx:
        packet, drawn = evidence.packet(tx, packet_id), evidence.drawn(tx, packet_id)
    if packet is None or not packet.submit or packet.outcome is not None:
        return packet.outcome if packet else None
    if drawn is None:
        raise NotDrawnYet(f"packet {packet_id} is not drawn")
    with db.transaction() as tx:
        evidence.begin(tx, packet_id)
        asked_at = orders.clock(tx)
    if packet.tries > 0 and (settled := _look(db, desk, packet, asked_at)) is not None:
        return settled
    return _send(db, desk, packet, drawn, asked_at)


def _look(db: Database, desk: EvidenceDesk, packet: Packet, asked_at: datetime) -> str | None:
    """What became of an earlier try; None where the dispute still waits for this answer."""
    seen = desk.dispute(packet.provider_dispute_id)
    if seen is None:
        return _settle(db, packet, None, asked_at, refusal="resource_missing")
    if seen.evidence_submitted and seen.evidence_id == packet.id:
        return _settle(db, packet, seen, asked_at)
    if seen.status not in OPEN:
        return _settle(db, packet, seen, asked_at, refusal="dispute_closed")
    return None


def _send(db: Database, desk: EvidenceDesk, packet: Packet, drawn: Drawn, asked_at: datetime) -> str:
    key = f"evidence-{packet.id}-{packet.generation}"
    try:
        file_id = packet.provider_file_id or _upload(db, desk, packet, drawn.pdf, f"{key}-file")
        reply = Answer(evidence_id=packet.id, file_id=file_id, texts=drawn.texts)
        seen = desk.submit(packet.provider_dispute_id, reply, key=key)
    except GatewayRefused as refused:
        return _settle(db, packet, desk.dispute(packet.provider_dispute_id), asked_at, refusal=refused.vendor_code)
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            with db.transaction() as tx:
                evidence.renew(tx, packet.id)
        raise
    return _settle(db, packet, seen, asked_at)


def _upload(db: Database, desk: EvidenceDesk, packet: Packet, pdf: bytes, key: str) -> str:
    file_id = desk.upload(pdf, name=f"evidence-{packet.id}.pdf", key=key)
    with db.transaction() as tx:
        evidence.note_file(tx, packet.id, file_id)
    return file_id


def _settle(
    db: Database, packet: Packet, seen: DisputeSeen | None, asked_at: datetime, *, refusal: str | None = None
) -> str:
    """What the provider says of the dispute becomes a fact in the same transaction that decides the packet."""
    outcome = "refused" if refusal else "submitted"
    with db.transaction() as tx:
        orders.lock_order(tx, packet.order_id)
        evidence.close(tx, packet.id, outcome=outcome, error_code=refusal)
        if seen is not None:
            key = f"{packet.id}:{packet.tries + 1}"
            apply(tx, packet.order_id, [dispute_seen(seen, source="answer", key=key, seen_at=asked_at)])
    return outcome
