"""Tax: which rate a sale has, how much of an amount it is, and how parts of an amount share it to the last cent.

The rules, in one place:

- The country is that of the shipping address; without one, or where the table knows nothing of it, the shop's own.
- The rate is that of the product's category in that country, else the country's `standard`.
- Goods of one rate are summed up first and their tax is rounded once, half up (EN 16931 asks for the same).
- Shipping has no rate of its own: it is spread over the rates of the goods it brings, by their amounts.
- Parts (a capture, a refund) take gross and tax from what is left of each rate, so that the last part takes exactly
  the rest and nothing is ever negative.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

STANDARD = "standard"

HIGHEST = Decimal(100)

_ROW = re.compile(r"\s*([A-Z]{2})\s*:\s*([^=]+?)\s*=\s*([0-9]+(?:\.[0-9]{1,2})?)\s*")
_BETWEEN_ROWS = re.compile(r"[,;]\s*(?=[A-Z]{2}\s*:)")
_STEP = re.compile(r"\s*>\s*")


class WrongRates(ValueError):
    """The table of rates cannot be read; the message names the row and shows how one is written."""


@dataclass(frozen=True, slots=True)
class TaxRates:
    """Rates in percent by (country, category in lower case). `fallback` holds where the table says nothing."""

    home: str
    fallback: Decimal
    table: Mapping[tuple[str, str], Decimal] = field(default_factory=lambda: MappingProxyType({}))

    def country(self, wanted: str | None) -> str:
        """Whose rates a sale to this country has."""
        code = (wanted or "").strip().upper()
        return code if (code, STANDARD) in self.table else self.home

    def rate(self, country: str, category: str) -> Decimal:
        """Of a path like `Books > Novels` the whole, then its steps from the narrowest to the widest, are looked up."""
        path = " > ".join(_STEP.split(category.strip().lower()))
        for name in (path, *reversed(path.split(" > ")), STANDARD):
            if (country, name) in self.table:
                return self.table[country, name]
        return self.fallback


def read_rates(text: str) -> Mapping[tuple[str, str], Decimal]:
    """`DE:standard=19, DE:books=7, FR:standard=20` as a table. Raises WrongRates."""
    table: dict[tuple[str, str], Decimal] = {}
    for row in filter(str.strip, _BETWEEN_ROWS.split(text)):
        match = _ROW.fullmatch(row.strip(" ,;\n"))
        if match is None:
            raise WrongRates(f"{row.strip()!r} is no rate; one is written as DE:books=7")
        country, category, percent = match.groups()
        table[country, " > ".join(_STEP.split(category.lower()))] = _percent(percent)
    lost = sorted({country for country, _ in table} - {country for country, name in table if name == STANDARD})
    if lost:
        raise WrongRates(f"the country {lost[0]} has no {lost[0]}:{STANDARD}=…, the rate of all its other goods")
    return MappingProxyType(table)


@dataclass(frozen=True, slots=True)
class Part:
    """An amount of one rate. `gross_minor` holds `tax_minor`."""

    rate_percent: Decimal
    country: str
    gross_minor: int
    tax_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor

    def __neg__(self) -> "Part":
        return Part(self.rate_percent, self.country, -self.gross_minor, -self.tax_minor)


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One rate of an order: goods and shipping as priced, and what that is without and in tax."""

    rate_percent: Decimal
    country: str
    goods_minor: int
    shipping_minor: int
    net_minor: int
    tax_minor: int
    shipping_tax_minor: int

    @property
    def part(self) -> Part:
        return Part(self.rate_percent, self.country, self.net_minor + self.tax_minor, self.tax_minor)


def tax_lines(
    goods: Sequence[tuple[Decimal, int]], shipping_minor: int, *, country: str, included: bool
) -> tuple[TaxLine, ...]:
    """The tax of an order whose goods are (rate, amount), highest rate first. `included`: amounts hold their tax."""
    sums: dict[Decimal, int] = {}
    for rate, amount in goods:
        sums[rate] = sums.get(rate, 0) + amount
    rates = sorted(sums, reverse=True)
    shipping = apportion(shipping_minor, [sums[rate] for rate in rates])
    return tuple(
        _line(rate, country, sums[rate], sent, included=included) for rate, sent in zip(rates, shipping, strict=True)
    )


