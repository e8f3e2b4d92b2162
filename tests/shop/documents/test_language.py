"""Every language says everything, with the same values in it, and writes money and days as its readers do."""

import string
import tomllib
from pathlib import Path

import pytest
from markupsafe import Markup

from shop.documents.language import FOLDER, Language
from shop.documents.letters import WRITERS
from shop.locales import LANGUAGES

EN = {
    f"{section}.{name}": word
    for section, words in tomllib.loads((FOLDER / "en.toml").read_text(encoding="utf-8")).items()
    for name, word in words.items()
}


def values_in(word: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(word) if name}


def test_each_language_has_its_file_and_no_file_is_of_another() -> None:
    assert {path.stem for path in FOLDER.glob("*")} == set(LANGUAGES)


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_has_every_word_with_the_same_values_and_none_that_nobody_knows(name: str) -> None:
    words = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    flat = {f"{section}.{key}": word for section, said in words.items() for key, word in said.items()}
    assert flat.keys() == EN.keys()
    for key, word in flat.items():
        assert word.strip(), key
        assert values_in(word) == values_in(EN[key]), key
        assert word.count("**") % 2 == 0, key


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path("shop/documents").rglob("*") if path.is_file()
               and path.suffix in {".py", ".html", ".txt", ".xml"}]  # fmt: skip
    together = "\n".join(sources)
    kinds = {key.partition(".")[0] for key in EN} - {"paper", "mail"}
    assert kinds <= set(WRITERS)
    for key in EN:
        section, _, name = key.partition(".")
        if section in ("paper", "mail"):
            stem = name.removesuffix("_gross").removesuffix("_net")
            assert stem in together, f"nobody says {key}"


@pytest.mark.parametrize(
    ("locale", "price", "yen", "dinar", "percent", "day"),
    [
        ("en_GB", "€1,299.00", "JP¥1,500", "KWD 1.500", "5.5%", "23 November 2026"),
        ("en", "€1,299.00", "JP¥1,500", "KWD 1.500", "5.5%", "23 November 2026"),
        ("en_US", "€1,299.00", "¥1,500", "KWD 1.500", "5.5%", "November 23, 2026"),
        ("de", "1.299,00 €", "1.500 ¥", "1,500 KWD", "5,5 %", "23. November 2026"),
        ("fr", "1 299,00 €", "1 500 JPY", "1,500 KWD", "5,5 %", "23 novembre 2026"),
        ("es", "1.299,00 €", "1.500 JPY", "1,500 KWD", "5,5 %", "23 de noviembre de 2026"),
    ],
)
def test_money_rates_and_days_are_written_as_people_there_write_them(
    locale: str, price: str, yen: str, dinar: str, percent: str, day: str
) -> None:
    language = Language(locale)
    shown = [language.price(129900, "eur"), language.price(1500, "jpy"), language.price(1500, "kwd")]
    plain = [" ".join(text.split()) for text in (*shown, language.percent("5.5"), language.day("2026-11-23"))]
    assert plain == [price, yen, dinar, percent, day]


def test_a_minus_is_a_minus_and_a_figure_has_the_decimals_of_its_currency() -> None:
    assert Language("en").figure(-129900, "eur") == "−1,299.00"
    assert Language("de").figure(129900, "jpy") == "129.900"
    assert Language("en").price(-5, "eur") == "−€0.05"


def test_values_are_escaped_in_markup_and_kept_to_one_line_in_text() -> None:
    assert Language("en").html("order_paid.note", paper="<b>1") == Markup(
        "Your invoice <strong>&lt;b&gt;1</strong> is attached as a PDF."
    )
    assert Language("en").say("order_paid.note", paper="a\nb") == "Your invoice a b is attached as a PDF."


def test_a_country_is_named_in_the_readers_language() -> None:
    assert (Language("de").country("FR"), Language("es").country("de")) == ("Frankreich", "Alemania")
    assert Language("en").country("Atlantis") == "Atlantis"
