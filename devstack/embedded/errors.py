"""What can go wrong with a server on this machine, each with one sentence for the person who started it."""

from pathlib import Path


class ServerFailed(Exception):
    """A server did not start or did not stay; the text says why and names its log."""


class AlreadyRunning(Exception):
    """Somebody else runs from the same folder; `pid` is theirs."""

    def __init__(self, what: str, folder: Path, pid: int, where: str) -> None:
        at = f", {where}" if where else ""
        super().__init__(
            f"{what} already run from {folder} (process {pid}{at}). Use them, or stop that process first: kill {pid}"
        )
        self.pid = pid
