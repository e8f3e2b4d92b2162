"""The shop's days on its own clock."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from shop.analytics.days import day_in, last_days, periods, whole

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # the clock jumps over midnight itself
        ("Africa/Cairo", date(2026, 10, 29), 25),
    ],
)
def test_a_day_is_as_long_as_the_clock_makes_it(zone: str, day: date, hours: int) -> None:
    assert day_in(ZoneInfo(zone), day).hours == hours


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Auckland"])
def test_days_meet_without_gap_or_overlap_over_a_whole_year(zone: str) -> None:
    days = last_days(ZoneInfo(zone), date(2026, 12, 31), 365)
    assert all(one.end == following.start for one, following in pairwise(days))
    assert (days[0].day, days[-1].day) == (date(2026, 1, 1), date(2026, 12, 31))


def test_weeks_begin_on_monday_and_ranges_are_cut_where_they_were_asked_to() -> None:
    weeks = periods(BERLIN, date(2026, 3, 4), date(2026, 3, 17), "week")
    assert [week.day for week in weeks] == [date(2026, 3, 4), date(2026, 3, 9), date(2026, 3, 16)]
    assert weeks[-1].end == datetime(2026, 3, 17, 23, tzinfo=UTC)
    months = periods(BERLIN, date(2026, 1, 31), date(2026, 3, 1), "month")
    assert [month.day for month in months] == [date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1)]
    assert whole(months).start == months[0].start
