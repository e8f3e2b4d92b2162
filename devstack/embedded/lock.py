"""One owner per folder: a lock that the kernel lets go when its owner dies, however it dies."""

import fcntl
import json
import os
from pathlib import Path

from devstack.embedded.errors import AlreadyRunning


class FolderLock:
    """Held from `take` to `release` by this process; the file tells who holds it and where it answers."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises AlreadyRunning with the holder's pid and address."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            holder = self.holder()
            raise AlreadyRunning(self._what, self._path.parent, int(holder["pid"]), holder["where"]) from None
        self._descriptor = descriptor
        self.tell("")

    def tell(self, where: str) -> None:
        """Write down where the holder answers, for the sentence the next one gets."""
        assert self._descriptor is not None, "only the holder of a lock may write in it"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"pid": os.getpid(), "where": where}).encode(), 0)

    def holder(self) -> dict[str, str]:
        try:
            return {"pid": "0", "where": "", **json.loads(self._path.read_text())}
        except (OSError, ValueError):
            return {"pid": "0", "where": ""}  # taken this instant, not yet written

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """True while any process holds the lock of this file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
