"""A shop driven at random stays whole after every step and ends as ten lines of a model say.

`python -m bench.proofs model --runs 200 --steps 40` goes further; `--shrink` looks for the fewest steps that go wrong.
"""

from collections.abc import Iterator

import pytest

from bench.proofs.house import House, open_house
from bench.proofs.model import predicted
from bench.proofs.shopping import prove
from devstack.embedded.databases import create_database, drop_database
from devstack.embedded.state import Urls

RUNS = 10
STEPS = 25


@pytest.fixture(scope="module", name="house")
def _house(servers: Urls, template: str) -> Iterator[House]:
    name = f"{template}_model"
    url = create_database(servers.database_url, name, template=template)
    with open_house(url, servers.redis_url) as house:
        house.queues = ("payments",)
        yield house
    drop_database(servers.database_url, name)


def test_whatever_is_done_to_it_the_shop_stays_whole_and_ends_as_the_model_says(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = prove(lambda: house, runs=RUNS, steps=STEPS, derandomize=True)
    with capsys.disabled():
        print(f"\n{counts}")
    assert counts.runs >= RUNS
    assert counts.done.total() > RUNS * STEPS // 3


@pytest.mark.parametrize(
    ("intents", "captured", "refunded", "manual", "shipped", "end"),
    [
        ([], 0, 0, False, None, "rejected"),
        (["succeeded"], 4490, 0, False, None, "paid"),
        (["succeeded", "canceled"], 4490, 490, False, None, "partially_refunded"),
        (["succeeded"], 4490, 4490, False, None, "refunded"),
        (["canceled"], 0, 0, False, None, "canceled"),
        (["requires_capture"], 0, 0, True, None, "authorized"),
        (["requires_capture"], 0, 0, False, None, "paid"),
        (["requires_payment_method"], 0, 0, False, None, "awaiting_payment"),
    ],
)
def test_the_model_in_examples(
    intents: list[str], captured: int, refunded: int, manual: bool, shipped: int | None, end: str
) -> None:
    theirs = {"intents": intents, "captured": captured, "refunded": refunded}
    assert predicted("whatever", theirs, manual, shipped) == end
