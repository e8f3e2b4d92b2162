"""The clock: every slot gets one job, whoever leads, whatever was missed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from db import job_rows, leases
from db.database import Database
from scheduler.clock import ALL_LIMIT, LEASE, LEASE_S, Clock, missed_slots
from scheduler.timetable import Entry
from shop import jobs
from shop.operations.jobs import timetable

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTLY = Entry(jobs.NIGHTLY_REPORT, cron="10 2 * * *", dated=True, missed="all")
EACH_MINUTE = Entry(jobs.REFRESH_TRENDING, cron="* * * * *")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def staged(db: Database, name: str) -> list[dict[str, object]]:
    with db.transaction() as tx:
        jobs_staged = job_rows.page(tx, states=["staged"], name=name, limit=99)
    # By what they are about: ids made within one millisecond have no order.
    return sorted((row.args for row in jobs_staged), key=str)


def leading(db: Database) -> Clock:
    clock = Clock(db, BERLIN, timetable=())
    clock.renew()
    return clock


def test_a_schedule_never_seen_before_has_missed_nothing(db: Database) -> None:
    clock = leading(db)
    assert clock.stage_due(NIGHTLY, at("2026-11-20T12:00:00")) == []
    assert staged(db, "analytics.report") == []


def test_each_missed_night_gets_its_own_day_once(db: Database) -> None:
    clock = leading(db)
    clock.stage_due(NIGHTLY, at("2026-11-19T12:00:00"))
    clock.stage_due(NIGHTLY, at("2026-11-22T12:00:00"))
    clock.stage_due(NIGHTLY, at("2026-11-22T12:00:01"))
    assert staged(db, "analytics.report") == [{"day": "2026-11-19"}, {"day": "2026-11-20"}, {"day": "2026-11-21"}]


def test_of_missed_minutes_only_the_latest_is_caught_up(db: Database) -> None:
    clock = leading(db)
    clock.stage_due(EACH_MINUTE, at("2026-11-22T12:00:30"))
    assert clock.stage_due(EACH_MINUTE, at("2026-11-22T13:00:30")) == [at("2026-11-22T13:00:00")]
    assert len(staged(db, "analytics.trending")) == 1


def test_a_long_absence_is_caught_up_only_for_the_newest_nights() -> None:
    slots = missed_slots(NIGHTLY, at("2026-01-01T00:00:00"), at("2026-11-22T12:00:00"), BERLIN)
    assert len(slots) == ALL_LIMIT
    assert slots[-1] == at("2026-11-22T01:10:00")


def test_nights_with_23_and_25_hours_have_one_slot_each() -> None:
    # Clocks in Berlin went from 2 to 3 on 29 March and from 3 to 2 on 25 October 2026: 02:10 did not exist in the
    # one night and came twice in the other.
    spring = missed_slots(NIGHTLY, at("2026-03-28T12:00:00"), at("2026-03-30T12:00:00"), BERLIN)
    autumn = missed_slots(NIGHTLY, at("2026-10-24T12:00:00"), at("2026-10-26T12:00:00"), BERLIN)
    assert len({slot.astimezone(BERLIN).date() for slot in spring}) == len(spring) == 2
    assert [slot.astimezone(BERLIN).date().isoformat() for slot in autumn] == ["2026-10-25", "2026-10-26"]


def test_two_clocks_stage_a_slot_once(db: Database) -> None:
    first, second = leading(db), leading(db)
    first.stage_due(EACH_MINUTE, at("2026-11-22T12:00:30"))
    for clock in (first, second, first):
        clock.stage_due(EACH_MINUTE, at("2026-11-22T12:01:30"))
    assert len(staged(db, "analytics.trending")) == 1


def test_a_frozen_leader_is_replaced_and_stages_nothing_when_it_wakes(db: Database) -> None:
    frozen, next_one = leading(db), Clock(db, BERLIN, timetable=())
    frozen.stage_due(EACH_MINUTE, at("2026-11-22T12:00:30"))
    next_one.renew()
    assert next_one.stage_due(EACH_MINUTE, at("2026-11-22T12:01:30")) == []
    with db.transaction() as tx:  # fifteen silent seconds pass
        tx.execute("UPDATE leases SET until = now() - interval '1 second'")
    next_one.renew()
    assert frozen.stage_due(EACH_MINUTE, at("2026-11-22T12:01:30")) == []
    assert next_one.stage_due(EACH_MINUTE, at("2026-11-22T12:01:30")) == [at("2026-11-22T12:01:00")]
    with db.transaction() as tx:
        term = leases.hold(tx, LEASE, holder="a third", seconds=LEASE_S)
    assert term is None
    assert LEASE_S < 20


def test_a_leader_that_resigns_is_followed_at_once(db: Database) -> None:
    with db.transaction() as tx:
        assert leases.hold(tx, LEASE, holder="one", seconds=15) == 1
        assert leases.hold(tx, LEASE, holder="one", seconds=15) == 1
        leases.resign(tx, LEASE, holder="one")
        assert leases.hold(tx, LEASE, holder="two", seconds=15) == 2
        assert not leases.still_held(tx, LEASE, holder="one", term=1)


def test_people_are_told_when_a_schedule_ran_last_and_runs_next(db: Database) -> None:
    clock = leading(db)
    clock.stage_due(EACH_MINUTE, at("2026-11-22T12:00:30"))
    (line,) = timetable(db)
    assert (line.schedule, line.last_slot, line.job_id) == (EACH_MINUTE.name, None, None)
    assert (line.next_slot, line.zone) == (at("2026-11-22T12:01:00"), "Europe/Berlin")
    clock.stage_due(EACH_MINUTE, at("2026-11-22T12:01:00"))
    clock.stage_due(EACH_MINUTE, at("2026-11-22T12:01:30"))
    (line,) = timetable(db)
    assert (line.last_slot, line.next_slot) == (at("2026-11-22T12:01:00"), at("2026-11-22T12:02:00"))
    assert line.state == "staged"
    assert line.job_id is not None


def test_a_schedule_that_is_taken_out_leaves_the_timetable_with_the_next_leader(db: Database) -> None:
    clock = leading(db)
    clock.stage_due(EACH_MINUTE, at("2026-11-22T12:00:30"))
    assert len(timetable(db)) == 1
    with db.transaction() as tx:  # fifteen silent seconds pass
        tx.execute("UPDATE leases SET until = now() - interval '1 second'")
    leading(db)
    assert timetable(db) == []
