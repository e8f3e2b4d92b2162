"""Prices as a shop would print them: inside the band of the kind, dearer for good brands, with familiar endings."""

from random import Random

CENTS = 100
CHEAP = 10 * CENTS
DEAR = 100 * CENTS
CHEAP_ENDINGS = (29, 49, 79, 99)
USUAL_ENDINGS = (50, 90, 95, 99)
DEAR_ENDINGS = (0, 0, 90, 95)
# Large amounts end in a four, a five or a nine: 149.00, 185.00, 224.95.
DEAR_LAST_EUROS = (4, 5, 9)


def set_price(lowest: int, highest: int, *, standing: float, factor: float, dice: Random) -> int:
    """Return a price in cents; `standing` of the brand and size is 0 (plain) to 1 (fine)."""
    spread = min(1.0, max(0.0, standing * 0.75 + dice.random() * 0.35 - 0.05))
    return believable(round((lowest + (highest - lowest) * spread) * factor), dice)


def believable(cents: int, dice: Random) -> int:
    """Return the nearest amount below or about `cents` that ends as prices in shops do."""
    euros = max(1, cents // CENTS)
    if cents < CHEAP:
        return euros * CENTS + dice.choice(CHEAP_ENDINGS)
    if cents < DEAR:
        return euros * CENTS + dice.choice(USUAL_ENDINGS)
    return (euros // 10 * 10 + dice.choice(DEAR_LAST_EUROS)) * CENTS + dice.choice(DEAR_ENDINGS)
