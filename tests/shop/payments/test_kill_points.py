"""A worker vanishes at every boundary of every job of the money and the papers; the next one comes to the same end.

`python -m bench.proofs kill` does the same at all boundaries instead of the most dangerous ones.
"""

from collections.abc import Iterator

import pytest

from bench.proofs.deaths import AFTER_CALL, BEFORE_CALL, KINDS, live
from bench.proofs.house import House, open_house
from bench.proofs.kill_points import Cell, cells, jobs_to_kill, table
from bench.proofs.scenarios import SCENARIOS, Scenario
from devstack.embedded.databases import create_database, drop_database
from devstack.embedded.state import Urls

MATRIX: list[Cell] = []


@pytest.fixture(scope="module", name="house")
def _house(servers: Urls, template: str) -> Iterator[House]:
    """One for all deaths: every one has a customer, a product and an order of its own."""
    name = f"{template}_kill_points"
    url = create_database(servers.database_url, name, template=template)
    with open_house(url, servers.redis_url) as house:
        yield house
    drop_database(servers.database_url, name)


def test_every_job_of_money_and_papers_has_its_situation() -> None:
    """A new job is added to bench/proofs/scenarios.py in the commit that makes it."""
    assert {scenario.job.name for scenario in SCENARIOS} == jobs_to_kill()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_whoever_dies_the_end_is_the_same(house: House, scenario: Scenario) -> None:
    house.queues = ("payments", scenario.job.queue)
    try:
        found = list(cells(house, scenario, full=False))
    finally:
        # What was staged for a queue that does not work here is nobody's any more.
        house.sql("DELETE FROM jobs WHERE state <> 'done'")
    MATRIX.extend(found)
    assert found
    assert [cell for cell in found if cell.wrong] == []


def test_the_matrix_is_full(capsys: pytest.CaptureFixture[str]) -> None:
    if len({cell.scenario.name for cell in MATRIX}) < len(SCENARIOS):
        pytest.skip("only a part of it was asked for")
    with capsys.disabled():
        print(f"\n{table(MATRIX)}")
    for job in jobs_to_kill():
        kinds = {cell.boundary.kind for cell in MATRIX if cell.scenario.job.name == job}
        assert set(KINDS) - kinds in (set(), {BEFORE_CALL, AFTER_CALL}), f"{job} died only at {kinds}"


def test_the_dead_leave_no_word_and_their_lease_is_what_gives_the_job_on(house: House) -> None:
    who = house.customer()
    house.buy(who)
    (job_id, fence) = house.sql("SELECT id, fence FROM jobs WHERE name = 'payments.place' AND state = 'staged'")[0]
    assert live(house.services.settings, "payments.place", job_id, fence, die_at=6).struck
    row = house.sql("SELECT state, attempts, error_kind, lease_until > now() FROM jobs WHERE id = %s", job_id)
    assert row == [("running", 1, None, True)]
    assert house.work() == []
    house.bury()
    assert house.work(but="documents.mail") == ["payments.place"]
