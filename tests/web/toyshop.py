"""A shop of two routes to try the foundation on: it keeps notes in a table of its own."""

import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Annotated

from flask import Response
from pydantic import Field

from db.database import Database
from shop.errors import NotYet, Rejected
from web.access import ANYONE, CUSTOMER, OWNER_OR_SUPPORT, PUBLIC, SUPPORT, VISITOR, only
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.limiting import Limit
from web.models import In, Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.routes import Group
from web.streams import Event, TooManyStreams, stream

GATE = threading.Event()
"""Slow handlers wait for it."""

INSIDE = threading.Event()
"""Set by a slow handler once it is at work."""


class Blank(Rejected):
    code = "note_blank"
    status = 409


class Busy(NotYet):
    code = "note_busy"


class NewNote(In):
    text: Annotated[str, Field(min_length=1, max_length=100)]
    stars: int = 0
    tags: list[str] = Field(default_factory=list, max_length=5)


class NoteBody(Out):
    id: int
    owner: str
    text: str
    settled: bool
    reason: Maybe[str] = None


class Seen(Out):
    sub: str | None
    visitor_id: str | None
    request_id: str


class When(Out):
    at: Time
    nothing: str | None = None


class Count(Out):
    count: int


class Counting:
    """A source that has one event a look and ends when the gate opens."""

    def __init__(self) -> None:
        self.count = 0
        self.ended = False

    def news(self) -> Iterable[Event]:
        self.count += 1
        self.ended = GATE.is_set()
        return [Event("count", Count(count=self.count), id=str(self.count))]


class NoteFilter(Paged):
    settled: bool | None = None


def make_table(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute(
            "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, owner text, text text, settled boolean DEFAULT false)"
        )


def insert(db: Database, owner: str, text: str) -> NoteBody:
    with db.transaction() as tx:
        row = tx.execute(
            "INSERT INTO notes (owner, text) VALUES (%s, %s) RETURNING id, owner, text, settled", (owner, text)
        ).fetchone()
    assert row is not None
    return NoteBody(id=row[0], owner=row[1], text=row[2], settled=row[3])


def read(db: Database, note_id: int) -> NoteBody:
    with db.transaction() as tx:
        row = tx.execute("SELECT id, owner, text, settled FROM notes WHERE id = %s", (note_id,)).fetchone()
    assert row is not None
    return NoteBody(id=row[0], owner=row[1], text=row[2], settled=row[3])


def count(db: Database) -> int:
    with db.transaction() as tx:
        row = tx.execute("SELECT count(*) FROM notes").fetchone()
    assert row is not None
    return row[0]


def settle(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute("UPDATE notes SET settled = true")


def reword(db: Database, text: str) -> None:
    with db.transaction() as tx:
        tx.execute("UPDATE notes SET text = %(text)s", {"text": text})


def group() -> Group:
    toys = Group("Toys", "To try the foundation.")

    @toys.route(
        "POST",
        "/toys/notes",
        who=CUSTOMER,
        keyed=True,
        waits=True,
        answers={202: NoteBody, 201: NoteBody},
        max_body=2000,
    )
    def write(call: Call, body: NewNote) -> Answer:
        """Write a note."""
        note = insert(call.db, call.customer_id, body.text)
        if body.text == "blank":
            raise Blank("a note that says blank says nothing")
        if body.text == "busy":
            raise Busy("later", retry_after_s=7.2)
        if body.text == "bug":
            raise ZeroDivisionError("secret detail of a bug")
        if body.text == "slow":
            INSIDE.set()
            GATE.wait(5)
        return accepted(
            note,
            location=f"/toys/notes/{note.id}",
            settling=Settling(
                load=lambda db: read(db, note.id),
                settled=lambda found: found.settled,
                answer=lambda found: Answer(found, 201, location=f"/toys/notes/{found.id}"),
            ),
        )

    @toys.route(
        "POST", "/toys/notes/{note_id}/seal", who=only("customer", "admin"), keyed=True, answers={200: NoteBody}
    )
    def seal(call: Call, note_id: str) -> NoteBody:
        """Seal a note."""
        return NoteBody(id=int(note_id), owner=call.customer_id, text="sealed", settled=True)

    @toys.route("GET", "/toys/notes/{note_id}", who=OWNER_OR_SUPPORT, answers={200: NoteBody})
    def show(call: Call, note_id: str) -> NoteBody:
        """A note."""
        note = read(call.db, int(note_id))
        call.must_own(note.owner)
        return note

    @toys.route("GET", "/toys/notes", who=SUPPORT, answers={200: Page[NoteBody]})
    def listed(call: Call, query: NoteFilter) -> Page[NoteBody]:
        """Notes."""
        after = query.after_id()
        rows = [
            NoteBody(id=n, owner="x", text=str(n), settled=True)
            for n in range(45, 0, -1)
            if after is None or n < int(after)
        ]
        return page_of(rows[: query.limit + 1], query.limit, body=lambda row: row, place=lambda row: (str(row.id),))

    @toys.route("GET", "/toys/me", who=ANYONE, answers={200: Seen})
    def seen_as(call: Call) -> Seen:
        """Who asks."""
        return Seen(sub=call.caller.sub, visitor_id=call.caller.visitor_id, request_id=call.request_id)

    @toys.route("GET", "/toys/visit", who=VISITOR, answers={200: Seen})
    def visit(call: Call) -> Seen:
        """Who visits."""
        return Seen(sub=call.caller.sub, visitor_id=call.caller.visitor_id, request_id=call.request_id)

    @toys.route("GET", "/toys/open", who=PUBLIC, answers={200: When})
    def opened(_call: Call) -> When:
        """Anyone."""
        return When(at=datetime(2026, 11, 23, 15, 4, 5, 123456, timezone(timedelta(hours=1))))

    @toys.route(
        "POST",
        "/toys/raw",
        who=PUBLIC,
        answers={200: "text/plain"},
        accepts=("text/plain", "application/json"),
        gzip=True,
        max_body=1000,
    )
    def raw_body(_call: Call, raw: bytes) -> Response:
        """Bytes."""
        return Response(raw[::-1], content_type="text/plain")

    @toys.route("GET", "/toys/rare", who=ANYONE, answers={200: Seen}, limit=Limit(3, per_s=60))
    def rare(call: Call) -> Seen:
        """Three a minute."""
        return Seen(sub=call.caller.sub, visitor_id=None, request_id=call.request_id)

    @toys.route("GET", "/toys/wait", who=PUBLIC, answers={200: NoteBody}, waits=True)
    def waits(call: Call) -> Answer:
        """Never settles."""
        return call.settled(
            Settling(
                load=lambda _db: NoteBody(id=1, owner="x", text=str(time.monotonic()), settled=GATE.is_set()),
                settled=lambda found: found.settled,
                answer=Answer,
            )
        )

    @toys.route("GET", "/toys/stream", who=PUBLIC, answers={200: "text/event-stream"}, errors=(TooManyStreams,))
    def streamed(call: Call) -> Response:
        """Counts until the gate opens."""
        return stream(call, Counting())

    return toys
