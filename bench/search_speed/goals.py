"""What was wanted of the figures, and by how much it is met or missed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

TIMES_BARE = 2.0
"""End to end through HTTP, of bare encoder and bare graph together, at p50."""

PATH_P95_MS = 10.0
PATH_PRODUCTS = 30_000
"""The read path's goal is set for the two real catalogues, 26,170 products."""

RECALL = 0.97


@dataclass(frozen=True)
class Goal:
    """`ratio`: what was measured by what was wanted; met is at most 1 where less is better, else at least 1."""

    name: str
    measured: float
    wanted: float
    less_is_better: bool = True

    @property
    def ratio(self) -> float:
        return round(self.measured / self.wanted, 3)

    @property
    def met(self) -> bool:
        return self.measured <= self.wanted if self.less_is_better else self.measured >= self.wanted

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


def goals(size: int, figures: Mapping[str, Any]) -> list[Goal]:
    parts = figures["one_by_one"]
    found = [Goal("through HTTP by (encoder + graph), p50", times_bare(parts), TIMES_BARE)]
    if size <= PATH_PRODUCTS:
        found.append(Goal("read path p95, ms", parts["path"]["p95_ms"], PATH_P95_MS))
    found += [
        Goal(f"recall@10 of {name}", one["recall"], RECALL, less_is_better=False)
        for name, one in figures["nearness"]["product_by_filter"].items()
    ]
    return found


def times_bare(parts: Mapping[str, Any]) -> float:
    bare = parts["encoder"]["p50_ms"] + parts["graph"]["p50_ms"]
    return round(parts["http_new"]["p50_ms"] / bare, 2)


def processor_times_bare(parts: Mapping[str, Any]) -> float:
    """The same of processor time, all processes together: what a busy machine changes least."""

    def spent(name: str) -> float:
        return sum(parts[name]["processor_ms"].values())

    # What the asking side spends on reading the answer is not the shop's.
    shop = spent("http_new") - parts["http_new"]["processor_ms"]["here"]
    return round(shop / (spent("encoder") + spent("graph")), 2)
