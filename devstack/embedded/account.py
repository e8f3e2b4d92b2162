"""Who runs the servers, and where: PostgreSQL refuses root, and root's folders are closed to others."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from devstack.embedded.errors import ServerFailed

# Accounts that exist already, so that nothing is added to the machine. Their own uid keeps the data private.
UNPRIVILEGED = ("postgres", "nobody")
# Root can always write here and everybody may walk through it (Filesystem Hierarchy Standard, 5.8).
ELSEWHERE = Path("/var/lib/backroom")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def account_for(folder: Path) -> Account:
    """The account that runs the servers of `folder`: ourselves, or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()))
    if folder.exists() and folder.stat().st_uid != 0:
        return _account(pwd.getpwuid(folder.stat().st_uid))
    for name in UNPRIVILEGED:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise ServerFailed(
        "PostgreSQL does not run as root and there is no account 'nobody'. Run this as an ordinary user."
    )


def home_for(root: Path, account: Account, home_id: str) -> Path:
    """The folder of the servers' data: `root`, or under /var/lib where the account cannot reach it."""
    root.chmod(0o711 if os.geteuid() == 0 else 0o700)
    if may_enter(account, root):
        return root
    home = ELSEWHERE / home_id
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    return home


def give(folder: Path, account: Account) -> None:
    """Make `folder`, closed to others, and hand it with all it holds to the account."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if os.geteuid() != 0 or folder.stat().st_uid == account.uid:
        return
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def reachable(program: Path, package: Path, distribution: str, account: Account) -> Path:
    """A path of `program`, part of `package`, that the account may run: a copy if root's folders hide it."""
    if os.geteuid() != 0 or _may_run(account, program):
        return program
    copies = ELSEWHERE / f"{distribution}-{version(distribution)}"
    # A program's own libraries lie beside the package, and it finds them by their place relative to it.
    for source in (package, package.with_name(f"{package.name}.libs")):
        target = copies / source.name
        if source.exists() and not target.exists():
            _copy(source, target)
    return copies / package.name / program.relative_to(package)


def may_enter(account: Account, folder: Path) -> bool:
    if os.geteuid() == account.uid:
        return True
    return _succeeds(account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder.resolve())])


def _may_run(account: Account, program: Path) -> bool:
    return _succeeds(account, [str(program), "--version"])


def _succeeds(account: Account, argv: list[str]) -> bool:
    try:
        return (
            subprocess.run(
                argv,
                user=account.uid,
                group=account.gid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )
    except PermissionError:
        return False


def _copy(source: Path, target: Path) -> None:
    """Copy by way of another name, so that a copy cut short is never taken for a whole one."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(source, unfinished, symlinks=True)
    for path in [target.parent, target.parent.parent, unfinished, *unfinished.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
    try:
        unfinished.rename(target)
    except OSError:  # another start was faster, and its copy is as good
        shutil.rmtree(unfinished)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
