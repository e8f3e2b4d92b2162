"""What a person may ask for: a copy of what is known of them, and that it is forgotten. Jobs do the work."""

import gzip
from datetime import timedelta
from typing import Literal

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.analytics.queries import inbox
from shop.analytics.queries import privacy as queries
from shop.analytics.queries.privacy import Browsers, Request
from shop.errors import NotFound, NotYet, Rejected
from shop.ids import new_id
from shop.ports.events import EventStream

Kind = Literal["export", "erasure"]

CLOCKS_APART = timedelta(seconds=5)
"""Redis' clock says when a batch came, PostgreSQL's when the request did."""


class NobodyNamed(Rejected):
    """Neither a customer nor a visitor was named."""

    code = "invalid_request"
    status = 422


class OnTheWay(NotYet):
    """What came before the request is not all stored, and would be missed."""

    code = "events_on_the_way"

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after_s=2, spends_attempt=False)


def ask(db: Database, *, kind: Kind, customer_id: str | None, visitor_id: str | None, asked_by: str) -> str:
    """Answers the id of the job. Raises NobodyNamed."""
    if not customer_id and not visitor_id:
        raise NobodyNamed("name a customer_id or a visitor_id")
    request_id = new_id("prv")
    job = jobs.EXPORT_PERSON if kind == "export" else jobs.ERASE_PERSON
    with db.transaction() as tx:
        queries.insert(
            tx,
            request_id=request_id,
            kind=kind,
            customer_id=customer_id,
            visitor_id=visitor_id,
            asked_by=asked_by,
        )
        return outbox.stage(tx, job, unique_key=f"privacy {request_id}", request_id=request_id)


def document(db: Database, request_id: str) -> tuple[str, bytes]:
    """Who asked for the export, and its JSON. Raises NotFound, also while it is made and when it was deleted again."""
    with db.transaction() as tx:
        found = queries.document(tx, request_id)
    if found is None:
        raise NotFound(f"there is no document of {request_id}; they are kept for a week")
    return found[0], gzip.decompress(found[1])


def known(tx: Tx, request_id: str) -> Request:
    """The request, locked. Raises NotFound."""
    found = queries.request(tx, request_id)
    if found is None:
        raise NotFound(f"there is no request {request_id}")
    return found


def wait_for_what_came_before(tx: Tx, stream: EventStream, asked: Request) -> None:
    """Raises OnTheWay while a batch that came before the request is not stored: another drain may be holding it."""
    came = [one for one in (stream.oldest(), inbox.oldest(tx)) if one is not None]
    if any(one < asked.created_at + CLOCKS_APART for one in came):
        raise OnTheWay("events that came before the request are still being stored")


def browsers_of(tx: Tx, asked: Request) -> Browsers:
    """Of the customer, and the one that was named."""
    found = queries.browsers(tx, asked.customer_id) if asked.customer_id else Browsers([], [])
    if asked.visitor_id and asked.visitor_id not in found.own:
        return Browsers([*found.own, asked.visitor_id], [one for one in found.shared if one != asked.visitor_id])
    return found
