"""Who issues: what the law wants to see of a shop on its paper, and where its calendar day begins."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

CREDIT_SERIES = "CRN"
"""Credit notes count by themselves, or an auditor would see gaps among the invoices."""


@dataclass(frozen=True, slots=True)
class Seller:
    """`invoice_series` and `credit_series` begin the numbers; `zone` decides which day and year an issue belongs to."""

    name: str
    address: str
    tax_id: str
    zone: ZoneInfo
    invoice_series: str = "INV"
    credit_series: str = CREDIT_SERIES

    def __post_init__(self) -> None:
        if self.invoice_series == self.credit_series:
            raise ValueError(f"invoices and credit notes cannot both be numbered {self.invoice_series}-…")
