"""Cohorts are as a naive count has them, on weeks of the shop's zone, and what is not over is said to be."""

import random
import uuid
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.database import Database
from shop.analytics.behaviour.retention import By, retention
from shop.analytics.revenue import RangeTooLong
from tests.shop.analytics import books

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = date(2026, 9, 28)
LAST = date(2026, 11, 22)
"""Eight weeks; the clock goes back in the night to the last day of the fourth."""
NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)


def see(db: Database, visits: list[tuple[str, datetime]], *, bot: int = 0) -> None:
    with db.transaction() as tx, tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, bot_score,"
            " fingerprint) VALUES (%s, 'page_view', 'web', %s, %s, %s, 'as_sent', %s, %s, 0)",
            [(str(uuid.uuid4()), at, at, at, visitor, bot) for visitor, at in visits],
        )


def monday(at: datetime) -> date:
    day = at.astimezone(BERLIN).date()
    return day - timedelta(days=day.weekday())


@pytest.mark.parametrize("by", ["visitor", "customer"])
def test_every_cell_is_what_counting_by_hand_gives(db: Database, by: By) -> None:
    chance = random.Random(5)
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    visits = [
        (
            f"v{chance.randrange(60)}",
            begin + timedelta(minutes=chance.randrange(int((NOW - begin).total_seconds()) // 60)),
        )
        for _ in range(400)
    ]
    # The last hour of the week in Berlin, twice: before and after the clock goes back. And the first hour of the next.
    visits += [("w1", datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) for hour in (0, 1, 22)] + [
        ("w1", datetime(2026, 10, 25, 23, 30, tzinfo=UTC))
    ]
    if by == "visitor":
        see(db, visits)
        see(db, [("bot", begin + timedelta(days=30))], bot=50)
    else:
        for customer, at in visits:
            books.paid_order(db, at=at, customer=customer)

    weeks: dict[str, set[date]] = {}
    for who, at in visits:
        weeks.setdefault(who, set()).add(monday(at))
    found = retention(db, BERLIN, by=by, first=FIRST, last=LAST, weeks=6, now=NOW)
    assert [cohort.week for cohort in found.cohorts] == [FIRST + timedelta(weeks=n) for n in range(8)]
    for cohort in found.cohorts:
        members = [seen for seen in weeks.values() if min(seen) == cohort.week]
        assert cohort.size == len(members)
        begun = [n for n in range(6) if cohort.week + timedelta(weeks=n) <= date(2026, 11, 19)]
        assert [cell.week for cell in cohort.cells] == begun
        for cell in cohort.cells:
            week = cohort.week + timedelta(weeks=cell.week)
            assert cell.people == sum(week in seen for seen in members)
            assert cell.finished == (week < date(2026, 11, 16))
    for mean in found.means:
        over = [
            (c.size, cell.people) for c in found.cohorts for cell in c.cells if cell.week == mean.week and cell.finished
        ]
        assert (mean.of, mean.people) == (sum(size for size, _ in over), sum(people for _, people in over))
        assert mean.rate == (mean.people / mean.of if mean.of else None)
    assert found.means[0].rate == 1


def test_who_was_here_before_is_in_no_cohort_of_the_range(db: Database) -> None:
    at = datetime(2026, 10, 7, tzinfo=UTC)
    see(db, [("old", at - timedelta(days=60)), ("old", at), ("new", at)])
    found = retention(db, BERLIN, by="visitor", first=FIRST, last=LAST, weeks=2, now=NOW)
    assert sum(cohort.size for cohort in found.cohorts) == 1


def test_an_order_that_was_never_paid_is_no_first_order(db: Database) -> None:
    order = books.paid_order(db, at=datetime(2026, 10, 7, tzinfo=UTC))
    with db.transaction() as tx:
        tx.execute("UPDATE orders SET paid_at = NULL, status = 'payment_failed' WHERE id = %s", (order,))
    found = retention(db, BERLIN, by="customer", first=FIRST, last=LAST, weeks=2, now=NOW)
    assert sum(cohort.size for cohort in found.cohorts) == 0


def test_a_range_has_at_most_a_year_of_cohorts(db: Database) -> None:
    for first, last in ((date(2025, 1, 1), LAST), (LAST, FIRST)):
        with pytest.raises(RangeTooLong):
            retention(db, BERLIN, by="visitor", first=first, last=last, weeks=2, now=NOW)
