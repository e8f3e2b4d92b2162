"""From a frozen snapshot to the stored PDF, once; the first run to store it also says what follows."""

import hashlib
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from db import outbox
from db.database import Database
from shop import jobs
from shop.documents.queries import issue
from shop.documents.queries.issue import DocumentRow
from shop.documents.snapshot import Snapshot
from shop.pages import fill
from shop.pdf import draw

TEMPLATES = Path(__file__).parent / "templates"

TITLES = MappingProxyType({"invoice": "Invoice", "credit_note": "Credit note"})


def store_paper(db: Database, document: DocumentRow, *, mail: str, subject_id: str) -> None:
    """Draw the document and stage its mail of kind `mail` about `subject_id`; nothing happens if that was done before.

    Drawing takes up to seconds and happens outside any transaction. Two runs at once draw the same bytes; one of them
    stores them, and only that one stages the mail.
    """
    with db.transaction() as tx:
        if issue.has_file(tx, document.id):
            return
    pdf = paper(document.snapshot, document.snapshot_sha256)
    with db.transaction() as tx:
        if issue.insert_file(tx, document.id, pdf=pdf, sha256=hashlib.sha256(pdf).digest()):
            outbox.stage(tx, jobs.SEND_MAIL, unique_key=f"mail:{mail}:{subject_id}", kind=mail, subject_id=subject_id)


def paper(snapshot: Snapshot, digest: bytes) -> bytes:
    """The PDF of a snapshot: the same bytes each time, on machines with the same fonts."""
    kind = str(snapshot["kind"])
    running = f"{TITLES[kind]} {snapshot['number']}"
    html = fill(TEMPLATES, f"{kind}.html", paper=snapshot, seller=snapshot["seller"], title=running, running=running)
    return draw(html, identity=digest.hex(), made_at=datetime.fromisoformat(snapshot["issued_at"]))
