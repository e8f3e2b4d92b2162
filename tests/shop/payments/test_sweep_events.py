"""What the sweep reads of Stripe's own list of news, and what it does when it was away for too long."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

import requests

from shop.payments.news import catching_up
from shop.payments.news.catching_up import catch_up
from shop.ports.gateway import Gateway
from shop.ports.notices import Event
from tests.shop.payments.shopkeeper import Shop

BEARER = {"Authorization": "Bearer sk_test_of_the_tests"}


def lose_news(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 1000})


def mark(shop: Shop, name: str = "events") -> datetime:
    return shop.sql("SELECT position FROM provider_watermarks WHERE name = %s", name)[0][0]


def polled(shop: Shop) -> int:
    return shop.sql("SELECT count(*) FROM webhook_deliveries WHERE source = 'poll'")[0][0]


class Lagging:
    """Stripe, whose list of events does not show one of them until later."""

    def __init__(self, shop: Shop, hidden: str) -> None:
        self._gateway = shop.services.gateway
        self.hidden = hidden

    def events(self, start: datetime, end: datetime | None = None, *, undelivered: bool = False) -> list[Event]:
        return [
            event for event in self._gateway.events(start, end, undelivered=undelivered) if event.type != self.hidden
        ]


def test_news_of_one_second_are_all_read_and_once(shop: Shop) -> None:
    lose_news(shop)
    shop.simple_order(payment_method="pm_card_visa")
    with shop.stripe.account.lock:
        events = shop.stripe.account.store.all("event")
        for event in events:
            event["created"] = int(shop.stripe.account.clock.now())
    first = shop.sweep()
    assert first["events_missed"] == polled(shop) > 2
    assert shop.sweep()["events_missed"] == 0


def test_an_event_that_the_list_shows_late_is_found_by_asking_for_what_was_not_delivered(shop: Shop) -> None:
    lose_news(shop)
    shop.simple_order(payment_method="pm_card_visa")
    lagging = Lagging(shop, "payment_intent.succeeded")
    catch_up(shop.services.db, cast("Gateway", lagging))
    # The list has moved on by hours before it shows that one.
    shop.sql("UPDATE provider_watermarks SET position = now() + interval '1 hour' WHERE name = 'events'")
    shop.sql("UPDATE provider_watermarks SET position = now() - interval '2 hours' WHERE name = 'events undelivered'")
    found = catch_up(shop.services.db, shop.services.gateway)
    assert (found["events_missed"], found["events_late"]) == (1, 1)
    types = shop.sql("SELECT count(*) FROM webhook_deliveries WHERE type = 'payment_intent.succeeded'")
    assert types == [(1,)]


def test_a_long_backlog_is_read_from_its_oldest_part_on_and_a_stop_loses_no_part_twice(shop: Shop) -> None:
    lose_news(shop)
    shop.simple_order(payment_method="pm_card_visa")
    shop.sql("INSERT INTO provider_watermarks (name, position) VALUES ('events', now() - interval '3 days')")
    marks: list[datetime] = []

    def stop_after_two(done: int, total: int | None) -> None:
        assert (done, total) == (0, None)
        marks.append(mark(shop))
        if len(marks) == 2:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        catch_up(shop.services.db, shop.services.gateway, stop_after_two)
    assert marks[1] - marks[0] == catching_up.SLICE
    assert polled(shop) == 0  # the news are of today: not there yet
    assert catch_up(shop.services.db, shop.services.gateway)["events_missed"] == polled(shop) > 2
    assert datetime.now(UTC) - mark(shop) < timedelta(hours=7)


def test_after_more_than_thirty_days_the_objects_are_compared_instead(shop: Shop) -> None:
    shop.sql("INSERT INTO provider_watermarks (name, position) VALUES ('events', now() - interval '40 days')")
    found = shop.sweep()
    assert found["events_out_of_reach"] == 1
    ((asked_by, start),) = shop.sql("SELECT requested_by, from_at FROM reconciliations")
    assert asked_by == "sweep"
    assert datetime.now(UTC) - start > timedelta(days=40)
    assert "payments.reconcile" in shop.work()
    assert shop.sweep()["events_out_of_reach"] == 0


def test_no_question_asks_for_more_than_twenty_types(shop: Shop) -> None:
    shop.sweep()
    asked = shop.seen_by_stripe("GET /v1/events")
    assert asked
    refused = requests.get(
        f"{shop.stripe.url}/v1/events",
        params=[("types[]", f"charge.kind_{number}") for number in range(21)],
        headers=BEARER,
        timeout=5,
    )
    assert refused.status_code == 400
