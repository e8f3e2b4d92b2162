"""A report is frozen, agrees with the ledger to the cent, and is the same however often its job runs."""

import csv
import io
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from clients import event_stream
from db.database import Database
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.reports import report as reports
from shop.analytics.reports import snapshot
from shop.analytics.reports.report import DayNotBegun, House, NotMade, ask, file, report
from shop.ports.events import EventStream
from tests.shop.analytics import books
from tests.shop.analytics.conftest import batch, event

BERLIN = ZoneInfo("Europe/Berlin")
HOUSE = House("The Corner Shop", "1 Market Street, Berlin", "DE000000000", BERLIN, "eur")
DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


def made(db: Database, stream: EventStream, day: date = DAY) -> dict[str, Any]:
    """The figures of the nightly report."""
    done = report(db, stream, HOUSE, day=day.isoformat())
    with db.transaction() as tx:
        row = tx.execute("SELECT snapshot FROM reports WHERE id = %s", [done["report_id"]]).fetchone()
    assert row is not None
    return row[0]


def text_of(pdf: bytes, folder: Path) -> str:
    path = folder / "report.pdf"
    path.write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True).stdout


def test_its_money_is_the_sum_of_the_ledger(db: Database, stream: EventStream) -> None:
    first = books.paid_order(db, [("p1", 2, 11900), ("p2", 1, 2380)], at=NOON, shipping=476, fee=61)
    books.paid_order(db, [("p1", 1, 11900)], at=NOON, fee=42)
    books.refund(db, first, 2380, at=NOON + timedelta(hours=2))
    earlier = books.paid_order(db, [("p3", 1, 5950)], at=NOON - timedelta(days=3))
    books.refund(db, earlier, 5950, at=NOON)

    figures = made(db, stream)
    [booked] = figures["money"]["booking_day"]
    [placed] = figures["money"]["order_day"]

    assert booked["gross"] == 23800 + 2380 + 476 + 11900
    assert booked["refunds"] == 2380 + 5950
    assert placed["refunds"] == 2380
    for row in (booked, placed):
        assert row["gross"] - row["refunds"] - row["tax"] == row["net"]
    assert (booked["fees"], booked["orders"], booked["refunded_orders"]) == (103, 2, 2)
    assert booked["average_order"] == round(38556 / 2)
    with db.transaction() as tx:
        by_hand = tx.execute(
            "SELECT -sum(amount_minor) FROM ledger_lines JOIN ledger_entries ON id = entry_id"
            " WHERE account IN ('sales', 'shipping', 'refunds')"
            " AND (booked_at AT TIME ZONE 'Europe/Berlin')::date = %s",
            [DAY],
        ).fetchone()
    assert by_hand == (booked["net"],)


def test_running_twice_makes_one_report_one_mail_and_the_same_hash(db: Database, stream: EventStream) -> None:
    books.paid_order(db, at=NOON)
    first = report(db, stream, HOUSE, day=DAY.isoformat())
    books.paid_order(db, at=NOON)  # too late: what was printed stays printed
    second = report(db, stream, HOUSE, day=DAY.isoformat())

    assert first == second
    with db.transaction() as tx:
        assert tx.execute("SELECT count(*), min(version) FROM reports").fetchone() == (1, 1)
        mails = tx.execute("SELECT args FROM jobs WHERE name = 'documents.mail'").fetchall()
    assert mails == [({"kind": "report", "subject_id": first["report_id"]},)]
    assert snapshot.hashlib.sha256(file(db, first["report_id"], "json")).hexdigest() == first["sha256"]


def test_a_run_that_died_after_freezing_is_finished_by_the_next(db: Database, stream: EventStream) -> None:
    asked = ask(db, BERLIN, kind="nightly", day=DAY, asked_by="boss")
    with pytest.raises(NotMade):
        file(db, asked.id, "pdf")
    frozen = {"report_id": asked.id}

    def dies(done: int, total: int | None) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(db, stream, HOUSE, dies, day=DAY.isoformat(), report_id=asked.id)
    sha256 = reports.read(db, asked.id).sha256
    books.paid_order(db, at=NOON)
    done = report(db, stream, HOUSE, day=DAY.isoformat(), report_id=asked.id)
    assert done["report_id"] == frozen["report_id"]
    assert done["sha256"] == sha256
    assert file(db, asked.id, "pdf").startswith(b"%PDF")


