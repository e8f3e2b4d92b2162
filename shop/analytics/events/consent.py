"""What a visitor agreed to, in whatever words the page's consent dialogue speaks, as one number."""

from collections.abc import Mapping

PURPOSES = {"analytics": 1, "marketing": 2, "personalization": 4, "personalisation": 4}
"""Bits of the mask; purposes that are not ours are none of our business."""

ANALYTICS = 1

EVERYTHING = 7

SAID = {"granted": EVERYTHING, "all": EVERYTHING, "denied": 0, "none": 0}

Said = bool | int | str | Mapping[str, bool]


def mask(said: Said) -> int:
    """Raises ValueError for a word that is not one of granted, all, denied, none, and for a negative number."""
    if isinstance(said, bool):
        return EVERYTHING if said else 0
    if isinstance(said, int):
        if said < 0:
            raise ValueError("consent as a number is a sum of 1 analytics, 2 marketing, 4 personalization")
        return said & EVERYTHING
    if isinstance(said, str):
        if said not in SAID:
            raise ValueError(f"consent is one of {', '.join(SAID)}, a number, or purposes with true and false")
        return SAID[said]
    bits = 0
    for purpose, agreed in said.items():
        if agreed:
            bits |= PURPOSES.get(purpose, 0)
    return bits
