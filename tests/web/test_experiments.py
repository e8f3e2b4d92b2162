"""Experiments over HTTP: drafted, started, drawn, ordered in, and read out by the ledger."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.alerts import incidents
from shop.analytics.alerts.watch import watch
from shop.analytics.events.ingest import ingest
from shop.analytics.experiments.assign import Visitor, assign
from shop.analytics.experiments.hashing import variant_of
from shop.ids import new_id
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, event

PATH = "/v1/experiments"
BUTTON = {
    "key": "button",
    "name": "A green button",
    "variants": ["control", "green"],
    "window_days": 18,
    "settle_days": 2,
}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Mobile/15E148 Safari/604.1"


@pytest.fixture(name="admin")
def _admin(signed_in: Any) -> dict[str, str]:
    return signed_in("boss", "admin")


@pytest.fixture(name="running")
def _running(client: FlaskClient, admin: dict[str, str]) -> None:
    assert client.post(PATH, json=BUTTON, headers=admin).status_code == 201
    assert client.patch(f"{PATH}/button", json={"status": "running"}, headers=admin).status_code == 200


def drawn(client: FlaskClient, visitor: str, agent: str = PERSON, **more: Any) -> Any:
    answer = client.post("/v1/assignments", json={"visitor_id": visitor, **more}, headers={"User-Agent": agent})
    assert answer.status_code == 200
    return (answer.json or {})["data"]


def exposures(services: Services) -> list[tuple[Any, ...]]:
    with services.db.transaction() as tx:
        return tx.execute(
            "SELECT visitor_id, phase, variant, mixed FROM exposures ORDER BY phase, visitor_id"
        ).fetchall()


def fill(services: Services, counts: dict[int, int], *, days: int = 20) -> None:
    """The first visitors of each variant (`who`), exposed at the start of a phase so many days ago."""
    with services.db.transaction() as tx:
        tx.execute("UPDATE experiment_phases SET started_at = now() - make_interval(days => %s)", (days,))
        for variant, number in counts.items():
            tx.execute(
                "INSERT INTO exposures (experiment_id, phase, visitor_id, variant, exposed_at)"
                " SELECT experiment_id, phase, visitor, %s, started_at FROM experiment_phases, unnest(%s::text[]) visitor",
                (variant, [who(variant, n) for n in range(number)]),
            )


@cache
def who(variant: int, n: int) -> str:
    """A visitor who is drawn into that variant of the button."""
    names = (f"{'ct'[variant]}{n}-{attempt}" for attempt in count())
    return next(name for name in names if drawn_into(name) == variant)


def drawn_into(visitor: str) -> int | None:
    return variant_of(visitor, seed="button", weights=[0.5, 0.5], coverage=1, namespace=None)


def test_experiments_are_the_admins_business(client: FlaskClient, signed_in: Any, running: None) -> None:
    for headers, status in ((None, 401), (signed_in("c"), 403), (signed_in("s", "support"), 403)):
        assert client.get(PATH, headers=headers).status_code == status
        assert client.post(PATH, json=BUTTON, headers=headers).status_code == status
        assert client.patch(f"{PATH}/button", json={"status": "stopped"}, headers=headers).status_code == status
        assert client.get(f"{PATH}/button/results", headers=headers).status_code == status


def test_a_draft_is_nobodys_and_a_started_one_is_drawn_the_same_every_time(
    client: FlaskClient, services: Services, admin: dict[str, str]
) -> None:
    made = client.post(PATH, json=BUTTON, headers=admin)
    assert (made.status_code, made.headers["Location"]) == (201, f"{PATH}/button")
    assert drawn(client, "v1") == []
    client.patch(f"{PATH}/button", json={"status": "running"}, headers=admin)

    first = drawn(client, "v1")
    assert drawn(client, "v1") == first == drawn(client, "v1", keys=["button", "unknown"])
    place = variant_of("v1", seed="button", weights=[0.5, 0.5], coverage=1, namespace=None)
    assert first == [
        {"key": "button", "variant": ("control", "green")[place or 0], "place": place, "phase": 1, "counted": True}
    ]
    assert exposures(services) == [("v1", 1, place, False)]


def test_machines_and_those_not_meant_see_the_control_and_are_not_counted(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    client.patch(f"{PATH}/button", json={"audience": {"device": ["phone"]}}, headers=admin)
    for n in range(8):
        assert [(one["variant"], one["counted"]) for one in drawn(client, f"d{n}")] == [("control", False)]
        assert drawn(client, f"b{n}", agent="Googlebot/2.1")[0]["counted"] is False
    assert exposures(services) == []
    assert drawn(client, "p", agent=PHONE)[0]["counted"] is True


def test_another_split_is_another_phase_and_what_has_run_is_settled(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    changed = client.patch(f"{PATH}/button", json={"weights": [0.2, 0.8], "name": "Greener"}, headers=admin).json
    assert changed
    assert [(one["phase"], one["weights"], "ended_at" in one) for one in changed["phases"]] == [
        (1, [0.5, 0.5], True),
        (2, [0.2, 0.8], False),
    ]
    same = client.patch(f"{PATH}/button", json={"weights": [0.2, 0.8], "coverage": 1}, headers=admin).json
    assert same
    assert len(same["phases"]) == 2
    for settled in (
        {"seed": "x"},
        {"variants": ["a", "b"]},
        {"metrics": ["orders"]},
        {"namespace": {"name": "n", "start": 0, "end": 1}},
        {"window_days": 3},
        {"cap_minor": 100},
    ):
        answer = client.patch(f"{PATH}/button", json=settled, headers=admin)
        assert (answer.status_code, (answer.json or {})["code"]) == (409, "not_changeable")
    stopped = client.patch(f"{PATH}/button", json={"status": "stopped"}, headers=admin).json
    assert stopped
    assert all("ended_at" in one for one in stopped["phases"])
    assert drawn(client, "v1") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": [0.5, 0.6]},
        {"weights": [1.0]},
        {"variants": ["one", "one"]},
        {"variants": ["one"]},
        {"key": "Not A Key"},
        {"coverage": 1.5},
        {"metrics": []},
        {"metrics": ["happiness"]},
        {"guardrails": ["conversion"]},
        {"namespace": {"name": "n", "start": 0.6, "end": 0.4}},
        {"audience": {"mood": ["good"]}},
        {"window_days": 0, "settle_days": 3},
        {"cap_minor": 0},
    ],
)
def test_what_could_not_be_drawn_is_refused(client: FlaskClient, admin: dict[str, str], wrong: Any) -> None:
    answer = client.post(PATH, json={**BUTTON, **wrong}, headers=admin)
    assert (answer.status_code, (answer.json or {})["code"]) == (422, "invalid_request")


def test_a_key_is_taken_once(client: FlaskClient, admin: dict[str, str], running: None) -> None:
    answer = client.post(PATH, json=BUTTON, headers=admin)
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "experiment_exists")
    assert client.get(f"{PATH}/other", headers=admin).status_code == 404
    assert client.patch(f"{PATH}/button", json={"name": None}, headers=admin).status_code == 422


def test_results_are_money_of_the_ledger_after_the_exposure(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 200, 1: 200})
    now = datetime.now(UTC)
    later = now - timedelta(days=3)
    for n in range(20):
        books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=who(0, n))
    for n in range(40):
        books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=who(1, n))
    back = books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=who(1, 0))
    books.refund(services.db, back, 11900, at=now)
    books.paid_order(services.db, [("p1", 1, 11900)], at=now - timedelta(days=30), visitor=who(0, 50))
    books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=who(1, 1), currency="usd")

    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert (found["srm_p"], found["blocked"], found["warnings"]) == (1, None, ["other_currencies"])
    assert [(one["visitors"], one["buyers"], one["orders"], one["net"]) for one in found["groups"]] == [
        (200, 20, 20, 200_000),
        (200, 40, 42, 400_000),
    ]
    # Wilson's interval of 20 in 200, by hand: (0.1 + z²/400 ± z √(0.09/200 + z²/160000)) / (1 + z²/200), z = 1.96.
    assert found["groups"][0]["rate"] == pytest.approx({"rate": 0.1, "low": 0.0657, "high": 0.1494}, abs=2e-4)
    conversion, revenue, refunds = found["metrics"]
    effect = conversion["effects"][0]
    assert (conversion["control"], effect["mean"], effect["lift"]) == (0.1, 0.2, pytest.approx(1))
    # Welch by hand: error² = 0.1 · 0.9 / 199 + 0.2 · 0.8 / 199; the t quantile of some 370 degrees is 1.9664.
    half = 1.9664 * (0.25 / 199) ** 0.5
    assert (effect["fixed"]["low"], effect["fixed"]["high"]) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-4)
    assert effect["interval"]["low"] < effect["fixed"]["low"]
    assert effect["adjusted_p"] >= effect["interval"]["p"]
    # From 10 % to 10.5 %: (1.95996 · √(2 · 0.1025 · 0.8975) + 0.84162 · √(0.09 + 0.093975))² / 0.005².
    assert conversion["needed"] == 57_763
    assert (revenue["control"], revenue["effects"][0]["difference"]) == (1000, 1000)
    assert (refunds["guardrail"], refunds["effects"][0]["mean"], refunds["effects"][0]["adjusted_p"]) == (
        True,
        50,
        None,
    )


def test_a_split_that_is_not_the_planned_one_has_no_readout(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 1000, 1: 1200}, days=3)
    books.paid_order(services.db, at=datetime.now(UTC), visitor=who(1, 1))
    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert found["srm_p"] < 0.001
    assert (found["blocked"], found["warnings"]) == ("srm", ["too_early", "maturing"])
    assert all(metric["effects"] == [] and metric["control"] is None for metric in found["metrics"])
    assert [one["rate"] for one in found["groups"]] == [None, None]


def test_who_saw_both_is_counted_and_left_out(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 150, 1: 150})
    books.paid_order(services.db, at=datetime.now(UTC) - timedelta(minutes=5), visitor=who(1, 0))
    said = event("experiment_seen", visitor=who(1, 0), props={"experiment": "button", "variant": "control"})
    right = event("experiment_seen", visitor=who(1, 2), props={"experiment": "button", "variant": "green"})
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": [said, right]}
    client.post("/v1/events", json=body, headers={"User-Agent": PERSON})
    ingest(services.db, services.events)
    with services.db.transaction() as tx:
        tx.execute("UPDATE exposures SET mixed = true WHERE visitor_id = ANY (%s)", ([who(0, n) for n in range(3)],))

    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert [(one["exposed"], one["mixed"], one["visitors"], one["buyers"]) for one in found["groups"]] == [
        (150, 3, 147, 0),
        (150, 1, 149, 0),
    ]
    assert found["warnings"] == ["mixed"]


def test_a_visitor_of_another_variant_in_an_earlier_phase_is_left_out(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    people = [f"v{n}" for n in range(40)]
    for visitor in people:
        drawn(client, visitor)
    client.patch(f"{PATH}/button", json={"weights": [0.1, 0.9]}, headers=admin)
    for visitor in people:
        drawn(client, visitor)
    before, after = ({v: place for v, phase, place, _ in exposures(services) if phase == at} for at in (1, 2))
    moved = sum(before[v] != after[v] for v in people)
    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert 0 < moved == sum(one["mixed"] for one in found["groups"])
    earlier = client.get(f"{PATH}/button/results?phase=1", headers=admin).json
    assert earlier
    assert sum(one["mixed"] for one in earlier["groups"]) == 0
    assert client.get(f"{PATH}/button/results?phase=3", headers=admin).status_code == 404


def test_a_visitor_noted_with_another_variant_is_marked_for_good(services: Services, running: None) -> None:
    someone = Visitor("v1", PERSON, signed_in=False)
    place = assign(services.db, someone, None)[0].place
    with services.db.transaction() as tx:
        tx.execute("UPDATE exposures SET variant = %s", (1 - place,))
    for _ in range(2):
        assign(services.db, someone, None)
    assert exposures(services) == [("v1", 1, 1 - place, True)]


def test_only_visitors_whose_time_is_over_are_read_out(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 120, 1: 120}, days=25)
    with services.db.transaction() as tx:  # 18 days to buy and two to settle: over since an hour, over in an hour
        for n, age in ((0, timedelta(days=20, hours=1)), (1, timedelta(days=20) - timedelta(hours=1))):
            tx.execute(
                "UPDATE exposures SET exposed_at = now() - %s WHERE visitor_id = ANY (%s)",
                (age, [who(0, n), who(1, n)]),
            )
    now = datetime.now(UTC)
    for n in range(2):
        books.paid_order(services.db, at=now - timedelta(days=10), visitor=who(1, n))
    books.paid_order(services.db, at=now - timedelta(days=5), visitor=who(1, 2))  # 20 days after the exposure: too late

    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert [(one["exposed"], one["maturing"], one["visitors"], one["orders"]) for one in found["groups"]] == [
        (120, 1, 119, 0),
        (120, 1, 119, 1),
    ]
    client.patch(f"{PATH}/button", json={"status": "stopped"}, headers=admin)
    with (
        services.db.transaction() as tx
    ):  # the end of a phase is the end of all its windows; refunds have two days more
        tx.execute("UPDATE experiment_phases SET ended_at = now() - interval '47 hours'")
    assert matured(client, admin) == [119, 119]
    with services.db.transaction() as tx:
        tx.execute("UPDATE experiment_phases SET ended_at = now() - interval '49 hours'")
    assert matured(client, admin) == [120, 120]


def matured(client: FlaskClient, admin: dict[str, str]) -> list[int]:
    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    return [one["visitors"] for one in found["groups"]]


def test_while_nobody_is_mature_there_is_nothing_to_read(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 120, 1: 120}, days=15)
    books.paid_order(services.db, at=datetime.now(UTC) - timedelta(days=1), visitor=who(1, 0))
    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert (found["warnings"], [one["maturing"] for one in found["groups"]]) == (["maturing"], [120, 120])
    assert found["metrics"][0]["effects"][0]["interval"] is None


def test_a_huge_order_is_cut_off_where_the_plan_says(
    client: FlaskClient, services: Services, admin: dict[str, str]
) -> None:
    client.post(PATH, json={**BUTTON, "cap_minor": 50_000, "metrics": ["net_revenue", "units"]}, headers=admin)
    client.patch(f"{PATH}/button", json={"status": "running"}, headers=admin)
    fill(services, {0: 100, 1: 100})
    at = datetime.now(UTC) - timedelta(days=5)
    books.paid_order(services.db, [("p1", 2, 11900)], at=at, visitor=who(0, 0))
    books.paid_order(services.db, [("p1", 3, 1_190_000)], at=at, visitor=who(1, 0))
    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert [(one["net"], one["capped"], one["units"]) for one in found["groups"]] == [(20_000, 0, 2), (3_000_000, 1, 3)]
    revenue, units, _ = found["metrics"]
    assert (revenue["control"], revenue["effects"][0]["mean"]) == (200, 500)
    assert (units["control"], units["effects"][0]["mean"]) == (0.02, 0.03)


def test_what_visitors_did_before_makes_the_interval_shorter(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 110, 1: 110})
    now = datetime.now(UTC)
    for n in range(12):
        for variant in (0, 1):
            books.paid_order(services.db, at=now - timedelta(days=22), visitor=who(variant, n))
            books.paid_order(services.db, at=now - timedelta(days=9), visitor=who(variant, n))
    books.paid_order(services.db, at=now - timedelta(days=9), visitor=who(1, 50))
    books.paid_order(services.db, at=now - timedelta(days=40), visitor=who(1, 51))  # too long before
    late = books.paid_order(services.db, at=now - timedelta(days=21), visitor=who(0, 52))
    books.refund(services.db, late, 11900, at=now - timedelta(days=3))  # what came later is not of the days before

    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    effect = found["metrics"][1]["effects"][0]
    assert 0.9 < effect["cuped"]["correlation"] < 1
    width = effect["fixed"]["high"] - effect["fixed"]["low"]
    assert effect["cuped"]["fixed"]["high"] - effect["cuped"]["fixed"]["low"] < width * 0.5
    assert effect["belief"]["better"] > 0.5


GUARDED = {
    "key": "button",
    "name": "A green button",
    "variants": ["control", "green"],
    "guardrails": ["search_ms", "payment_failures", "refund_share"],
    "tolerance": 0.1,
    "window_days": 18,
    "settle_days": 2,
}


def test_guardrails_are_shares_of_what_visitors_did_after_their_exposure(
    client: FlaskClient, services: Services, admin: dict[str, str]
) -> None:
    made = client.post(PATH, json=GUARDED, headers=admin)
    assert (made.status_code, (made.json or {})["tolerance"]) == (201, 0.1)
    client.patch(f"{PATH}/button", json={"status": "running"}, headers=admin)
    fill(services, {0: 300, 1: 300})
    now = datetime.now(UTC)
    later = now - timedelta(days=5)
    for n in range(300):
        searched(services, who(0, n), later, 20 + n % 3, 40 + n % 3)
        searched(services, who(1, n), later, 60 + n % 3)
    searched(services, who(1, 0), now - timedelta(days=30), 9000)  # before the exposure
    searched(services, who(1, 1), now - timedelta(days=1), 9000)  # after the window
    for n in range(40):
        paid = books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=who(0, n))
        other = books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=who(1, n))
        tried(services, paid, later, failed=0)
        tried(services, other, later, failed=n % 3)
        if n == 0:
            books.refund(services.db, other, 11900, at=now - timedelta(days=1))

    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    shares = {one["name"]: one for one in found["metrics"] if one["guardrail"]}
    assert shares["search_ms"]["control"] == pytest.approx(31)
    assert [one["effects"][0]["mean"] for one in shares.values()] == pytest.approx([61, 39 / 79, 1 / 40])
    assert [one["effects"][0]["guard"]["verdict"] for one in shares.values()] == ["broken", "broken", "open"]
    assert shares["search_ms"]["effects"][0]["guard"]["worst"] > 30
    assert "guardrail" in found["warnings"]
    assert all("guard" not in one["effects"][0] for one in found["metrics"] if not one["guardrail"])

    watch(services.db, services.events, services.settings.zone, currency="eur")
    watch(services.db, services.events, services.settings.zone, currency="eur", now=now + timedelta(hours=1, minutes=5))
    words = {row.kind: row.words for row in incidents.listed(services.db, status="open", before=None, limit=20)}
    assert words["guardrail"] == "experiment button makes worse: search_ms of green, payment_failures of green"


def searched(services: Services, visitor: str, at: datetime, *took_ms: float) -> None:
    with services.db.transaction() as tx:
        for took in took_ms:
            tx.execute(
                "INSERT INTO search_queries (id, searched_at, visitor_id, query, normalised, sort, mode, total,"
                " total_is_exact, ranker, took_ms)"
                " VALUES (%s, %s, %s, 'lamp', 'lamp', 'relevance', 'hybrid', 3, true, 'r1', %s)",
                (new_id("srch"), at, visitor, took),
            )


def tried(services: Services, order_id: str, at: datetime, *, failed: int) -> None:
    """Facts of an order that was paid after so many declined tries."""
    names = [*(("payment_failed", f"{order_id}-{n}") for n in range(failed)), ("order_paid", order_id)]
    with services.db.transaction() as tx:
        for name, subject in names:
            tx.execute(
                "INSERT INTO order_facts (name, subject, order_id, event_id, ts)"
                " VALUES (%s, %s, %s, gen_random_uuid(), %s)",
                (name, subject, order_id, at),
            )


def test_a_guardrail_is_no_metric_to_win_by(client: FlaskClient, admin: dict[str, str]) -> None:
    wrong = client.post(PATH, json={**GUARDED, "metrics": ["search_ms"]}, headers=admin)
    assert wrong.status_code == 422
    assert client.post(PATH, json={**GUARDED, "tolerance": 0}, headers=admin).status_code == 422


def test_a_noted_variant_that_is_not_the_drawn_one_is_found(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 120, 1: 120})
    with services.db.transaction() as tx:
        tx.execute("UPDATE exposures SET variant = 0 WHERE visitor_id = %s", (who(1, 7),))
    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert (found["audit"], found["warnings"]) == (
        {"checked": 240, "wrong": 1, "visitors": [who(1, 7)]},
        ["misassigned"],
    )


def test_the_calculator_says_how_many_visitors_a_plan_needs(client: FlaskClient, admin: dict[str, str]) -> None:
    found = client.get("/v1/sample-size?share=0.1&change=0.2&variants=3", headers=admin)
    assert found.json == {"each": 3841, "together": 11523}
    assert client.get("/v1/sample-size?mean=10&deviation=5&change=0.1", headers=admin).json == {
        "each": 393,
        "together": 786,
    }
    for wrong in ("", "?share=0.9&change=0.5", "?mean=10", "?share=0.1&mean=10&deviation=1"):
        assert client.get(f"/v1/sample-size{wrong}", headers=admin).status_code == 422
    assert client.get("/v1/sample-size?share=0.1").status_code == 401
