"""When an event happened, whatever the visitor's clock says."""

from datetime import UTC, datetime, timedelta

import pytest

from shop.analytics.events.clock import correct

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_right_clock_is_taken_at_its_word() -> None:
    assert correct(NOW - timedelta(seconds=40), NOW - timedelta(seconds=2), NOW) == (
        NOW - timedelta(seconds=40), "as_sent"
    )  # fmt: skip


def test_a_wrong_clock_is_wrong_about_both_times_so_the_gap_between_them_holds() -> None:
    ahead = timedelta(hours=3)
    assert correct(NOW + ahead - timedelta(minutes=10), NOW + ahead, NOW) == (
        NOW - timedelta(minutes=10), "corrected"
    )  # fmt: skip


def test_an_event_kept_for_weeks_counts_as_seven_days_old() -> None:
    assert correct(NOW - timedelta(days=40), NOW, NOW) == (NOW - timedelta(days=7), "clamped_early")


def test_an_event_from_the_future_counts_as_five_minutes_ahead() -> None:
    assert correct(NOW + timedelta(days=1), NOW, NOW) == (NOW + timedelta(minutes=5), "clamped_late")


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_do_not_break_it(year: int) -> None:
    moment, how = correct(NOW, datetime(year, 6, 1, tzinfo=UTC), NOW)
    assert how.startswith("clamped")
    assert abs(moment - NOW) <= timedelta(days=7)
