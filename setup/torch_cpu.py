"""PyTorch's CPU build, installed by pip before all else: asked for by name alone it brings gigabytes of CUDA.

TORCH_INDEX=ADDRESS takes PyTorch from that package index; TORCH_CUDA=yes takes whatever build pip finds.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

VERSION = "2.13.0"  # as in requirements/runtime.in; its CPU build has a local version, which no hashed lock can name
PIP_TIDIES_WITHIN_S = 10.0
CUDA = ("nvidia-", "cuda-", "triton")
HOW = f"""Your package sources bring PyTorch {VERSION} with gigabytes of CUDA; its CPU build is enough. Choose, once:

    make setup TORCH_INDEX=ADDRESS    the CPU build, from the index that PyTorch's installation page shows for CPU
    make setup TORCH_CUDA=yes         whatever pip finds
"""


def install(python: Path, environment: Mapping[str, str]) -> str:
    """The sentence for the person when it did not work, else nothing."""
    if _installed(python):
        return _cuda_sentence(_packages(python), environment)
    words = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", f"torch=={VERSION}"]
    if environment.get("TORCH_INDEX"):
        words += ["--index-url", environment["TORCH_INDEX"]]
    if environment.get("TORCH_CUDA") != "yes" and _would_bring_cuda(words):
        return HOW
    quiet = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    if subprocess.run([*words, "--quiet"], check=False, env=quiet).returncode != 0:
        return (
            f"PyTorch {VERSION} could not be installed; the lines above say why. If no build fits this machine, "
            "use Python 3.11, 3.12 or 3.13:  make setup PYTHON=python3.12"
        )
    return _cuda_sentence(_packages(python), environment)


def _installed(python: Path) -> bool:
    return any(name == "torch" and version.split("+")[0] == VERSION for name, version in _packages(python).items())


def _would_bring_cuda(words: "list[str | Path]") -> bool:
    """Asked before the installation, and answered at the first CUDA package that pip names: a dry run to its end
    downloads all of them with the pip that comes with Python 3.11."""
    asked = subprocess.Popen([*words, "--dry-run"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert asked.stdout is not None, "standard output is a pipe"
    with asked, asked.stdout as said:
        for line in said:
            if line.strip().startswith(tuple(f"Collecting {name}" for name in CUDA)):
                _cancel(asked)
                return True
    return False


def _cancel(asked: "subprocess.Popen[str]") -> None:
    """As Ctrl-C does, after which pip removes what it had unpacked."""
    asked.send_signal(signal.SIGINT)
    try:
        asked.wait(PIP_TIDIES_WITHIN_S)
    except subprocess.TimeoutExpired:
        asked.kill()


def _packages(python: Path) -> "dict[str, str]":
    words = [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = subprocess.run(words, capture_output=True, text=True, check=False)
    return {item["name"].lower(): item["version"] for item in json.loads(listed.stdout or "[]")}


def _cuda_sentence(packages: "dict[str, str]", environment: Mapping[str, str]) -> str:
    has_cuda = any(name.startswith(CUDA) for name in packages)
    return HOW if has_cuda and environment.get("TORCH_CUDA") != "yes" else ""
