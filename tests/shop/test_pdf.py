"""Drawing: the same bytes each time, nothing fetched, and a clear word where fonts are missing."""

import hashlib
import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from shop.pages import day, figure, fill, oneline, price
from shop.pdf import Twin, draw

ROOT = Path(__file__).parents[2]
MOMENT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PAGE = "<!doctype html><html lang=en><title>A page</title><h1>Hello</h1><p>Ελλάδα, Україна, 12 €</p>"


def drawn_elsewhere(variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    code = (
        "import hashlib; from datetime import UTC, datetime; from shop.pdf import draw;"
        f"print(hashlib.sha256(draw({PAGE!r}, identity='one', made_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC)))"
        ".hexdigest())"
    )
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_the_same_page_is_the_same_bytes_in_this_process_and_in_another() -> None:
    first = draw(PAGE, identity="one", made_at=MOMENT)
    assert draw(PAGE, identity="one", made_at=MOMENT) == first
    other = drawn_elsewhere({"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"})
    assert other.stdout.strip() == hashlib.sha256(first).hexdigest()
    assert draw(PAGE, identity="two", made_at=MOMENT) != first


def test_a_twin_travels_inside_with_a_time_of_its_own_that_never_changes() -> None:
    twin = Twin("invoice.xml", "text/xml", b"<invoice/>", "The same for machines")
    first = draw(PAGE, identity="one", made_at=MOMENT, twins=[twin])
    assert draw(PAGE, identity="one", made_at=MOMENT, twins=[twin]) == first
    assert PdfReader(io.BytesIO(first)).attachments["invoice.xml"] == [b"<invoice/>"]


def test_a_pdf_is_for_the_archive_and_for_screen_readers() -> None:
    reader = PdfReader(io.BytesIO(draw(PAGE, identity="one", made_at=MOMENT)))
    root: Any = reader.trailer["/Root"]
    described = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in described or 'pdfaid:part="3"' in described
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == "A page"
    assert reader.metadata.creation_date == MOMENT
    fonts: Any = reader.pages[0]["/Resources"]["/Font"]  # pyright: ignore[reportIndexIssue]
    for font in fonts.values():
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


@pytest.mark.parametrize("address", ["file:///etc/hostname", "http://127.0.0.1:9/x.png", "//127.0.0.1/x", "x.png"])
def test_nothing_is_fetched_while_drawing(address: str) -> None:
    page = f'{PAGE}<img src="{address}"><link rel=stylesheet href="{address}"><link rel=attachment href="{address}">'
    drawn = PdfReader(io.BytesIO(draw(page, identity="one", made_at=MOMENT)))
    assert list(drawn.pages[0].images) == []
    assert drawn.attachments == {}
    assert "Hello" in drawn.pages[0].extract_text()


def test_a_machine_without_fonts_says_what_to_install_instead_of_dying(tmp_path: Path) -> None:
    empty = tmp_path / "fonts.conf"
    empty.write_text(
        f'<?xml version="1.0"?><fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}</cachedir></fontconfig>'
    )
    outcome = drawn_elsewhere({"FONTCONFIG_FILE": str(empty)})
    assert outcome.returncode == 1, outcome.stderr
    assert "CannotDraw" in outcome.stderr
    assert "apt-get install" in outcome.stderr


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (129900, "eur", "1,299.00"),
        (-5, "eur", "−0.05"),
        (1500, "jpy", "1,500"),
        (1500, "kwd", "1.500"),
        (0, "eur", "0.00"),
    ],
)
def test_money_is_written_with_the_decimals_of_its_currency(amount: int, currency: str, written: str) -> None:
    assert figure(amount, currency) == written
    assert price(amount, currency) == f"{currency.upper()}\N{NO-BREAK SPACE}{written}"


def test_days_are_written_out_and_names_stay_on_one_line() -> None:
    assert day("2026-11-03") == "3 November 2026"
    assert day(MOMENT) == "23 November 2026"
    assert oneline("a\r\nb\u2028c\u202ed") == "a b c d"


def test_markup_is_escaped_in_pages_and_left_alone_in_plain_text(tmp_path: Path) -> None:
    for name in ("page.html", "page.txt"):
        (tmp_path / name).write_text("{{ name }}")
    assert fill(tmp_path, "page.html", name="<b>&</b>") == "&lt;b&gt;&amp;&lt;/b&gt;"
    assert fill(tmp_path, "page.txt", name="<b>&</b>") == "<b>&</b>"


def test_a_value_that_nobody_gave_is_an_error_not_a_hole_in_a_document(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ missing }}")
    with pytest.raises(Exception, match="missing"):
        fill(tmp_path, "page.html")
