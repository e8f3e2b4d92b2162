"""Money: whole minor units of one currency, and the only arithmetic that is allowed on it."""

from dataclasses import dataclass

# Minor units other than two, for the currencies Stripe charges in and as it counts them (docs.stripe.com/currencies,
# 2026-07). ISK and UGX have two there although ISO gives them none: 5 UGX are an amount of 500, and fractions are refused.
ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905 - reads as the source's list
)
THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))


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

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self} and {other} cannot meet in one sum")
        return other


def decimals(currency: str) -> int:
    """Digits behind the point: 0 for yen, 3 for dinars, otherwise 2."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
