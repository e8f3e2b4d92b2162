"""Card numbers have no place in this shop: how one is recognised, wherever somebody may have written it."""

import re

_RUN = re.compile(r"(?<![0-9A-Za-z])(?<![0-9A-Za-z]-)\d(?:[ -]?\d){13,40}(?!-?[0-9A-Za-z])")
"""Digits, grouped or not. What goes on in letters is an id: a UUID is no card number however its digits fall. A run has
an end, so that a long text of digits costs no more than its length.
"""

_SCHEMES = re.compile(
    r"4\d{15}(?:\d{3})?"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}(?:\d{3})?"  # Discover
    r"|62\d{14,17}"  # UnionPay
    r"|(?:5[06-9]|6\d)\d{14}"  # Maestro
)
"""First digits and lengths as the schemes hand them out: telephone numbers and times in milliseconds do not fit."""

SHORTEST, LONGEST = 14, 19


def holds_card_number(text: str) -> bool:
    """Whether some digits in the text are a card's: right first digits, right length, right check digit."""
    return any(_is_card(digits) for run in _RUN.findall(text) for digits in _joined(re.split("[ -]", run)))


def _joined(groups: list[str]) -> list[str]:
    """What neighbouring groups are together: an expiry date may stand behind the number."""
    found: list[str] = []
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > LONGEST:
                break
            if len(digits) >= SHORTEST:
                found.append(digits)
    return found


def _is_card(digits: str) -> bool:
    if _SCHEMES.fullmatch(digits) is None:
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[-1::-2]) + doubled) % 10 == 0
