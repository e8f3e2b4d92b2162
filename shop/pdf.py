"""Draws a PDF from HTML and the shop's paper style; the one place that knows WeasyPrint.

The same HTML, identity and time give the same bytes on machines with the same fonts and libraries, so that an issued
document can be proven by its digest.
"""

import logging
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

PAPER = Path(__file__).parent / "paper.css"
"""The look that all paper of the shop shares: page, footer, type, tables of money."""

VARIANT = "pdf/a-3b"
"""Archive form with embedded fonts and room for a machine-readable twin. Tags for screen readers are written as well,
though level `a`, which would promise that they are complete, is not claimed: nothing here can check that."""

XMP_OF_TWIN = Path(__file__).parent / "templates" / "twin.xmp"

MISSING_LIBRARIES = (
    "PDFs need Pango and one font, and this machine lacks them. On Debian and Ubuntu: "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
)


_of_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Twin:
    """A file that travels inside the PDF, such as the same invoice for machines."""

    name: str
    media_type: str
    content: bytes
    description: str
    conformance: str = ""
    """The profile of Factur-X it follows, said in the file's own description; empty for any other attachment."""


class CannotDraw(RuntimeError):
    """This machine lacks what drawing needs; the message says what to install."""


def draw(html: str, *, identity: str, made_at: datetime, twins: Sequence[Twin] = ()) -> bytes:
    """The PDF as bytes. `identity` goes into the file's identifier, `made_at` (aware) is its only date.

    Nothing is fetched while drawing: neither a network address nor a file of this machine can get into a document
    through a hostile product name. Raises CannotDraw where Pango or fonts are missing.
    """
    weasyprint = _weasyprint()
    fonts = _fonts()
    options = {"pdf_variant": VARIANT, "pdf_tags": True, "pdf_identifier": identity.encode()}
    page = weasyprint.HTML(string=html, url_fetcher=_data_only(), base_url=None)
    document = page.render(
        font_config=fonts, stylesheets=[weasyprint.CSS(string=_paper(), url_fetcher=_data_only())], **options
    )
    # WeasyPrint would write the time of drawing; the paper's own time is the time of issue.
    document.metadata.created = document.metadata.modified = _w3c(made_at)
    for twin in twins:
        if twin.conformance:
            _describe(document.metadata, twin)
    attachments = [_attachment(twin, made_at) for twin in twins]
    return document.write_pdf(attachments=attachments, **options)


def library() -> str:
    """Name and version of what draws; other versions may draw other bytes."""
    return f"WeasyPrint {_weasyprint().__version__}"


def _describe(metadata: Any, twin: Twin) -> None:
    # Into the one rdf:RDF that is there: readers of XMP look at the first only.
    written = metadata.generate_rdf_metadata
    text = XMP_OF_TWIN.read_text(encoding="utf-8").format(name=twin.name, conformance=twin.conformance)

    def with_twin(*about: Any) -> bytes:
        return written(*about).replace(b"</rdf:RDF>", text.encode() + b"</rdf:RDF>")

    metadata.generate_rdf_metadata = with_twin


@cache
def _weasyprint() -> ModuleType:
    # Loaded at first use: only the documents worker draws, and the library costs half a second and 60 MB.
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            import weasyprint  # noqa: PLC0415
        except OSError as error:
            raise CannotDraw(MISSING_LIBRARIES) from error
    # Without any font it only warns here, and then brings the whole process down while drawing.
    if any("FontConfig" in str(warning.message) for warning in told):
        raise CannotDraw(MISSING_LIBRARIES)
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    return weasyprint


def _fonts() -> object:
    # A set of fonts per drawing is never quite given back: 300 KB a document. One per thread, since Pango's fonts
    # cannot be shared between threads.
    if not hasattr(_of_thread, "fonts"):
        _of_thread.fonts = _weasyprint().text.fonts.FontConfiguration()
    return _of_thread.fonts


def _data_only() -> object:
    return _weasyprint().URLFetcher(allowed_protocols=("data",))


@cache
def _paper() -> str:
    return PAPER.read_text(encoding="utf-8")


def _attachment(twin: Twin, made_at: datetime) -> object:
    # Its times are fixed too, or two drawings of one document would differ.
    moment = made_at.astimezone(UTC)
    return _weasyprint().Attachment(
        string=twin.content,
        name=twin.name,
        description=twin.description,
        created=moment,
        modified=moment,
        relationship="Alternative",
    )


def _w3c(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
