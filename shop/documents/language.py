"""The words of documents and mails in one language, and money and days as people there write them."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from markupsafe import Markup

from shop.locales import LANGUAGES
from shop.money import decimals
from shop.pages import oneline

FOLDER = Path(__file__).parent / "languages"

BEFORE_REGIONS = MappingProxyType({"en": "en_GB"})
"""Where a language alone would write as one country does, the way most of the world reads it: day before month."""

_TOUCHING = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")

_BOLD = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True, slots=True)
class Language:
    """`locale` as in `de_AT`; the words are those of its language, figures and days those of its region."""

    locale: str

    @property
    def tag(self) -> str:
        """As HTML and PDF name it: `de-AT`."""
        return self.locale.replace("_", "-")

    def say(self, key: str, **values: Any) -> str:
        """Plain text; values are kept to one line. Raises KeyError for a key that no language has."""
        plain = _BOLD.sub(r"\1", self._word(key))
        return plain.format(**{name: oneline(str(value)) for name, value in values.items()})

    def html(self, key: str, **values: Any) -> Markup:
        """The same as markup, values escaped."""
        pieces = _BOLD.split(self._word(key))
        written = [Markup(piece).format(**values) for piece in pieces]  # noqa: S704 - our own words, values are escaped
        bold = Markup("<strong>{}</strong>")
        return Markup("").join(bold.format(piece) if place % 2 else piece for place, piece in enumerate(written))

    def price(self, minor: int, currency: str) -> str:
        """`129900, "eur"` → `€1,299.00`, `1.299,00 €`, …"""
        written = format_currency(
            _decimal(minor, currency),
            currency.upper(),
            format=_pattern(self._region, decimals(currency)),
            locale=self._region,
            currency_digits=False,
        )
        # CLDR wants a space between a code of letters and a figure, which Babel leaves out.
        return _TOUCHING.sub("\N{NO-BREAK SPACE}", written).replace("-", "−")

    def figure(self, minor: int, currency: str) -> str:
        """The same without the currency, for columns that name it in their head."""
        places = decimals(currency)
        written = format_decimal(
            _decimal(minor, currency), format=f"#,##0.{'0' * places}" if places else "#,##0", locale=self._region
        )
        return written.replace("-", "−")

    def percent(self, rate: str) -> str:
        """`19` → `19%`, `19 %`, …"""
        return format_percent(Decimal(rate) / 100, format=_percents(self._region), locale=self._region)

    def day(self, value: str | date) -> str:
        """`2026-11-23` → `23 November 2026`, `23. November 2026`, …"""
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return format_date(moment, format="long", locale=self._region)

    def country(self, code: str) -> str:
        """`DE` → `Germany`; anything that is no code of a country stays as it was given."""
        names: Mapping[str, str] = Locale.parse(self.locale).territories
        return names.get(code.strip().upper(), code) if len(code.strip()) == 2 else code

    @property
    def _region(self) -> str:
        return BEFORE_REGIONS.get(self.locale, self.locale)

    def _word(self, key: str) -> str:
        return _words(self.locale.partition("_")[0])[key]


@cache
def _words(language: str) -> Mapping[str, str]:
    """`section.name` → words. Raises KeyError for a language that has no file."""
    if language not in LANGUAGES:
        raise KeyError(f"the shop does not write {language!r}")
    sections = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    words = {f"{section}.{name}": word for section, named in sections.items() for name, word in named.items()}
    return MappingProxyType(words)


@cache
def _pattern(locale: str, places: int) -> str:
    """The locale's own way to write money, with the decimals that payment providers count in."""
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    return re.sub(r"0\.0+", f"0.{'0' * places}" if places else "0", pattern)


@cache
def _percents(locale: str) -> str:
    """The locale's way to write a rate, with a fraction only where it has one."""
    pattern = Locale.parse(locale).percent_formats[None].pattern
    return re.sub(r"#,##0", "#,##0.##", pattern)


def _decimal(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-decimals(currency))
