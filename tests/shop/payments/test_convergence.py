"""Facts of real runs, permuted, doubled, late, lost and swept again: the same state, books and effects.

`python -m bench.proofs convergence --runs 20000` does more of it.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench.proofs.convergence import lasting, prove_database, prove_fold
from bench.proofs.house import House, open_house
from bench.proofs.stories import STORIES, History, record
from devstack.embedded.databases import create_database, drop_database
from devstack.embedded.state import Urls
from shop.payments.orders.fold import fold

PERMUTATIONS = 2000
INTO_ROWS = 48


@pytest.fixture(scope="module", name="house")
def _house(servers: Urls, template: str) -> Iterator[House]:
    name = f"{template}_convergence"
    url = create_database(servers.database_url, name, template=template)
    with open_house(url, servers.redis_url) as house:
        house.queues = ("payments",)
        yield house
    drop_database(servers.database_url, name)


@pytest.fixture(scope="module", name="histories")
def _histories(house: House) -> list[History]:
    return record(house)


def test_the_runs_are_of_every_kind(histories: list[History]) -> None:
    assert len(histories) == len(STORIES) >= 16
    ends = {fold(history.facts).status for history in histories}
    assert {"paid", "partially_refunded", "refunded", "canceled", "expired"} <= ends
    assert any(fold(history.facts).disputed for history in histories)
    assert all(history.told for history in histories)


def test_in_whatever_order_and_however_often_facts_come_the_state_is_the_same(
    histories: list[History], capsys: pytest.CaptureFixture[str]
) -> None:
    counts = prove_fold(histories, PERMUTATIONS, derandomize=True)
    with capsys.disabled():
        print(f"\nfold: {counts}")
    assert counts.tried >= PERMUTATIONS
    assert len(counts.orders_of_facts) > PERMUTATIONS // 2


def test_through_the_database_they_end_in_the_same_rows_books_and_effects(
    house: House, histories: list[History], capsys: pytest.CaptureFixture[str]
) -> None:
    counts = prove_database(house, histories, INTO_ROWS, seed=20261123)
    with capsys.disabled():
        print(f"\nrows: {counts}")
    assert counts.tried == INTO_ROWS


def test_the_proof_would_notice(histories: list[History]) -> None:
    """A fact too few, or one that says something else, does change the end."""
    for history in histories:
        end = lasting(fold(history.facts))
        silent = [fact for fact in history.facts if fact.kind not in {"payment.seen", "order.rejected"}]
        assert lasting(fold(silent)) != end
    (refunded,) = [history for history in histories if history.name == "refunded in three parts"]
    facts = [fact for fact in refunded.facts if fact.kind != "refund.seen"]
    assert fold(facts).refunded == 0
    changed = [replace(fact, amount_minor=2) if fact.amount_minor == 1 else fact for fact in refunded.facts]
    assert fold(changed) != fold(refunded.facts)
