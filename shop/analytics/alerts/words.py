"""Figures of an alert as people read them."""

from shop.money import Money


def count(number: float, thing: str = "") -> str:
    """`1,204 orders`, `1 order`; without a thing the number alone."""
    told = f"{round(number):,}"
    return told if not thing else f"{told} {thing}" if round(number) == 1 else f"{told} {thing}s"


def amount(minor: float, currency: str) -> str:
    return str(Money(round(minor), currency))


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def minutes(seconds: float) -> str:
    """`40 seconds`, `12 minutes`."""
    return f"{round(seconds)} seconds" if seconds < 120 else f"{round(seconds / 60):,} minutes"
