"""Become a server that holds its lock, has no rights of root, and dies with the process that started it.

Run as a program, never imported: `python -I -S launch.py LOCK DEATH_SIGNAL UID GID PARENT PROGRAM ...`.
A program between the two is needed because a death signal is lost when the user changes, and because code run
between fork and exec in a process with threads may lock up.
"""

import ctypes
import fcntl
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
EXIT_LOCKED = 75  # EX_TEMPFAIL: somebody else holds the lock, the same command may work later
EXIT_ORPHAN = 76  # the parent died before the death signal was set; nobody would ever stop the server


def main(argv: list[str]) -> None:
    lock, death_signal, uid, gid, parent = argv[0], *map(int, argv[1:5])
    hold(lock)
    os.umask(0o077)
    drop_rights(uid, gid)
    die_with(parent, death_signal)
    os.execv(argv[5], argv[5:])  # noqa: S606 (the arguments are devstack's own)


def hold(lock: str) -> None:
    """Lock the file for as long as this process or any child of it lives; the file then names our pid."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(EXIT_LOCKED)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    os.set_inheritable(descriptor, True)  # the server and its children keep the lock through exec


def drop_rights(uid: int, gid: int) -> None:
    if uid == os.geteuid():
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, death_signal: int) -> None:
    if not sys.platform.startswith("linux"):
        return  # no such thing elsewhere: the next start stops what was left
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(EXIT_ORPHAN)


main(sys.argv[1:])
