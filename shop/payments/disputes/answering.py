"""Asking for an answer to a dispute: a packet of evidence, drawn by a job and sent to the bank if that is wished."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.disputes.disputing import OPEN
from shop.payments.errors import DisputeClosed, EvidenceOnItsWay, EvidenceTooLate
from shop.payments.queries import disputes, evidence, orders
from shop.payments.rows import Dispute, Packet

BITE = 100
"""Packets in one look for those that stand still: a shop has a handful."""


@dataclass(frozen=True, slots=True)
class EvidenceWish:
    """`note` is what staff say to the bank, `shipping` what they know of the parcel: carrier, tracking_number,
    shipped_on. With `submit` the answer is sent: there is one for each dispute, and it cannot be taken back.
    """

    note: str | None = None
    shipping: Mapping[str, Any] | None = None
    submit: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    packet: Packet
    job_id: str


def ask_evidence(db: Database, dispute_id: str, wish: EvidenceWish, *, actor: str) -> Asked:
    """Stage a packet. Raises NotFound, and with `submit` DisputeClosed, EvidenceTooLate or EvidenceOnItsWay."""
    with db.transaction() as tx:
        known = disputes.dispute(tx, dispute_id)
        if known is None:
            raise NotFound(f"there is no dispute {dispute_id}")
        orders.lock_order(tx, known.order_id)
        if wish.submit:
            _check(tx, disputes.dispute(tx, dispute_id) or known)
        packet_id = new_id("evp")
        evidence.insert_packet(
            tx,
            packet_id=packet_id,
            dispute_id=dispute_id,
            requested_by=actor,
            note=wish.note,
            shipping=wish.shipping,
            submit=wish.submit,
        )
        job_id = outbox.stage(
            tx, jobs.DRAW_EVIDENCE, unique_key=f"{jobs.DRAW_EVIDENCE.name}:{packet_id}", packet_id=packet_id
        )
        made = evidence.packet(tx, packet_id)
        assert made is not None, "it was inserted in this transaction"
        return Asked(made, job_id)


def packets(db: Database, dispute_id: str) -> list[Packet]:
    """Newest first. Raises NotFound."""
    with db.transaction() as tx:
        if disputes.dispute(tx, dispute_id) is None:
            raise NotFound(f"there is no dispute {dispute_id}")
        return evidence.packets_of(tx, dispute_id)


def restage(tx: Tx, *, quiet_s: float) -> int:
    """Stage again what somebody waits for and no job does any more."""
    found = evidence.stuck(tx, quiet_s=quiet_s, limit=BITE)
    for packet_id, drawn in found:
        job = jobs.ANSWER_DISPUTE if drawn else jobs.DRAW_EVIDENCE
        outbox.stage(tx, job, unique_key=f"{job.name}:{packet_id}", packet_id=packet_id)
    return len(found)


def _check(tx: Tx, dispute: Dispute) -> None:
    if dispute.status not in OPEN:
        raise DisputeClosed(f"dispute {dispute.id} is {dispute.status}: its bank does not wait for an answer")
    if dispute.evidence_due_at is not None and dispute.evidence_due_at < orders.clock(tx):
        raise EvidenceTooLate(f"dispute {dispute.id} could be answered until {dispute.evidence_due_at:%Y-%m-%d %H:%M}")
    if any(packet.submit and packet.outcome is None for packet in evidence.packets_of(tx, dispute.id)):
        raise EvidenceOnItsWay(f"an answer to dispute {dispute.id} is on its way")
