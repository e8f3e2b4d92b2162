"""Somebody is told once of each thing that is out of the ordinary, and again when it is over."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.database import Database
from shop.analytics.alerts import incidents
from shop.analytics.alerts.incidents import AlreadyOver
from shop.analytics.alerts.look import Look, Seen
from shop.analytics.alerts.signals import SIGNALS, Signal
from shop.analytics.alerts.watch import watch
from shop.documents.letters import compose
from shop.ports.events import EventStream
from tests.shop.documents import made

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)


class Told:
    """A signal that says what the test wants."""

    def __init__(self) -> None:
        self.verdicts: dict[str, str] = {"": "calm"}

    def read(self, _look: Look) -> Iterator[Seen]:
        for subject, verdict in self.verdicts.items():
            yield Seen("told", subject, verdict, 7.0, 100.0, f"it is {verdict}")  # pyright: ignore[reportArgumentType]


class Shop:
    """Looks every five minutes, as the timetable has it."""

    def __init__(self, db: Database, stream: EventStream) -> None:
        self.db, self.stream, self.at, self.said = db, stream, NOON, Told()
        self.signal = Signal("told", self.said.read, "It is odd", "Look at it.", begins=2, ends=3)

    def looks(self, *verdicts: str, subject: str = "") -> None:
        for verdict in verdicts:
            self.said.verdicts[subject] = verdict
            self.at += STEP
            watch(self.db, self.stream, BERLIN, signals=[self.signal], currency="eur", now=self.at)

    def states(self) -> list[str]:
        return [row.status for row in incidents.listed(self.db, status=None, before=None, limit=10)]

    def mails(self) -> list[tuple[str, str]]:
        with self.db.transaction() as tx:
            return tx.execute(
                "SELECT args->>'kind', args->>'subject_id' FROM jobs WHERE name = 'documents.mail' ORDER BY id"
            ).fetchall()


@pytest.fixture(name="shop")
def _shop(db: Database, stream: EventStream) -> Shop:
    return Shop(db, stream)


def test_one_incident_is_told_once_and_ends_when_it_is_calm_for_three_looks(shop: Shop) -> None:
    shop.looks("bad")
    assert shop.states() == []
    shop.looks("bad", "bad", "between", "bad", "calm", "calm", "bad", "unknown")
    assert shop.states() == ["open"]
    (row,) = incidents.listed(shop.db, status="open", before=None, limit=10)
    assert (row.title, row.words, row.observed, row.expected) == ("It is odd", "it is bad", 7.0, 100.0)
    assert shop.mails() == [("alert_began", row.id)]
    shop.looks("calm", "calm", "calm", "calm")
    assert shop.states() == ["resolved"]
    assert shop.mails() == [("alert_began", row.id), ("alert_ended", row.id)]


def test_what_comes_back_soon_is_the_same_incident_and_what_comes_back_later_another(shop: Shop) -> None:
    shop.looks("bad", "bad", "calm", "calm", "calm", "bad", "bad")
    assert shop.states() == ["open"]
    (row,) = incidents.listed(shop.db, status=None, before=None, limit=10)
    assert row.reopened == 1
    assert len(shop.mails()) == 2
    with shop.db.transaction() as tx:  # the letter of its end finds it going on
        assert compose(tx, made.DESK, "alert_ended", row.id).unsent_because == "the incident goes on"
    shop.looks("calm", "calm", "calm")
    shop.at += timedelta(hours=3)
    shop.looks("bad", "bad")
    assert shop.states() == ["open", "resolved"]


def test_a_job_that_runs_twice_at_once_looks_once(shop: Shop) -> None:
    shop.looks("bad")
    for _ in range(3):
        watch(shop.db, shop.stream, BERLIN, signals=[shop.signal], currency="eur", now=shop.at + timedelta(seconds=20))
    assert shop.states() == []


def test_each_subject_has_its_own_incident_and_one_that_is_gone_ends(shop: Shop) -> None:
    shop.said.verdicts["eur"] = "bad"
    shop.looks("bad", "bad", subject="usd")
    assert shop.states() == ["open", "open"]
    del shop.said.verdicts["usd"]
    shop.looks("bad", subject="eur")
    rows = incidents.listed(shop.db, status=None, before=None, limit=10)
    assert {row.subject: row.status for row in rows} == {"eur": "open", "usd": "resolved"}


def test_who_takes_an_incident_first_has_it_until_it_ends(shop: Shop) -> None:
    shop.looks("bad", "bad")
    (row,) = incidents.listed(shop.db, status=None, before=None, limit=10)
    taken = incidents.acknowledge(shop.db, row.id, by="ada", note="I look")
    assert (taken.status, taken.acknowledged_by, taken.note) == ("acknowledged", "ada", "I look")
    assert incidents.acknowledge(shop.db, row.id, by="bob").acknowledged_by == "ada"
    shop.looks("bad")
    assert shop.states() == ["acknowledged"]
    shop.looks("calm", "calm", "calm")
    assert shop.states() == ["resolved"]
    with pytest.raises(AlreadyOver):
        incidents.acknowledge(shop.db, row.id, by="bob")


def test_the_letters_say_what_when_and_what_to_do(shop: Shop) -> None:
    shop.looks("bad", "bad", subject="eur")
    (row,) = incidents.listed(shop.db, status=None, before=None, limit=10)
    with shop.db.transaction() as tx:
        began = compose(tx, made.DESK, "alert_began", row.id)
    assert began.subject.endswith("It is odd (eur)")
    assert "It is bad." in began.text
    assert f"backroom alerts acknowledge {row.id}" in began.text
    shop.looks("calm", "calm", "calm", subject="eur")
    with shop.db.transaction() as tx:
        assert compose(tx, made.DESK, "alert_began", row.id).unsent_because == "the incident is over by now"
        ended = compose(tx, made.DESK, "alert_ended", row.id)
    assert "Over: It is odd (eur)" in ended.subject
    assert "It began" in ended.text


def past_hours(db: Database, *, per_hour: int, weeks: int = 8, until: datetime = NOON) -> None:
    """Orders, their sales of 100.00, events and tries of the same hours of the weeks before, a little more or less."""
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO orders (id, customer_id, cart_id, status, currency, subtotal_minor, shipping_minor, tax_minor,
                                total_minor, expires_at, created_at, updated_at)
            SELECT 'ord_' || week || '_' || beside || '_' || n, 'c', 'cart', 'awaiting_payment', 'eur', 10000, 0, 0,
                   10000, at, at, at
              FROM generate_series(1, %(weeks)s) AS week, generate_series(-2, 1) AS beside,
                   generate_series(1, %(per_hour)s + week %% 3) AS n,
                   LATERAL (SELECT %(until)s - make_interval(days => week * 7) + make_interval(hours => beside)
                                   + make_interval(secs => n * 3) AS at) AS moment
            """,
            {"weeks": weeks, "per_hour": per_hour, "until": until},
        )
        tx.execute(
            """
            INSERT INTO ledger_entries (id, chain, seq, order_id, kind, cause, lines_hash, booked_at, prev_hash, hash)
            SELECT 'ent' || id, id, 1, id, 'sale', id, sha256('customer:eur:10000,sales:eur:-10000'), created_at, '', ''
              FROM orders
            """
        )
        tx.execute("INSERT INTO ledger_lines SELECT id, 'sales', 'eur', -10000 FROM ledger_entries")
        tx.execute("INSERT INTO ledger_lines SELECT id, 'customer', 'eur', 10000 FROM ledger_entries")
        tx.execute(
            "INSERT INTO ingest_ledger (minute, sender, via, received, stored)"
            " SELECT date_trunc('minute', created_at), 'web', 'stream', 100 * count(*), 100 * count(*)"
            " FROM orders GROUP BY 1"
        )


