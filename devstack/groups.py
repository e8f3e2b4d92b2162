"""Process groups: whether anything in one still runs, and signals to all of it. Standard library only."""

import os
import signal
from contextlib import suppress
from pathlib import Path

ZOMBIE = "Z"


def group_lives(group: int) -> bool:
    """True while a process of the group runs. The dead that nobody buried do not count: in a container without an
    init process they stay for ever."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(state != ZOMBIE for state in _states(group)) if Path("/proc/self/stat").exists() else True


def signal_group(group: int, number: signal.Signals) -> bool:
    """False when there is no such group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def _states(group: int) -> list[str]:
    states: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                # The name in brackets may itself hold brackets and spaces; what follows is state, parent, group.
                state, _parent, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(its_group) == group:
                    states.append(state)
    return states
