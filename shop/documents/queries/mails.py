"""The mails table: one row per kind and subject, and who has it in hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row, scalar_row

from db.database import Tx
from shop.ports.mail import ServerSaid


@dataclass(frozen=True, slots=True)
class Claim:
    """`attempt` is the fence: a run that lost its claim cannot write over the one that took it."""

    id: str
    attempt: int


def state(tx: Tx, kind: str, subject_id: str) -> str | None:
    return (
        tx.cursor(row_factory=scalar_row)
        .execute(
            "SELECT state FROM mails WHERE kind = %(kind)s AND subject_id = %(subject_id)s",
            {"kind": kind, "subject_id": subject_id},
        )
        .fetchone()
    )


def told_lately(tx: Tx, kind: str, recipient: str, *, but_for: str) -> int:
    """How many mails of this kind the address was sent in the last day, not counting the one about `but_for`."""
    row = tx.execute(
        """
        SELECT count(*) FROM mails
         WHERE recipient = %(recipient)s AND created_at > now() - interval '1 day' AND kind = %(kind)s
           AND state IN ('sending', 'sent') AND subject_id <> %(but_for)s
        """,
        {"recipient": recipient, "kind": kind, "but_for": but_for},
    ).fetchone()
    assert row is not None
    return row[0]


def claim(
    tx: Tx, *, new_id: str, kind: str, subject_id: str, recipient: str, subject: str, text: str, lease: timedelta
) -> Claim | None:
    """None if it is sent, or in the hands of a run whose claim still holds. `text` is kept: it may have to be shown."""
    cursor = tx.cursor(row_factory=class_row(Claim))
    return cursor.execute(
        """
        INSERT INTO mails AS m (id, kind, subject_id, state, recipient, subject, body_text, attempts, claimed_until)
        VALUES (%(new_id)s, %(kind)s, %(subject_id)s, 'sending', %(recipient)s, %(subject)s, left(%(text)s, 100000), 1,
                now() + %(lease)s)
        ON CONFLICT (kind, subject_id) DO UPDATE
           SET state = 'sending', recipient = excluded.recipient, subject = excluded.subject,
               body_text = excluded.body_text, attempts = m.attempts + 1, claimed_until = excluded.claimed_until
         WHERE m.state IN ('waiting', 'refused', 'dropped', 'bounced', 'gave_up')
            OR (m.state = 'sending' AND m.claimed_until < now())
        RETURNING id, attempts AS attempt
        """,
        {
            "new_id": new_id,
            "kind": kind,
            "subject_id": subject_id,
            "recipient": recipient,
            "subject": subject,
            "text": text,
            "lease": lease,
        },
    ).fetchone()


def mark_sent(tx: Tx, taken: Claim) -> bool:
    cursor = tx.execute(
        """
        UPDATE mails
           SET state = 'sent', sent_at = now(), claimed_until = NULL, last_error = NULL, smtp_code = NULL,
               smtp_answer = NULL
         WHERE id = %(id)s AND state = 'sending' AND attempts = %(attempt)s
        """,
        {"id": taken.id, "attempt": taken.attempt},
    )
    return cursor.rowcount == 1


def mark_unsent(tx: Tx, taken: Claim, *, state: str, error: str, said: ServerSaid | None) -> bool:
    """`state` is `waiting` (another try), `refused`, `bounced` or `gave_up`; `said` is the server's own reply."""
    cursor = tx.execute(
        """
        UPDATE mails
           SET state = %(state)s, claimed_until = NULL, last_error = left(%(error)s, 500), smtp_code = %(code)s,
               smtp_answer = left(%(answer)s, 500)
         WHERE id = %(id)s AND state = 'sending' AND attempts = %(attempt)s
        """,
        {
            "id": taken.id,
            "attempt": taken.attempt,
            "state": state,
            "error": error,
            "code": said.status if said else None,
            "answer": said.words if said else None,
        },
    )
    return cursor.rowcount == 1


def drop(tx: Tx, *, new_id: str, kind: str, subject_id: str, reason: str) -> None:
    """Note that this mail will not be sent and why, unless it was sent already or is being sent."""
    tx.execute(
        """
        INSERT INTO mails AS m (id, kind, subject_id, state, last_error)
        VALUES (%(new_id)s, %(kind)s, %(subject_id)s, 'dropped', %(reason)s)
        ON CONFLICT (kind, subject_id) DO UPDATE
           SET state = 'dropped', last_error = excluded.last_error
         WHERE m.state IN ('waiting', 'refused', 'dropped', 'bounced', 'gave_up')
        """,
        {"new_id": new_id, "kind": kind, "subject_id": subject_id, "reason": reason},
    )


@dataclass(frozen=True, slots=True)
class Posted:
    """What one mail is about, as its job is told."""

    kind: str
    subject_id: str
    state: str


def posted(tx: Tx, mail_id: str) -> Posted | None:
    return (
        tx.cursor(row_factory=class_row(Posted))
        .execute("SELECT kind, subject_id, state FROM mails WHERE id = %(id)s", {"id": mail_id})
        .fetchone()
    )


@dataclass(frozen=True, slots=True)
class MailRow:
    """`subject_id` is the order, refund, dispute or report it is about, `order_id` the order behind it, if there is."""

    id: str
    kind: str
    subject_id: str
    order_id: str | None
    state: str
    recipient: str | None
    subject: str | None
    attempts: int
    last_error: str | None
    smtp_code: int | None
    smtp_answer: str | None
    created_at: datetime
    sent_at: datetime | None


def listed(tx: Tx, *, state: str | None, order_id: str | None, before_id: str | None, limit: int) -> list[MailRow]:
    """Newest first; of one order those about itself, its invoices, its refunds and its disputes."""
    cursor = tx.cursor(row_factory=class_row(MailRow))
    return cursor.execute(
        """
        WITH about AS (
            SELECT id FROM orders WHERE id = %(order_id)s
            UNION ALL SELECT id FROM invoices WHERE order_id = %(order_id)s
            UNION ALL SELECT id FROM refunds WHERE order_id = %(order_id)s
            UNION ALL SELECT id FROM disputes WHERE order_id = %(order_id)s
            -- A reminder is about a dispute and its last day.
            UNION ALL SELECT generation FROM effects WHERE order_id = %(order_id)s AND kind = 'mail_dispute_due'
        )
        SELECT m.id, m.kind, coalesce(d.id, m.subject_id) AS subject_id,
               coalesce(o.id, i.order_id, r.order_id, d.order_id) AS order_id, m.state, m.recipient,
               m.subject, m.attempts, m.last_error, m.smtp_code, m.smtp_answer, m.created_at, m.sent_at
          FROM mails m
          LEFT JOIN orders o ON o.id = m.subject_id
          LEFT JOIN invoices i ON i.id = m.subject_id
          LEFT JOIN refunds r ON r.id = m.subject_id
          LEFT JOIN disputes d ON d.id = split_part(m.subject_id, ':', 1)
         WHERE (%(state)s::text IS NULL OR m.state = %(state)s)
           AND (%(order_id)s::text IS NULL OR m.subject_id IN (SELECT id FROM about))
           AND (%(before_id)s::text IS NULL OR m.id < %(before_id)s)
      ORDER BY m.id DESC
         LIMIT %(limit)s
        """,
        {"state": state, "order_id": order_id, "before_id": before_id, "limit": limit},
    ).fetchall()
