"""How the tests are shared out among the processes of one run: by file, the slowest first, one stack for all journeys."""

from collections import Counter

import pytest
from xdist.scheduler import LoadScopeScheduling

JOURNEYS = "tests/journeys/"


class ByFile(LoadScopeScheduling):
    """A file's tests share its fixtures, so they stay together; the journeys share a whole running shop."""

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEYS if nodeid.startswith(JOURNEYS) else nodeid.partition("::")[0]


def slowest_first(items: list[pytest.Item]) -> None:
    """Sort in place: the journeys, which take minutes, then the files with the most tests.

    What is begun last decides when a run ends, so it should be small.
    """
    counts = Counter(item.location[0] for item in items)
    items.sort(key=lambda item: (not item.nodeid.startswith(JOURNEYS), -counts[item.location[0]], item.location[0]))
