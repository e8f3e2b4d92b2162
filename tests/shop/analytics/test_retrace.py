"""Steps and visitors' days are what the events say, whatever happens to these; and a nightly look finds it if not."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.behaviour.retrace import retrace
from shop.analytics.behaviour.visitors import visitors

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def happen(db: Database, visitor: str, at: datetime, name: str = "product_view", *, bot: int = 0) -> str:
    event_id = str(uuid.uuid4())
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, bot_score,"
            " fingerprint) VALUES (%(id)s, %(name)s, 'web', %(at)s, %(at)s, %(at)s, 'as_sent', %(visitor)s, %(bot)s, 0)",
            {"id": event_id, "name": name, "at": at, "visitor": visitor, "bot": bot},
        )
        tx.execute(
            "INSERT INTO event_hours (hour, name, human, events) VALUES (date_trunc('hour', %(at)s::timestamptz),"
            " %(name)s, %(bot)s < 50, 1) ON CONFLICT (hour, name, human) DO UPDATE SET events = event_hours.events + 1",
            {"name": name, "at": at, "bot": bot},
        )
    return event_id


def done(db: Database, statement: str, **values: Any) -> list[Any]:
    with db.transaction() as tx:
        cursor = tx.execute(statement, values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def equal(db: Database) -> None:
    """Both ways to count visitors agree, and each step has its event."""
    kept, counted = (visitors(db, BERLIN, first=FIRST, last=LAST, source=one) for one in (None, "events"))
    assert kept == counted
    wanted = done(db, "SELECT event_id FROM events WHERE bot_score < 50 AND is_step(name) ORDER BY 1")
    assert done(db, "SELECT event_id FROM steps ORDER BY 1") == wanted


def test_what_was_there_before_is_filled_in_and_then_there_is_nothing_to_mend(db: Database) -> None:
    for day in (0, 1, 9):
        happen(db, "ann", NOON - timedelta(days=day))
    happen(db, "bob", NOON, "page_view")
    happen(db, "robot", NOON, bot=90)
    done(db, "DELETE FROM steps")
    first = retrace(db, BERLIN, now=NOON)
    assert (first["missing"], first["extra"]) == (3, 0)
    assert first["days"] > 0
    again = retrace(db, BERLIN, everything=True, now=NOON)
    assert (again["missing"], again["extra"], again["days"]) == (0, 0, 0)
    equal(db)
    assert visitors(db, BERLIN, first=FIRST, last=LAST).whole == 2


def test_an_event_that_comes_late_goes_or_turns_out_to_be_a_machines_is_followed_at_once(db: Database) -> None:
    retrace(db, BERLIN, now=NOON)
    ids = [happen(db, "ann", NOON - timedelta(days=day)) for day in (0, 0, 3)]
    equal(db)
    done(db, "DELETE FROM events WHERE event_id = %(id)s", id=ids[0])
    equal(db)
    assert visitors(db, BERLIN, first=NOON.date(), last=NOON.date()).whole == 1
    done(db, "UPDATE events SET bot_score = 90 WHERE event_id = %(id)s", id=ids[1])
    equal(db)
    assert visitors(db, BERLIN, first=NOON.date(), last=NOON.date()).whole == 0
    done(db, "DELETE FROM events WHERE visitor_id = 'ann'")
    equal(db)
    assert done(db, "SELECT count(*) FROM visitor_days") == [(0,)]


def test_damage_is_found_and_mended(db: Database) -> None:
    retrace(db, BERLIN, now=NOON)
    lost, _kept = happen(db, "ann", NOON), happen(db, "ann", NOON - timedelta(days=2))
    done(db, "DELETE FROM steps WHERE event_id = %(id)s", id=lost)
    done(db, "INSERT INTO steps (ts, event_id, visitor, name) VALUES (%(at)s, gen_random_uuid(), 1, 'search')", at=NOON)
    done(db, "UPDATE visitor_days SET days = 1::bigint << 62")
    found = retrace(db, BERLIN, everything=True, now=NOON)
    assert (found["missing"], found["extra"]) == (1, 1)
    assert found["days"] > 0
    equal(db)


def test_a_day_too_many_is_taken_from_a_visitor_whose_other_days_of_the_week_are_right(db: Database) -> None:
    retrace(db, BERLIN, now=NOON)
    happen(db, "ann", NOON)
    done(
        db,
        "UPDATE visitor_days SET days = days | (1::bigint << (visit_day(%(at)s, 'Europe/Berlin') %% 63))",
        at=NOON - timedelta(days=1),
    )
    assert retrace(db, BERLIN, now=NOON)["days"] == 1
    assert retrace(db, BERLIN, now=NOON)["days"] == 0
    equal(db)


def test_days_are_cut_anew_in_another_zone(db: Database) -> None:
    retrace(db, BERLIN, now=NOON)
    late = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    happen(db, "ann", late)
    assert visitors(db, BERLIN, first=date(2026, 11, 18), last=date(2026, 11, 18)).whole == 1
    utc = ZoneInfo("UTC")
    retrace(db, utc, now=NOON)
    for source in (None, "events"):
        found = visitors(db, utc, first=date(2026, 11, 16), last=date(2026, 11, 18), source=source)
        assert [day.visitors for day in found.days] == [0, 1, 0]
