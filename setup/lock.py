"""Make requirements/runtime.lock and dev.lock from the .in files beside them (`make lock`; about two minutes).

PyTorch is left out on purpose: setup/torch_cpu.py installs its CPU build first. Everything it needs is in the locks.
requirements.txt is written from runtime.lock: the file that platforms look for. It names PyTorch, and has no hashes
because the CPU build's version is not in every package index.
"""

import re
import subprocess
import sys
from pathlib import Path

import torch_cpu

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["pip-compile", "--quiet", "--generate-hashes", "--strip-extras", "--no-header"]
NO_ADDRESSES = ["--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options"]
LEFT_OUT = ["--unsafe-package", "torch", "--unsafe-package", "pip"]
HEADER = "# Made by `make lock` from {}; not edited by hand. PyTorch comes first, see setup/torch_cpu.py.\n"
PLATFORM = """\
# Made by `make lock` from requirements/runtime.lock, for platforms that look for this file; not edited by hand.
# PyTorch's CPU build: PIP_EXTRA_INDEX_URL names the index that has it, see docs/operations/deploy.md.
"""
NEVER = re.compile(r"^(torch|nvidia-|cuda-|triton)|://", re.MULTILINE)


def main() -> None:
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    make("dev", upgrade)
    make("runtime", [*upgrade, "--constraint", "requirements/dev.lock"])
    (ROOT / "requirements.txt").write_text(for_platforms((ROOT / "requirements" / "runtime.lock").read_text()))


def make(name: str, options: "list[str]") -> None:
    source, target = f"requirements/{name}.in", ROOT / "requirements" / f"{name}.lock"
    print(f"{target.relative_to(ROOT)} from {source} …", flush=True)
    words = [*COMPILE, *NO_ADDRESSES, *LEFT_OUT, *options, "--output-file", target, source]
    done = subprocess.run(
        [Path(sys.executable).with_name("pip-compile"), *words[1:]],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{source} could not be resolved:\n{done.stderr.strip()}")
    text = target.read_text().split("\n# WARNING: The following packages were not pinned")[0].rstrip() + "\n"
    unwanted = NEVER.search(text)
    if unwanted:
        sys.exit(f"{target} would name {unwanted[0]}: make the lock where pip finds PyTorch's CPU build (TORCH_INDEX).")
    target.write_text(HEADER.format(source) + text)
    print(f"  {len(re.findall(r'^[a-zA-Z0-9]', text, re.MULTILINE))} packages", flush=True)


def for_platforms(lock: str) -> str:
    """The packages of the lock with their versions and no hashes, PyTorch among them, and the project itself."""
    pinned = re.findall(r"^[a-z0-9][\w.-]*==[^\s;\\]+", lock, re.MULTILINE)
    return PLATFORM + "\n".join([*sorted([*pinned, f"torch=={torch_cpu.VERSION}"]), "--editable ."]) + "\n"


if __name__ == "__main__":
    main()