def verdicts(db: Database) -> dict[tuple[str, str], str]:
    return {(row.kind, row.subject): row.verdict for row in incidents.watched(db)}


def test_a_shop_that_sells_nothing_at_noon_is_an_incident_of_orders_revenue_and_events(
    db: Database, stream: EventStream
) -> None:
    past_hours(db, per_hour=30)
    for look in range(2):
        watch(db, stream, BERLIN, currency="eur", now=NOON + look * STEP)
    seen = verdicts(db)
    assert [seen[key] for key in (("orders", ""), ("revenue", "eur"), ("events", ""))] == ["bad"] * 3
    rows = {row.kind: row for row in incidents.listed(db, status="open", before=None, limit=10)}
    assert set(rows) == {"orders", "revenue", "events"}
    assert rows["orders"].words.startswith("0 orders within the last hour; usual are 3")
    assert rows["revenue"].words.startswith("sales of 0.00 EUR within the last hour; usual are 3")


def test_where_few_are_usual_or_the_shop_is_new_nothing_is_said(db: Database, stream: EventStream) -> None:
    past_hours(db, per_hour=30, weeks=3)
    watch(db, stream, BERLIN, currency="eur", now=NOON)
    assert verdicts(db)["orders", ""] == "unknown"


def test_the_same_hour_is_that_of_the_shops_clock_also_when_the_clocks_were_changed(
    db: Database, stream: EventStream
) -> None:
    # Summer time ended on 25 October 2026: noon in Berlin was 10:00 in UTC before, and is 11:00 since.
    noon = datetime(2026, 10, 28, 11, 0, tzinfo=UTC)
    past_hours(db, per_hour=30, until=noon - timedelta(hours=1))
    with db.transaction() as tx:  # only the very hour, so that the one beside it would be found empty
        tx.execute(
            "UPDATE orders SET created_at = created_at - interval '1 day' WHERE extract(hour FROM created_at) <> 9"
        )
    watch(db, stream, BERLIN, currency="eur", now=noon)
    (row,) = [row for row in incidents.watched(db) if row.kind == "orders"]
    assert row.expected is not None
    assert row.expected >= 30


