"""From a frozen snapshot to the stored PDF, once; the first run to store it also says what follows."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.documents.language import Language
from shop.documents.queries import issue
from shop.documents.queries.issue import DocumentRow
from shop.documents.seller import Logo, Seller
from shop.documents.snapshot import Snapshot
from shop.documents.twin import twin
from shop.pages import SHARED, fill
from shop.pdf import PAPER, draw, library

TEMPLATES = Path(__file__).parent / "templates"


def store_paper(db: Database, document: DocumentRow, *, mail: str, subject_id: str) -> None:
    """Draw the document and stage its mail of kind `mail` about `subject_id`; nothing happens if that was done before.

    Drawing takes up to seconds and happens outside any transaction. Two runs at once draw the same bytes; one of them
    stores them, and only that one stages the mail.
    """
    with db.transaction() as tx:
        if issue.has_file(tx, document.id):
            return
        logo = logo_of(tx, document.snapshot)
    pdf = paper(document.snapshot, document.snapshot_sha256, logo)
    digest = hashlib.sha256(pdf).digest()
    with db.transaction() as tx:
        if issue.insert_file(tx, document.id, pdf=pdf, sha256=digest, drawn_with=drawn_with()):
            outbox.stage(tx, jobs.SEND_MAIL, unique_key=f"mail:{mail}:{subject_id}", kind=mail, subject_id=subject_id)


def paper(snapshot: Snapshot, digest: bytes, logo: Logo | None = None) -> bytes:
    """The PDF of a snapshot: the same bytes each time, on machines with the same fonts and libraries (`drawn_with`)."""
    kind, language = str(snapshot["kind"]), Language(snapshot["locale"])
    running = f"{language.say(f'paper.{kind}')} {snapshot['number']}"
    html = fill(
        TEMPLATES,
        f"{kind}.html",
        paper=snapshot,
        seller=snapshot["seller"],
        title=running,
        running=running,
        language=language,
        say=partial(_said, language),
        logo=_data_address(logo) if logo else "",
    )
    machine = twin(snapshot)
    made_at = datetime.fromisoformat(snapshot["issued_at"])
    return draw(html, identity=digest.hex(), made_at=made_at, twins=[machine] if machine else [])


def keep_logo(tx: Tx, seller: Seller) -> None:
    """Before a document is issued that names it."""
    if seller.logo is not None:
        logo = seller.logo
        issue.keep_logo(tx, sha256=logo.sha256, media_type=logo.media_type, content=logo.content)


def logo_of(tx: Tx, snapshot: Snapshot) -> Logo | None:
    """The picture that the document was issued with."""
    name = snapshot["seller"].get("logo", "")
    row = issue.logo(tx, bytes.fromhex(name)) if name else None
    return Logo(row.media_type, row.content) if row else None


@cache
def drawn_with() -> str:
    """The drawing library and a digest of the templates, the style and the words: what the bytes depend on, beside
    the fonts of the machine."""
    return f"{library()} {_digest_of(_sources())}"


def _sources() -> Sequence[Path]:
    here = Path(__file__).parent
    return sorted([*TEMPLATES.glob("*"), *(here / "languages").glob("*.toml"), SHARED / "paper.html", PAPER])


def _digest_of(paths: Sequence[Path]) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths if path.is_file())).hexdigest()[:16]


def _said(language: Language, key: str, **values: object) -> str:
    return language.say(f"paper.{key}", **values)


def _data_address(logo: Logo) -> str:
    return f"data:{logo.media_type};base64,{base64.b64encode(logo.content).decode()}"