def test_a_frozen_report_cannot_be_changed_or_removed(db: Database, stream: EventStream) -> None:
    report(db, stream, HOUSE, day=DAY.isoformat())
    for statement in ("UPDATE reports SET snapshot = '{}'", "UPDATE reports SET pdf = 'x'", "DELETE FROM reports"):
        with pytest.raises(psycopg.errors.RestrictViolation), db.transaction() as tx:
            tx.execute(statement)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_the_days_on_which_the_clock_changes_have_their_own_length(
    db: Database, stream: EventStream, day: date, hours: int
) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    for n in range(hours):  # one order an hour, and one just outside at each end
        books.paid_order(db, [("p1", 1, 1190)], at=start.astimezone(UTC) + timedelta(hours=n))
    books.paid_order(db, at=start.astimezone(UTC) - timedelta(seconds=1))
    books.paid_order(db, at=start.astimezone(UTC) + timedelta(hours=hours))

    figures = snapshot_of(db, day)
    assert figures["report"]["hours"] == hours
    assert figures["money"]["booking_day"][0]["orders"] == hours
    assert figures["money"]["booking_day"][0]["gross"] == hours * 1190


def snapshot_of(db: Database, day: date) -> dict[str, Any]:
    """As if the day were long over."""
    subject = snapshot.Subject("rep_x", "revenue", day, 1, BERLIN, "eur")
    with db.transaction() as tx:
        return snapshot.take(
            tx, subject, as_of=datetime(2027, 1, 1, tzinfo=UTC), in_flight=reports.Waiting(0, 0, 0, True)
        )


def test_late_refunds_appear_as_restated_and_never_as_changed_history(db: Database, stream: EventStream) -> None:
    order = books.paid_order(db, [("p1", 1, 11900)], at=NOON)
    first = made(db, stream)
    books.refund(db, order, 5950, at=NOON + timedelta(days=1))

    second = made(db, stream, DAY + timedelta(days=1))
    assert second["restated"]["since"]["id"] == first["report"]["id"]
    [row] = second["restated"]["days"]
    assert (row["day"], row["before"]["net"], row["now"]["net"]) == ("2026-03-10", 10000, 5000)
    assert made(db, stream) == first


def test_an_order_that_the_ledger_does_not_know_is_named(db: Database, stream: EventStream) -> None:
    books.paid_order(db, at=NOON)
    lost = books.paid_order(db, [("p1", 1, 5000)], at=NOON)
    with db.transaction() as tx:
        tx.execute("UPDATE orders SET amount_captured = 4000 WHERE id = %s", [lost])
        number = tx.execute("SELECT number FROM orders WHERE id = %s", [lost]).fetchone()

    found = made(db, stream)["reconciliation"]
    assert number is not None
    assert [(row["number"], row["captured_by_orders"], row["captured_by_ledger"]) for row in found["unexplained"]] == [
        (number[0], 4000, 5000)
    ]
    assert found["held"][0]["captured_by_ledger"] - found["held"][0]["captured_by_orders"] == 1000


def test_the_newest_seal_of_the_books_is_printed(db: Database, stream: EventStream) -> None:
    books.paid_order(db, at=NOON)
    with db.transaction() as tx:
        for day in ("2026-03-08", "2026-03-09"):
            tx.execute("INSERT INTO ledger_digests VALUES (%s, 3, 2, 'rows', '', '')", [day])
    seal = made(db, stream)["reconciliation"]["seal"]
    assert (seal["day"], seal["facts"], seal["follows"], len(seal["digest"])) == ("2026-03-09", 3, True, 64)
    with db.transaction() as tx:
        tx.execute("ALTER TABLE ledger_digests DISABLE TRIGGER USER")
        tx.execute("UPDATE ledger_digests SET facts = 4 WHERE day = '2026-03-08'")
        tx.execute("UPDATE ledger_digests SET digest = ledger_digest_hash(ledger_digests) WHERE day = '2026-03-08'")
    assert made(db, stream, DAY + timedelta(days=1))["reconciliation"]["seal"]["follows"] is False


def test_currencies_are_never_added_up(db: Database, stream: EventStream) -> None:
    books.paid_order(db, [("p1", 1, 11900)], at=NOON)
    books.paid_order(db, [("p1", 1, 15000)], at=NOON, currency="jpy")
    booked = made(db, stream)["money"]["booking_day"]
    assert [(row["currency"], row["gross"]) for row in booked] == [("eur", 11900), ("jpy", 15000)]


def test_a_day_without_anything_says_so(db: Database, stream: EventStream, tmp_path: Path) -> None:
    done = report(db, stream, HOUSE, day=DAY.isoformat())
    text = text_of(file(db, done["report_id"], "pdf"), tmp_path)
    for sentence in ("Nothing was sold", "Nobody searched", "No experiment ran", "There is no earlier report"):
        assert sentence in text


