"""Numbers without gaps: each is taken in the transaction that issues its document, so a rollback gives it back."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from db.database import Tx
from shop.documents.queries import issue


@dataclass(frozen=True, slots=True)
class Number:
    """`text` is what people quote: INV-2026-000042. The year is that of the shop's own calendar."""

    series: str
    year: int
    serial: int
    issued_at: datetime

    @property
    def text(self) -> str:
        return f"{self.series}-{self.year}-{self.serial:06d}"


def lock_and_time(tx: Tx, series: str) -> datetime:
    """From here to the end of the transaction nobody else issues in this series."""
    return issue.lock_series(tx, series)


def take(tx: Tx, series: str, moment: datetime, zone: ZoneInfo) -> Number:
    """The next number; given back by a rollback. The series must be locked, `moment` is the answer of the lock."""
    year = moment.astimezone(zone).year
    return Number(series, year, issue.next_serial(tx, series, year), moment)
