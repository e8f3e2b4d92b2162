"""The health of the way that Stripe's news take: secrets, silence, versions, addresses, what only the sweep saw."""

import json
import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from boot.services import Services
from clients.stripe import listen
from db.database import Database
from shop.payments.news import endpoint, receive
from shop.payments.queries import tallies
from shop.ports.notices import Event
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.strays import deliver

KEY = "sk_test_1"
BEFORE = listen(["whsec_old"], KEY)
DURING = listen(["summer:whsec_new", "whsec_old"], KEY)
OLD = BEFORE.labels[0]


def use(db: Database, *named: tuple[str, str], hours_ago: float = 0.0) -> None:
    """As if deliveries had been counted so long ago."""
    with db.transaction() as tx:
        tallies.count(tx, *named)
        for kind, name in named:
            tx.execute(
                "UPDATE webhook_tallies SET last_at = now() - make_interval(mins => %s) WHERE kind = %s AND name = %s",
                (round(hours_ago * 60), kind, name),
            )


def codes(db: Database, notices: endpoint.Notices = DURING) -> list[str]:
    return [alert.code for alert in endpoint.alerts(db, notices)]


def paid_order(db: Database, *, hours_ago: float) -> None:
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO orders (id, customer_id, cart_id, status, currency, expires_at, paid_at)
            VALUES ('ord_' || gen_random_uuid()::text, 'c', 'c', 'paid', 'eur', now(),
                    now() - make_interval(mins => %s))
            """,
            (round(hours_ago * 60),),
        )


def test_a_rotation_step_by_step_says_when_the_old_secret_may_go(db: Database) -> None:
    use(db, ("secret", OLD), hours_ago=1)
    assert [(secret.label, secret.place, secret.retire_ok) for secret in endpoint.secrets(db, BEFORE)] == [
        (OLD, 1, False)
    ]
    # The new one stands first, and nothing has come with it yet: all is well, nothing may go.
    assert [secret.retire_ok for secret in endpoint.secrets(db, DURING)] == [False, False]
    assert codes(db) == []
    # The new one verifies, the old one was needed an hour ago: yellow, and it stays.
    use(db, ("secret", "summer"))
    assert [secret.retire_ok for secret in endpoint.secrets(db, DURING)] == [False, False]
    assert codes(db) == ["webhooks_old_secret"]
    # A day without the old one: it may go.
    use(db, ("secret", OLD), hours_ago=25)
    new, old = endpoint.secrets(db, DURING)
    assert (new.retire_ok, old.retire_ok, old.count) == (False, True, 2)
    assert codes(db) == []
    # Gone from the setting, its history is still shown.
    after = endpoint.secrets(db, listen(["summer:whsec_new"], KEY))
    assert [(secret.label, secret.place, secret.retire_ok) for secret in after] == [
        ("summer", 1, False),
        (OLD, None, False),
    ]


def test_a_secret_that_never_verified_anything_may_go_once_the_newest_works(db: Database) -> None:
    use(db, ("secret", "summer"))
    assert [secret.retire_ok for secret in endpoint.secrets(db, DURING)] == [False, True]


@pytest.mark.parametrize(
    ("verified_hours_ago", "paid_hours_ago", "silent"),
    [(None, 3.0, True), (5.0, 3.0, True), (5.0, 1.0, False), (1.0, 3.0, False), (None, 0.5, False)],
)
def test_silence_is_noticed_only_while_orders_are_paid(
    db: Database, verified_hours_ago: float | None, paid_hours_ago: float, silent: bool
) -> None:
    assert codes(db) == []
    if verified_hours_ago is not None:
        use(db, ("secret", "summer"), hours_ago=verified_hours_ago)
    paid_order(db, hours_ago=paid_hours_ago)
    assert codes(db) == (["webhooks_silent"] if silent else [])


def test_another_version_is_told_with_both_names_for_a_day(db: Database) -> None:
    use(db, ("version", DURING.version))
    assert codes(db) == []
    use(db, ("version", "2019-02-19"))
    (alert,) = endpoint.alerts(db, DURING)
    assert alert.code == "webhooks_other_version"
    assert "2019-02-19" in alert.sentence
    assert DURING.version in alert.sentence
    assert endpoint.figures(db, DURING).other_version == 1
    use(db, ("version", "2019-02-19"), hours_ago=25)
    assert codes(db) == []


def test_rightly_signed_deliveries_from_a_wrong_address_are_told(db: Database) -> None:
    use(db, ("source", "wrong_address"))
    assert codes(db) == ["webhooks_wrong_address"]
    use(db, ("source", "wrong_address"), hours_ago=25)
    assert codes(db) == []


def test_events_that_came_late_are_no_longer_what_only_the_sweep_saw(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 100})
    order_id = shop.simple_order()
    shop.pay_in_browser(order_id)
    shop.sweep()
    shop.work()
    shop.sweep()
    db, notices = shop.services.db, shop.services.notices
    before = endpoint.figures(db, notices)
    assert before.only_sweep_saw == before.arrived["poll"] > 0
    late = shop.sql("SELECT event_id, type FROM webhook_deliveries ORDER BY id LIMIT 1")[0]
    body = {
        "id": late[0],
        "type": late[1],
        "created": 1,
        "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
    }
    for _ in range(2):
        deliver(shop, json.dumps(body))
    after = endpoint.figures(db, notices)
    assert after.only_sweep_saw == before.only_sweep_saw - 1
    assert (after.arrived["late"], after.arrived["repeat"]) == (1, 1)


def test_what_became_of_deliveries_is_counted_where_it_happens(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    shop.read_all_news()
    deliver(shop, "{}", secret="whsec_of_somebody_else")
    found = endpoint.figures(shop.services.db, shop.services.notices)
    rows = dict(shop.sql("SELECT state, count(*) FROM webhook_deliveries GROUP BY state"))
    assert found.settled == {state: count for state, count in rows.items() if state != "received"}
    assert found.settled["refused"] == 1
    assert set(found.waiting.values()) == {0}
    assert found.arrived["webhook"] == sum(rows.values()) - 1


def test_two_who_count_at_once_do_not_wait_for_each_other_and_lose_nothing(services: Services) -> None:
    with services.db.transaction() as first, services.db.transaction() as second:
        # Two transactions count the same thing and neither waits for the other: their connections have other shards.
        first.execute("SET LOCAL lock_timeout = '2s'")
        second.execute("SET LOCAL lock_timeout = '2s'")
        pids = {tx.execute("SELECT pg_backend_pid() % 16").fetchone() for tx in (first, second)}
        tallies.count(first, ("state", "applied"))
        if len(pids) == 2:
            tallies.count(second, ("state", "applied"))
    with services.db.transaction() as tx:
        assert sum(tally.count for tally in tallies.tallies(tx)) == len(pids)


def test_news_that_nobody_reads_are_told(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO webhook_deliveries (id, event_id, source, body, received_at)"
            " VALUES ('whd_1', 'evt_1', 'webhook', '{}', now() - interval '11 minutes')"
        )
    assert codes(db) == ["webhooks_unread"]
    assert "11 minutes" in endpoint.alerts(db, DURING)[0].sentence


@pytest.mark.parametrize("first_commits", [True, False])
def test_the_same_event_twice_at_the_same_moment_is_kept_and_read_once(services: Services, first_commits: bool) -> None:
    event = Event("evt_1", "charge.captured", "ch_1", "charge", "pi_1", datetime.now(UTC), None, "{}")
    told: list[bool] = []

    def second() -> None:
        with services.db.transaction() as tx:
            told.append(receive.keep(tx, event, "webhook"))

    rival = threading.Thread(target=second)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with suppress(ConnectionResetError), services.db.session() as watch, services.db.transaction() as tx:
        assert receive.keep(tx, event, "webhook")
        rival.start()
        while watch.execute(waiting).fetchone() == (0,):
            pass  # until the rival stands at our row
        if not first_commits:
            raise ConnectionResetError
    rival.join(10)
    assert told == [not first_commits]
    with services.db.transaction() as tx:
        assert tx.execute("SELECT count(*), sum(repeats) FROM webhook_deliveries").fetchone() == (1, int(first_commits))
        assert tx.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
