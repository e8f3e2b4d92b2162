"""Draws the answer to a dispute: one PDF with all that is known of the case, from a snapshot that is frozen first."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.documents.errors import NotDrawn, NothingToDocument
from shop.documents.evidence_snapshot import Material, Snapshot, evidence_snapshot
from shop.documents.issued import DRAWN_WITHIN_S, Paper
from shop.documents.queries import evidence_sources, issue
from shop.documents.queries.evidence_sources import Frozen
from shop.documents.seller import Seller
from shop.documents.snapshot import digest
from shop.errors import NotFound
from shop.pages import fill
from shop.pdf import draw
from shop.ports.evidence import EvidenceDesk

TEMPLATES = Path(__file__).parent / "evidence_templates"
"""Apart from the papers' own: those are proven by a digest of their templates, and a packet by its stored bytes."""


@dataclass(frozen=True, slots=True)
class Shopkeeper:
    """Who answers, and on which terms was sold (plain text, empty if there are none)."""

    seller: Seller
    terms: str


def evidence(db: Database, desk: EvidenceDesk, shop: Shopkeeper, packet_id: str) -> str:
    """Freeze, draw, store, and stage the sending if that was wished. Answers `drawn`. Safe to repeat.

    Raises NothingToDocument for an unknown packet, GatewayUnavailable while the card's checks cannot be asked for.
    """
    with db.transaction() as tx:
        if issue.has_file(tx, packet_id):
            return "drawn"
        known = evidence_sources.frozen(tx, packet_id)
    frozen = known or _freeze(db, desk, shop, packet_id)
    pdf = packet(frozen.snapshot, frozen.snapshot_sha256, shop.seller)
    with db.transaction() as tx:
        stored = issue.insert_file(tx, packet_id, pdf=pdf, sha256=hashlib.sha256(pdf).digest())
        if stored and evidence_sources.wants_submission(tx, packet_id):
            key = f"{jobs.ANSWER_DISPUTE.name}:{packet_id}"
            outbox.stage(tx, jobs.ANSWER_DISPUTE, unique_key=key, packet_id=packet_id)
    return "drawn"


def packet(snapshot: Snapshot, sha256: bytes, seller: Seller) -> bytes:
    """The PDF of a snapshot."""
    title = f"Evidence for order {snapshot['order']['number']}"
    logo = seller.logo
    html = fill(
        TEMPLATES,
        "evidence.html",
        packet=snapshot,
        seller=snapshot["seller"],
        title=title,
        running=title,
        digest=sha256.hex(),
        logo=f"data:{logo.media_type};base64,{base64.b64encode(logo.content).decode()}" if logo else "",
    )
    return draw(html, identity=sha256.hex(), made_at=datetime.fromisoformat(snapshot["made_at"]))


def evidence_paper(db: Database, dispute_id: str) -> Paper:
    """The newest packet of a dispute. Raises NotFound where nobody asked for one, NotDrawn in the moment before it is
    there.
    """
    with db.transaction() as tx:
        found = evidence_sources.newest_file(tx, dispute_id)
        asked = evidence_sources.any_packet(tx, dispute_id)
    if found is not None:
        packet_id, pdf, sha256 = found
        return Paper(f"evidence-{packet_id}", pdf, sha256.hex())
    if asked:
        raise NotDrawn(f"the evidence for {dispute_id} is being drawn", retry_after_s=DRAWN_WITHIN_S)
    raise NotFound(f"there is no evidence for dispute {dispute_id}: ask for it first")


def _freeze(db: Database, desk: EvidenceDesk, shop: Shopkeeper, packet_id: str) -> Frozen:
    with db.transaction() as tx:
        case = evidence_sources.case(tx, packet_id)
    if case is None:
        raise NothingToDocument(f"there is no packet {packet_id}")
    checks = desk.card_checks(case.intent_id)
    with db.transaction() as tx:
        found, now = _material(tx, packet_id), evidence_sources.clock(tx)
        snapshot = evidence_snapshot(shop.seller, shop.terms, found, checks, now)
        evidence_sources.freeze(tx, packet_id, snapshot=snapshot, sha256=digest(snapshot), at=now)
        frozen = evidence_sources.frozen(tx, packet_id)
    assert frozen is not None, "it is there, ours or another run's"
    return frozen


def _material(tx: Tx, packet_id: str) -> Material:
    case = evidence_sources.case(tx, packet_id)
    assert case is not None, "packets are never removed"
    return Material(
        case=case,
        lines=evidence_sources.lines(tx, case.order_id),
        facts=evidence_sources.facts(tx, case.order_id),
        refunds=evidence_sources.refunds(tx, case.order_id),
        mails=evidence_sources.mails(tx, case.order_id, case.email or ""),
        papers=evidence_sources.papers(tx, case.order_id),
        past=evidence_sources.past(tx, case.customer_id, case.order_id),
    )