def tax_of(amount_minor: int, rate_percent: Decimal, *, included: bool) -> int:
    """The tax within an amount, or to be added to it; half a cent is rounded up."""
    whole = 100 + rate_percent if included else Decimal(100)
    return int((Decimal(amount_minor) * rate_percent / whole).quantize(Decimal(1), ROUND_HALF_UP))


def share(tax_minor: int, part_minor: int, whole_minor: int) -> int:
    """The tax inside `part` of `whole`, when all of it holds `tax`; half a cent is rounded up."""
    if whole_minor == 0:
        return 0
    return int((Decimal(tax_minor) * part_minor / whole_minor).quantize(Decimal(1), ROUND_HALF_UP))


def apportion(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` divided by weight into whole units that add up to it; the largest remainders get the odd units.

    No share is larger than its weight as long as the amount is not larger than all weights together. Weights that are
    all zero leave everything to the first.
    """
    total = sum(weights)
    if total == 0:
        return [amount, *(0 for _ in weights[1:])] if weights else []
    shares = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: amount - sum(shares)]:
        shares[place] += 1
    return shares


def spread(tax_minor: int, amounts: Sequence[int]) -> list[int]:
    """Tax divided over amounts in their order, on the running sum: the shares add up to the tax exactly."""
    whole = sum(amounts)
    shares: list[int] = []
    running = taken = 0
    for amount in amounts:
        running += amount
        upto = share(tax_minor, running, whole)
        shares.append(upto - taken)
        taken = upto
    return shares


def take(left: Sequence[Part], amount_minor: int, wanted: Mapping[Decimal, int] = MappingProxyType({})) -> list[Part]:
    """Take an amount out of what is left: `wanted` by rate first, the rest by what each rate still has.

    The tax of each rate goes with it in proportion; who takes the last unit of a rate takes the rest of its tax.
    Raises ValueError for more than is left.
    """
    have = [part.gross_minor for part in left]
    if not 0 <= amount_minor <= sum(have):
        raise ValueError(f"{amount_minor} cannot be taken out of {sum(have)}")
    first = [min(wanted.get(part.rate_percent, 0), part.gross_minor) for part in left]
    if sum(first) > amount_minor:
        first = apportion(amount_minor, first)
    rest = apportion(amount_minor - sum(first), [have[place] - first[place] for place in range(len(have))])
    grosses = [one + other for one, other in zip(first, rest, strict=True)]
    return [_taken(part, gross) for part, gross in zip(left, grosses, strict=True)]


def shown(part: Part) -> dict[str, str | int]:
    """As documents keep it: plain JSON."""
    return {
        "rate": rate_text(part.rate_percent),
        "country": part.country,
        "net_minor": part.net_minor,
        "tax_minor": part.tax_minor,
        "gross_minor": part.gross_minor,
    }


def read_part(kept: Mapping[str, Any]) -> Part:
    """The same, read back."""
    return Part(Decimal(kept["rate"]), str(kept["country"]), int(kept["gross_minor"]), int(kept["tax_minor"]))


def rate_text(rate: Decimal) -> str:
    """`19.00` → `19`, `7.70` → `7.7`."""
    return f"{rate.normalize():f}"


def _taken(part: Part, gross_minor: int) -> Part:
    tax = share(part.tax_minor, gross_minor, part.gross_minor)
    return Part(part.rate_percent, part.country, gross_minor, tax)


def _line(rate: Decimal, country: str, goods: int, sent: int, *, included: bool) -> TaxLine:
    priced = goods + sent
    tax = tax_of(priced, rate, included=included)
    net = priced - tax if included else priced
    return TaxLine(rate, country, goods, sent, net, tax, share(tax, sent, priced))


def _percent(text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern lets only numbers through
        raise WrongRates(f"{text!r} is no percentage") from error
    if rate > HIGHEST:
        raise WrongRates(f"{text} % is more than everything")
    return rate
