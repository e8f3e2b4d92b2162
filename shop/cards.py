"""Card numbers have no place in this shop: how one is recognised, wherever somebody may have written it."""

import re
import unicodedata
from collections.abc import Iterator

_GAP = r"[ \t\r\n\-._/\u2010-\u2015\u2212\u00b7\u2022]"
"""What people and machines write between groups of digits; other spaces and other scripts' digits become plain ones
first.
"""

_RUN = re.compile(rf"(?<![0-9A-Za-z])[0-9](?:{_GAP}{{0,3}}[0-9]){{12,40}}(?![0-9A-Za-z])")
"""Digits, grouped or not. What goes on in letters is an id. A run has an end, so that a long text of digits costs no
more than its length.
"""

_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
"""No card number, however its digits fall."""

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
"""A letter as JSON may write it."""

_PLAIN_GAP = re.compile(r"[ \-]")
_SHAPES = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 3), (4, 4, 4, 2), (4, 4, 4, 4, 3), (4, 4, 4, 1), (6, 13))
"""How numbers are grouped on cards, and by people who write all of them in fours. With a gap that also stands in
dates, decimals, addresses and versions only these count, and single digits each with a gap of their own.
"""

_SCHEMES = re.compile(
    r"4\d{12}|4\d{15}(?:\d{3})?"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}(?:\d{3})?"  # Discover
    r"|62\d{14,17}"  # UnionPay
    r"|(?:5[06-9]|6\d)\d{14}"  # Maestro
)
"""First digits and lengths as the schemes hand them out: telephone numbers and times in milliseconds do not fit."""

SHORTEST, LONGEST = 13, 19


def holds_card_number(text: str) -> bool:
    """Whether some digits in the text are a card's: right first digits, right length, right check digit."""
    if "\\u" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    if not text.isascii():
        text = _plain(text)
    if "-" in text:
        text = _UUID.sub("x", text)
    return any(_is_card(digits) for run in _RUN.findall(text) for digits in _candidates(run))


def is_card_number(text: str) -> bool:
    """Whether the text is a card's number as a whole and nothing else, grouped or not."""
    return text[:1].isdigit() and _is_card(re.sub(_GAP, "", text))


def _plain(text: str) -> str:
    """Digits of other scripts and widths as ours, all spaces as one, and nothing that cannot be seen."""
    wide = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.digit(letter)) if letter.isdigit() else " " if letter.isspace() else letter
        for letter in wide
        if unicodedata.category(letter) != "Cf"
    )


def _candidates(run: str) -> Iterator[str]:
    groups = re.split(f"{_GAP}+", run)
    if all(_PLAIN_GAP.fullmatch(gap) for gap in re.findall(f"{_GAP}+", run)):
        yield from _joined(groups)
        return
    if all(len(group) == 1 for group in groups):
        yield from _joined(groups)
    for shape in _SHAPES:
        for first in range(len(groups) - len(shape) + 1):
            part = groups[first : first + len(shape)]
            if tuple(len(group) for group in part) == shape:
                yield "".join(part)
    yield from (group for group in groups if len(group) >= SHORTEST)


def _joined(groups: list[str]) -> Iterator[str]:
    """What neighbouring groups are together: an expiry date may stand behind the number."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > LONGEST:
                break
            if len(digits) >= SHORTEST:
                yield digits


def _is_card(digits: str) -> bool:
    if _SCHEMES.fullmatch(digits) is None:
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    if (sum(int(digit) for digit in digits[-1::-2]) + doubled) % 10:
        return False
    # Visa gave up numbers of 13 digits long ago; article numbers (EAN-13) of German goods begin with 4 as well.
    return len(digits) != 13 or not _is_article(digits)


def _is_article(digits: str) -> bool:
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return weighed % 10 == 0
