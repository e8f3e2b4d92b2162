"""How much processor time and memory programs took: on a busy machine that says more than the clock does."""

from collections.abc import Sequence
from pathlib import Path

PROC = Path("/proc")


class Programs:
    """The processes below each of these heads. New ones are looked for with `look`; what has ended counts as it was."""

    def __init__(self, heads: Sequence[int | None]) -> None:
        self._heads = heads
        self._spent: list[dict[int, float]] = [{} for _ in heads]
        self.look()

    def look(self) -> None:
        children: dict[int, list[int]] = {}
        for path in PROC.glob("[0-9]*"):
            parent = _parent(path)
            if parent is not None:
                children.setdefault(parent, []).append(int(path.name))
        for head, spent in zip(self._heads, self._spent, strict=True):
            for pid in () if head is None else _below(head, children):
                spent.setdefault(pid, 0.0)

    def seconds(self) -> list[float]:
        """Of each head's processes together, threads included, to the nanosecond."""
        for spent in self._spent:
            for pid, before in spent.items():
                spent[pid] = max(before, _seconds(pid))
        return [sum(spent.values()) for spent in self._spent]

    def megabytes(self) -> list[float]:
        """What each head's processes hold; what several share is counted once."""
        return [sum(_proportional(pid) for pid in spent) / 1024 for spent in self._spent]


def _parent(path: Path) -> int | None:
    try:
        return int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, ValueError, IndexError):
        return None  # it has ended


def _below(head: int, children: dict[int, list[int]]) -> list[int]:
    return [head, *(one for child in children.get(head, []) for one in _below(child, children))]


def _seconds(pid: int) -> float:
    spent = 0
    try:
        for thread in (PROC / str(pid) / "task").iterdir():
            spent += int((thread / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return spent / 1e9  # it has ended meanwhile
    return spent / 1e9


def _proportional(pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("Pss:")), 0.0)
