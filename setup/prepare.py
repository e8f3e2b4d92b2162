"""Everything `make run`, `make test` and `make check` need, made once and made again only when something changed.

Run by the machine's own Python, standard library only. Safe to repeat; one that was cut short is carried on.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import model
import pango
import torch_cpu

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements" / "dev.lock"
STAMP = VENV / "set-up-of"
# What the set-up depends on: when one of these changes, it is done again.
INPUTS = [LOCK, ROOT / "pyproject.toml", *sorted((ROOT / "setup").glob("*.py")), ROOT / "setup" / "model.sha256"]


def main() -> None:
    sentence = pango.what_is_missing()
    if sentence:
        stop(sentence)
    if is_done():
        return
    with one_at_a_time():
        if is_done():  # another make did it while we waited
            return
        started = time.monotonic()
        for number, (what, step) in enumerate(STEPS, start=1):
            print(f"[{number}/{len(STEPS)}] {what}", flush=True)
            step()
        STAMP.write_text(fingerprint())
        print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


def is_done() -> bool:
    return STAMP.exists() and STAMP.read_text() == fingerprint() and runs(PYTHON)


def fingerprint() -> str:
    """The inputs, this Python and this place: an environment cannot be moved, and serves one Python only."""
    digest = hashlib.sha256(f"{ROOT} {sys.version_info[:2]}".encode())
    for path in INPUTS:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def one_at_a_time() -> Generator[None]:
    """Two makes in two windows must not write the same environment; the kernel frees the lock of a dead one."""
    path = ROOT / ".backroom" / "set-up.lock"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up of this folder is at work; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_environment() -> None:
    STAMP.unlink(missing_ok=True)
    if runs(PYTHON) and version_of(PYTHON) == version_of(Path(sys.executable)) and runs(VENV / "bin" / "pip"):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        stop(
            "Python cannot make a virtual environment here. "
            f"On Debian or Ubuntu install its part for that:  sudo apt-get install -y {package}\n"
            f"Python said: {(made.stderr or made.stdout).strip()}"
        )


def install_torch() -> None:
    sentence = torch_cpu.install(PYTHON, os.environ)
    if sentence:
        stop(sentence)


def install_locked() -> None:
    """Exactly the files the lock names; --no-deps because the lock is complete but for PyTorch, installed before."""
    pip("--no-deps", "--require-hashes", "--requirement", LOCK, said="The locked packages could not be installed")


def install_project() -> None:
    pip("--no-deps", "--no-build-isolation", "--editable", ROOT, said="The project itself could not be installed")
    check = subprocess.run([PYTHON, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    if check.returncode != 0:
        stop(f"The installed packages do not fit together (make lock mends that): {check.stdout.strip()}")


def check_model() -> None:
    sentence = model.what_is_wrong(PYTHON)
    if sentence:
        stop(sentence)


STEPS = [
    ("virtual environment in .venv", make_environment),
    (f"PyTorch {torch_cpu.VERSION}, CPU build (about 200 MB)", install_torch),
    ("locked packages (about 400 MB, some minutes the first time)", install_locked),
    ("this project", install_project),
    ("the language model's checksum", check_model),
]


def pip(*words: "str | Path", said: str) -> None:
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    if subprocess.run([*command, *words], check=False, env=quiet_root()).returncode != 0:
        stop(f"{said}; the lines above say why. Run the same command again to carry on where it stopped.")


def quiet_root() -> "dict[str, str]":
    """pip warns root about the system's packages; ours go into .venv."""
    return {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}


def runs(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def version_of(python: Path) -> str:
    words = [python, "-c", "import sys; print(sys.version_info[:2])"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def stop(sentence: str) -> NoReturn:
    sys.exit(f"\n{sentence}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("Stopped. Run the same command again to carry on.")
