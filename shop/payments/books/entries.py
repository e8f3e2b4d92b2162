"""Rows of the books as they are written and read; amounts are whole minor units of the row's currency."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Posting:
    """A line of a ledger entry to be: debit is positive, credit negative."""

    account: str
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger entry, with the entry's own facts."""

    id: str
    seq: int
    order_id: str | None
    kind: str
    cause: str
    memo: str | None
    booked_at: datetime
    account: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Balance:
    """`balance_minor` is debit minus credit."""

    code: str
    name: str
    kind: str
    currency: str
    balance_minor: int