def test_refused_payments_empty_searches_and_untracked_orders_are_judged_by_four_weeks(
    db: Database, stream: EventStream
) -> None:
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO event_hours (hour, name, human, events)
            SELECT %(now)s - make_interval(hours => n), name, true, CASE name WHEN 'order_paid' THEN 95 ELSE 5 END
              FROM generate_series(3, 700) AS n, unnest(ARRAY['order_paid', 'payment_failed']) AS name
            """,
            {"now": NOON},
        )
        tx.execute(
            "INSERT INTO event_hours VALUES (%(hour)s, 'order_paid', true, 40), (%(hour)s, 'payment_failed', true, 60)",
            {"hour": NOON - timedelta(hours=1)},
        )
    for look in range(2):
        watch(db, stream, BERLIN, currency="eur", now=NOON + look * STEP)
    (row,) = incidents.listed(db, status="open", before=None, limit=10)
    assert row.words == "60 of 100 tries to pay were refused (60.0 %); usual are 5.0 %"
    assert verdicts(db)["empty_searches", ""] == "unknown"
    assert verdicts(db)["tracking_loss", ""] == "unknown"


def test_dead_jobs_wrong_sums_and_wrong_splits_are_told_each_by_itself(db: Database, stream: EventStream) -> None:
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO jobs (id, name, queue, state, max_attempts, time_limit_s, finished_at)"
            " SELECT 'job_' || n, 'payments.refund', 'payments', 'dead', 1, 1, now() FROM generate_series(1, 2) AS n"
        )
        tx.execute(
            "INSERT INTO rollup_differences (rollup, day, differing, off_by, sample)"
            " VALUES ('event_hours', '2026-11-17', 2, 5, '{}')"
        )
        tx.execute(
            "INSERT INTO experiments (id, key, name, status, variants, weights, seed, metrics, phase)"
            " VALUES ('exp', 'colour', 'Colour', 'running', '{a,b}', '{0.5,0.5}', 's', '{conversion}', 1)"
        )
        tx.execute("INSERT INTO experiment_phases VALUES ('exp', 1, '{0.5,0.5}', 1, '{}')")
        tx.execute(
            "INSERT INTO exposures (experiment_id, phase, visitor_id, variant)"
            " SELECT 'exp', 1, 'v' || n, CASE WHEN n <= 700 THEN 0 ELSE 1 END FROM generate_series(1, 1000) AS n"
        )
    watch(db, stream, BERLIN, currency="eur", now=NOON)
    rows = {(row.kind, row.subject): row.words for row in incidents.listed(db, status="open", before=None, limit=10)}
    assert rows["dead_jobs", "payments.refund"] == "2 jobs payments.refund gave up"
    assert rows["rollup_difference", "event_hours"] == "event_hours differs from the events on 1 day, by 5 in all"
    assert rows["sample_ratio", "colour"].startswith("experiment colour: visitors came 700 / 300, p = ")
    assert len(rows) == 3


def test_every_kind_says_what_to_do() -> None:
    assert len({signal.kind for signal in SIGNALS}) == len(SIGNALS) == 13
    for signal in SIGNALS:
        assert 5 < len(signal.title) <= 100
        assert 10 < len(signal.advice) <= 500
