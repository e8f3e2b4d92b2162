"""Ends what a supervisor leaves behind when it dies without a word: whole process groups, not only their heads.

Run as a program, never imported: `python -S -m devstack.warden LOCK`. Standard input names the groups (`+123` begun,
`-123` gone) and its end is the supervisor's. A death signal would reach only the children, not what they started.
"""

import fcntl
import os
import signal
import sys
import time

from devstack.groups import group_lives, signal_group

GRACE_S = 5.0  # after a crash nobody waits for a graceful end, and the next start wants the ports


def main(lock: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever stops the supervisor stops us by that
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # held until all groups are gone: the next start waits for it
    os.write(1, b"ready\n")
    end(listen())


def listen() -> set[int]:
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    return groups


def end(groups: set[int]) -> None:
    for group in groups:
        signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while any(map(group_lives, groups)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)


main(sys.argv[1])
