"""Which slots of which schedules have had their job."""

from datetime import datetime

from db.database import Tx


def last_slot(tx: Tx, schedule: str) -> datetime | None:
    row = tx.execute(
        "SELECT max(slot) FROM schedule_slots WHERE schedule = %(schedule)s", {"schedule": schedule}
    ).fetchone()
    return row[0] if row else None


def take_slot(tx: Tx, schedule: str, slot: datetime, *, job_id: str) -> bool:
    """False when the slot has had its job already."""
    return (
        tx.execute(
            """
            INSERT INTO schedule_slots (schedule, slot, job_id) VALUES (%(schedule)s, %(slot)s, %(job_id)s)
            ON CONFLICT DO NOTHING
            """,
            {"schedule": schedule, "slot": slot, "job_id": job_id},
        ).rowcount
        == 1
    )


def forget_slots(tx: Tx, *, days: int) -> int:
    """Old slots go, but never the last one of a schedule: catching up counts from it."""
    return tx.execute(
        """
        DELETE FROM schedule_slots old
         WHERE slot < now() - make_interval(days => %(days)s)
           AND EXISTS (SELECT 1 FROM schedule_slots newer
                        WHERE newer.schedule = old.schedule AND newer.slot > old.slot)
        """,
        {"days": days},
    ).rowcount
