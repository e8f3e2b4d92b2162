"""Who issues: what the law wants to see of a shop on its paper, and where its calendar day begins."""

import hashlib
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

CREDIT_SERIES = "CRN"
"""Credit notes count by themselves, or an auditor would see gaps among the invoices."""

_VAT_ID = re.compile(r"(?!(..)0+$)[A-Z]{2}[0-9A-Z+*]{2,13}")
"""Two letters of the country and what it gives out; only zeros are nobody's."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture as the browser knows it: `media_type` is image/svg+xml, image/png or image/jpeg."""

    media_type: str
    content: bytes

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()


@dataclass(frozen=True, slots=True)
class Seller:
    """`invoice_series` and `credit_series` begin the numbers; `zone` decides which day and year an issue belongs to.

    `address` is the whole address in one line, as it is printed; its parts are for machines and may be missing.
    """

    name: str
    address: str
    tax_id: str
    zone: ZoneInfo
    invoice_series: str = "INV"
    credit_series: str = CREDIT_SERIES
    country: str = "DE"
    street: str = ""
    postal_code: str = ""
    city: str = ""
    email: str = ""
    imprint: str = ""
    logo: Logo | None = None
    locale: str = "en_GB"

    def __post_init__(self) -> None:
        if self.invoice_series == self.credit_series:
            raise ValueError(f"invoices and credit notes cannot both be numbered {self.invoice_series}-…")

    @property
    def registered(self) -> bool:
        """Whether there is a tax number that may be stated to machines: shaped like one, and not the placeholder."""
        return _VAT_ID.fullmatch(self.tax_id.replace(" ", "")) is not None
