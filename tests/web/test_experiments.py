"""Experiments over HTTP: drafted, started, drawn, ordered in, and read out by the ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.assign import Visitor, assign
from shop.analytics.hashing import variant_of
from shop.analytics.ingest import ingest
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, event

PATH = "/v1/experiments"
BUTTON = {"key": "button", "name": "A green button", "variants": ["control", "green"]}
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
    """Visitors `c0 …` of the control and `t0 …` of the other, exposed at the start of a phase so many days ago."""
    with services.db.transaction() as tx:
        tx.execute("UPDATE experiment_phases SET started_at = now() - make_interval(days => %s)", (days,))
        for variant, count in counts.items():
            tx.execute(
                "INSERT INTO exposures (experiment_id, phase, visitor_id, variant, exposed_at)"
                " SELECT experiment_id, phase, %s || n, %s, started_at FROM experiment_phases, generate_series(0, %s - 1) n",
                ("ct"[variant], variant, count),
            )


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
        {"key": "button", "variant": BUTTON["variants"][place or 0], "place": place, "phase": 1, "counted": True}
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
        books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=f"c{n}")
    for n in range(40):
        books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor=f"t{n}")
    back = books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor="t0")
    books.refund(services.db, back, 11900, at=now)
    books.paid_order(services.db, [("p1", 1, 11900)], at=now - timedelta(days=30), visitor="c50")
    books.paid_order(services.db, [("p1", 1, 11900)], at=later, visitor="t1", currency="usd")

    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert (found["srm_p"], found["blocked"], found["warnings"]) == (1, None, ["other_currencies"])
    assert [(one["visitors"], one["buyers"], one["orders"], one["net"]) for one in found["groups"]] == [
        (200, 20, 20, 200_000),
        (200, 40, 42, 400_000),
    ]
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
    books.paid_order(services.db, at=datetime.now(UTC), visitor="t1")
    found = client.get(f"{PATH}/button/results", headers=admin).json
    assert found
    assert found["srm_p"] < 0.001
    assert (found["blocked"], found["warnings"]) == ("srm", ["too_early"])
    assert all(metric["effects"] == [] and metric["control"] is None for metric in found["metrics"])


def test_who_saw_both_is_counted_and_left_out(
    client: FlaskClient, services: Services, admin: dict[str, str], running: None
) -> None:
    fill(services, {0: 150, 1: 150})
    books.paid_order(services.db, at=datetime.now(UTC) - timedelta(minutes=5), visitor="t0")
    said = event("experiment_seen", visitor="t0", props={"experiment": "button", "variant": "control"})
    right = event("experiment_seen", visitor="t2", props={"experiment": "button", "variant": "green"})
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": [said, right]}
    client.post("/v1/events", json=body, headers={"User-Agent": PERSON})
    ingest(services.db, services.events)
    with services.db.transaction() as tx:
        tx.execute("UPDATE exposures SET mixed = true WHERE visitor_id IN ('c0', 'c1', 'c2')")

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
