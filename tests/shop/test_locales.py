"""Which language a customer is written in."""

import pytest

from shop.locales import known_locale, wished_locale


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de_AT"),
        ("pt-BR, fr;q=0.4, es;q=0.7", "es"),
        ("en", "en"),
        ("en-us", "en_US"),
        ("de-DE-x-what, fr", "fr"),
        ("nl, pt", None),
        ("*", None),
        ("de;q=0, fr;q=0.1", "fr"),
        ("", None),
        (None, None),
        ("de;q=nonsense, es", "es"),
        ("fr-ZZ", "fr"),
        ("," * 5000, None),
    ],
)
def test_the_first_language_that_the_shop_writes_is_taken(header: str | None, locale: str | None) -> None:
    assert wished_locale(header) == locale


@pytest.mark.parametrize(
    ("name", "locale"), [("de_CH", "de_CH"), ("DE", "de"), ("xx", None), ("", None), ("es-419", None)]
)
def test_a_locale_is_known_by_its_language(name: str, locale: str | None) -> None:
    assert known_locale(name) == locale