def test_paper_csv_and_json_say_the_same(db: Database, stream: EventStream, tmp_path: Path) -> None:
    books.product(db, "=cmd|' /C calc'!A0")
    books.paid_order(db, [("=cmd|' /C calc'!A0", 1, 123456)], at=NOON)
    done = report(db, stream, HOUSE, day=DAY.isoformat())

    text = text_of(file(db, done["report_id"], "pdf"), tmp_path)
    assert "1,234.56" in text
    assert "Tuesday, 10 March 2026" in text
    assert done["sha256"][:40] in text.replace("\n", "").replace(" ", "")
    rows = list(csv.DictReader(io.StringIO(file(db, done["report_id"], "csv").decode("utf-8-sig"))))
    gross = [row["value"] for row in rows if row["item"] == "booking_day/2026-03-10" and row["measure"] == "gross"]
    assert gross == ["123456"]
    assert not [row for row in rows if row["item"].startswith("=") or row["value"].startswith("=")]


def test_asking_again_gives_the_same_report_until_there_is_something_new(db: Database, stream: EventStream) -> None:
    today = datetime.now(BERLIN).date()
    first = ask(db, BERLIN, kind="nightly", day=today, asked_by="boss")
    assert ask(db, BERLIN, kind="nightly", day=today, asked_by="boss").id == first.id
    report(db, stream, HOUSE, day=today.isoformat(), report_id=first.id)
    assert ask(db, BERLIN, kind="nightly", day=today, asked_by="boss").id == first.id

    books.paid_order(db, at=datetime.now(UTC) + timedelta(seconds=1))
    second = ask(db, BERLIN, kind="nightly", day=today, asked_by="boss")
    assert (second.version, second.id != first.id) == (2, True)
    assert reports.read(db, first.id).final is False


def test_a_day_to_come_has_no_report(db: Database) -> None:
    with pytest.raises(DayNotBegun):
        ask(db, BERLIN, kind="nightly", day=datetime.now(BERLIN).date() + timedelta(days=2), asked_by=None)


def test_behaviour_is_told_by_people_and_days(db: Database, stream: EventStream) -> None:
    day = datetime.now(BERLIN).date()
    now = datetime.now(UTC)
    books.product(db, "gone", stock=0)
    lot = [
        event("product_view", visitor=f"v{n}", product_id="gone", referrer="https://www.google.com/x") for n in range(4)
    ]
    lot += [event("cart_add", visitor="v1"), event("checkout_start", visitor="v1"), event("page_view", visitor="v9")]
    accept(db, stream, batch(lot, rejected={"reserved_name": 1}))
    accept(db, stream, batch([event("page_view", visitor="bot")], agent="Googlebot/2.1"))
    ingest(db, stream)
    books.paid_order(db, at=now, visitor="v1")
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO search_queries (id, query, normalised, sort, mode, total, total_is_exact, ranker, took_ms)"
            " VALUES ('s1', 'Hat', 'hat', 'relevance', 'hybrid', 0, true, 'r', 1)"
        )

    figures = made(db, stream, day)
    funnel = figures["funnel"]
    assert [funnel[step] for step in ("visitors", "viewed", "carted", "checkout", "placed", "paid", "machines")] == [
        5, 4, 1, 1, 1, 1, 1
    ]  # fmt: skip
    assert (funnel["customers"], funnel["new_customers"]) == (1, 1)
    assert figures["products"]["wanted"] == [{"product_id": "gone", "name": "The gone", "visitors": 4}]
    assert figures["search"]["nothing_found"] == [{"query": "hat", "searches": 1, "visitors": 1}]
    assert figures["channels"] == [
        {"channel": "search", "visitors": 4, "orders": 1, "net": 10000, "currency": "eur", "other_currency_orders": 0},
        {"channel": "direct", "visitors": 1, "orders": 0, "net": 0, "currency": "eur", "other_currency_orders": 0},
    ]
    events = figures["operations"]["events"]
    assert (events["received"], events["stored"], events["rejected"]) == (9, 8, 1)


def test_without_redis_the_report_is_made_and_says_so(db: Database, tmp_path: Path) -> None:
    done = report(db, event_stream.connect("redis://127.0.0.1:1/0"), HOUSE, day=DAY.isoformat())
    assert "could not be asked" in text_of(file(db, done["report_id"], "pdf"), tmp_path)
