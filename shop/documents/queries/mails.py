"""The mails table: one row per kind and subject, and who has it in hand."""

from dataclasses import dataclass
from datetime import timedelta

from psycopg.rows import class_row, scalar_row

from db.database import Tx


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
         WHERE m.state IN ('waiting', 'refused', 'dropped')
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
           SET state = 'sent', sent_at = now(), claimed_until = NULL, last_error = NULL
         WHERE id = %(id)s AND state = 'sending' AND attempts = %(attempt)s
        """,
        {"id": taken.id, "attempt": taken.attempt},
    )
    return cursor.rowcount == 1


def mark_unsent(tx: Tx, taken: Claim, *, state: str, error: str) -> bool:
    """`state` is `waiting` (another try) or `refused`."""
    cursor = tx.execute(
        """
        UPDATE mails
           SET state = %(state)s, claimed_until = NULL, last_error = left(%(error)s, 500)
         WHERE id = %(id)s AND state = 'sending' AND attempts = %(attempt)s
        """,
        {"id": taken.id, "attempt": taken.attempt, "state": state, "error": error},
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
         WHERE m.state IN ('waiting', 'refused', 'dropped')
        """,
        {"new_id": new_id, "kind": kind, "subject_id": subject_id, "reason": reason},
    )
