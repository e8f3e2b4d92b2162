"""How much of a gross amount is tax, in whole minor units, so that parts add up to the whole to the last cent."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True, slots=True)
class Split:
    """A gross amount and its two parts, in minor units."""

    rate_percent: Decimal
    gross_minor: int
    tax_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor


def share(tax_minor: int, part_minor: int, whole_minor: int) -> int:
    """The tax inside `part` of `whole`, when all of it holds `tax`; half a cent is rounded up."""
    return int((Decimal(tax_minor) * part_minor / whole_minor).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def next_share(tax_minor: int, whole_minor: int, part_minor: int, *, before_minor: int, before_tax_minor: int) -> int:
    """The tax inside one more part, after parts of `before` with their tax were taken already.

    Rounded on the running sum: once everything is given back, the tax given back is exactly the tax that was charged.
    """
    running = share(tax_minor, before_minor + part_minor, whole_minor) - before_tax_minor
    # Parts that were taken back later leave the running sum a cent off; tax is never negative nor more than its part.
    return min(max(running, 0), part_minor)
