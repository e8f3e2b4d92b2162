"""Answers to disputes: who wanted which, how far it is, and what the provider said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.payments.rows import Moment, Packet


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is sent: the PDF, and the texts that were frozen with it."""

    pdf: bytes
    texts: Mapping[str, str]


def insert_packet(
    tx: Tx,
    *,
    packet_id: str,
    dispute_id: str,
    requested_by: str,
    note: str | None,
    shipping: Mapping[str, Any] | None,
    submit: bool,
) -> None:
    """The next version of the dispute's packets. The caller holds the order's lock.

    What is not said anew stays as the version before said it: whoever looked at a draft sends what they saw.
    """
    tx.execute(
        """
        INSERT INTO evidence_packets (id, dispute_id, order_id, version, requested_by, note, shipping, submit)
        SELECT %(id)s, d.id, d.order_id,
               1 + coalesce((SELECT max(version) FROM evidence_packets WHERE dispute_id = d.id), 0),
               %(by)s, coalesce(%(note)s, before.note), coalesce(%(shipping)s, before.shipping), %(submit)s
          FROM disputes d
          LEFT JOIN LATERAL (SELECT note, shipping FROM evidence_packets
                              WHERE dispute_id = d.id ORDER BY version DESC LIMIT 1) AS before ON true
         WHERE d.id = %(dispute_id)s
        """,
        {
            "id": packet_id,
            "dispute_id": dispute_id,
            "by": requested_by,
            "note": note,
            "shipping": Jsonb(shipping) if shipping else None,
            "submit": submit,
        },
    )


def packet(tx: Tx, packet_id: str) -> Packet | None:
    cursor = tx.cursor(row_factory=class_row(Packet))
    return cursor.execute(
        """
        SELECT p.id, p.dispute_id, p.order_id, d.provider_dispute_id, p.version, p.requested_by, p.note, p.submit,
               f.document_id IS NOT NULL AS drawn, p.tries, p.generation, p.provider_file_id, p.outcome, p.error_code,
               p.answered_at, p.created_at
          FROM evidence_packets p
          JOIN disputes d ON d.id = p.dispute_id
          LEFT JOIN document_files f ON f.document_id = p.id
         WHERE p.id = %(id)s
        """,
        {"id": packet_id},
    ).fetchone()


def packets_of(tx: Tx, dispute_id: str) -> list[Packet]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(Packet))
    return cursor.execute(
        """
        SELECT p.id, p.dispute_id, p.order_id, d.provider_dispute_id, p.version, p.requested_by, p.note, p.submit,
               f.document_id IS NOT NULL AS drawn, p.tries, p.generation, p.provider_file_id, p.outcome, p.error_code,
               p.answered_at, p.created_at
          FROM evidence_packets p
          JOIN disputes d ON d.id = p.dispute_id
          LEFT JOIN document_files f ON f.document_id = p.id
         WHERE p.dispute_id = %(dispute_id)s
      ORDER BY p.version DESC
        """,
        {"dispute_id": dispute_id},
    ).fetchall()


def drawn(tx: Tx, packet_id: str) -> Drawn | None:
    cursor = tx.cursor(row_factory=class_row(Drawn))
    return cursor.execute(
        """
        SELECT f.pdf, s.snapshot -> 'texts' AS texts
          FROM document_files f
          JOIN evidence_snapshots s ON s.packet_id = f.document_id
         WHERE f.document_id = %(id)s
        """,
        {"id": packet_id},
    ).fetchone()


def begin(tx: Tx, packet_id: str) -> None:
    tx.execute(
        "UPDATE evidence_packets SET tries = tries + 1, asked_at = clock_timestamp() WHERE id = %(id)s",
        {"id": packet_id},
    )


def note_file(tx: Tx, packet_id: str, file_id: str) -> None:
    tx.execute(
        "UPDATE evidence_packets SET provider_file_id = %(file)s WHERE id = %(id)s", {"id": packet_id, "file": file_id}
    )


def renew(tx: Tx, packet_id: str) -> None:
    """Give up a key under which the provider keeps a failure: the next try has another one."""
    tx.execute("UPDATE evidence_packets SET generation = generation + 1 WHERE id = %(id)s", {"id": packet_id})


def close(tx: Tx, packet_id: str, *, outcome: str, error_code: str | None = None) -> bool:
    """False if somebody else decided it before."""
    closed = tx.execute(
        """
        UPDATE evidence_packets
           SET outcome = %(outcome)s, error_code = left(%(error)s, 80), answered_at = clock_timestamp()
         WHERE id = %(id)s AND outcome IS NULL
        """,
        {"id": packet_id, "outcome": outcome, "error": error_code},
    )
    return closed.rowcount == 1


def stuck(tx: Tx, *, quiet_s: float, limit: int) -> list[tuple[str, bool]]:
    """`(packet, drawn)` of those that stand still although somebody waits for them."""
    return tx.execute(
        """
        SELECT p.id, f.document_id IS NOT NULL
          FROM evidence_packets p
          LEFT JOIN document_files f ON f.document_id = p.id
         WHERE ((p.submit AND p.outcome IS NULL) OR f.document_id IS NULL)
           AND coalesce(p.asked_at, p.created_at)
               BETWEEN now() - interval '30 days' AND now() - make_interval(secs => %(quiet_s)s)
      ORDER BY p.created_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()


def moments(tx: Tx, order_id: str) -> list[Moment]:
    """What the order's history has of answers to banks, and of goods that stay back although their refund failed."""
    cursor = tx.cursor(row_factory=class_row(Moment))
    return cursor.execute(
        """
        SELECT p.created_at AS at, 'evidence' AS kind, 'packet.asked' AS what,
               jsonb_build_object('packet', p.id, 'dispute', p.dispute_id, 'actor', p.requested_by, 'submit', p.submit)
                   AS detail
          FROM evidence_packets p
         WHERE p.order_id = %(id)s
        UNION ALL
        SELECT f.drawn_at, 'evidence', 'packet.drawn',
               jsonb_build_object('packet', p.id, 'sha256', encode(f.sha256, 'hex'))
          FROM evidence_packets p
          JOIN document_files f ON f.document_id = p.id
         WHERE p.order_id = %(id)s
        UNION ALL
        SELECT p.answered_at, 'evidence', 'packet.' || p.outcome,
               jsonb_build_object('packet', p.id, 'file', p.provider_file_id, 'tries', p.tries, 'error', p.error_code)
          FROM evidence_packets p
         WHERE p.order_id = %(id)s AND p.outcome IS NOT NULL
        UNION ALL
        SELECT r.updated_at, 'note', 'goods.stay_returned', jsonb_build_object('refund', r.id)
          FROM refunds r
          JOIN effects e ON e.order_id = r.order_id AND e.kind = 'restock' AND e.generation = r.id
         WHERE r.order_id = %(id)s AND r.status = 'failed'
      ORDER BY at
        """,
        {"id": order_id},
    ).fetchall()
