"""Money: whole minor units of one currency, and the only arithmetic that is allowed on it."""

from dataclasses import dataclass
from decimal import Decimal

# Minor units other than two, for the currencies Stripe charges in and as it counts them (docs.stripe.com/currencies,
# 2026-07). ISK and UGX have two there although ISO gives them none: 5 UGX are an amount of 500, fractions are refused.
ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905 - reads as the source's list
)
THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))

STEPS = {**dict.fromkeys(THREE_DECIMAL, 10), "isk": 100, "ugx": 100}
"""What amounts must be multiples of where not every minor unit can be paid: card networks move two decimals of a dinar,
and nobody has a hundredth of a króna. Same source and date. HUF and TWD are charged like any currency of two decimals;
only payouts to a bank have to be whole there, and Stripe keeps the rest for the next one.
"""


class CurrencyMismatch(TypeError):
    """Two currencies met in one sum: a bug in the caller, never a thing to convert silently."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`amount` in whole minor units (cents), `currency` as lower-case ISO 4217."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.islower():
            raise ValueError(f"currency {self.currency!r} is not a lower-case ISO code")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other).amount, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.amount * quantity, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other).amount

    def __str__(self) -> str:
        places = decimals(self.currency)
        if places == 0:
            return f"{self.amount} {self.currency.upper()}"
        sign = "-" if self.amount < 0 else ""
        whole, rest = divmod(abs(self.amount), 10**places)
        return f"{sign}{whole}.{rest:0{places}d} {self.currency.upper()}"

    @property
    def payable(self) -> bool:
        """Whether a card can be charged exactly this amount in this currency."""
        return self.amount % STEPS.get(self.currency, 1) == 0

    @property
    def decimal(self) -> Decimal:
        """In major units, as on a price tag: Decimal("12.90") for 1290 cents."""
        return Decimal(self.amount).scaleb(-decimals(self.currency))

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self} and {other} cannot meet in one sum")
        return other


def from_decimal(amount: Decimal, currency: str) -> Money:
    """The amount in minor units. Raises ValueError for what has more decimals than the currency, or is no number:
    nothing is rounded silently.
    """
    minor = amount.scaleb(decimals(currency)) if amount.is_finite() else None
    if minor is None or minor != minor.to_integral_value():
        raise ValueError(f"{amount} is no whole number of the smallest unit of {currency.upper()}")
    return Money(int(minor), currency)


def decimals(currency: str) -> int:
    """Digits behind the point: 0 for yen, 3 for dinars, otherwise 2."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
