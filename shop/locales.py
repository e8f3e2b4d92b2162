"""The languages the shop writes to its customers, and which of them somebody asked for."""

import re

from babel import Locale, UnknownLocaleError

LANGUAGES = ("en", "de", "fr", "es")
"""Each has a file of words in `shop/documents/languages`."""

LONGEST_WISH = 500
"""Characters of an Accept-Language that are read: browsers send fewer than a hundred."""

_NAME = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}))?")


def known_locale(name: str) -> str | None:
    """`de-at` → `de_AT`, `es_MX`, `en`; None for a language the shop does not write. An unknown region is left out."""
    match = _NAME.fullmatch(name.strip())
    if match is None or match.group(1).lower() not in LANGUAGES:
        return None
    language, region = match.group(1).lower(), (match.group(2) or "").upper()
    if not region:
        return language
    try:
        return str(Locale.parse(f"{language}_{region}", resolve_likely_subtags=False))
    except (UnknownLocaleError, ValueError):
        return language


def wished_locale(accept_language: str | None) -> str | None:
    """The first language of an Accept-Language header, by its weights, that the shop writes."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate((accept_language or "")[:LONGEST_WISH].split(",")):
        name, _, weight = part.partition(";")
        wishes.append((-_weight(weight), place, name))
    found = (known_locale(name) for minus, _, name in sorted(wishes) if minus < 0)
    return next((locale for locale in found if locale), None)


def _weight(text: str) -> float:
    match = re.fullmatch(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", text)
    return float(match.group(1)) if match else (1.0 if not text.strip() else 0.0)
