"""Every check that needs no server, one after another; all of them run, so that one look shows all there is to mend."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
# pyright's wheel otherwise asks the network on every run whether there is a newer one.
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}


def main() -> int:
    failed = [name for name, words in checks().items() if not passes(name, words)]
    if failed:
        print(f"\nFailed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def checks() -> "dict[str, list[str]]":
    migrations = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "db" / "migrations").glob("*.sql"))]
    return {
        "format": ["ruff", "format", "--check", "."],
        "lint": ["ruff", "check", "."],
        "types": ["pyright"],
        "imports": ["lint-imports"],
        "migrations": ["squawk", "--reporter", "gcc", *migrations],
        "container": ["hadolint", "Dockerfile"],
        "compose": ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
        "house rules": ["pytest", "-q", "tests/rules"],
    }


def passes(name: str, words: "list[str]") -> bool:
    """Quiet when it passes; else everything the tool said."""
    started = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    took = f"{time.monotonic() - started:5.1f} s"
    if done.returncode == 0:
        print(f"ok      {took}  {name:<12} {last_line(done.stdout)}", flush=True)
        return True
    print(f"FAILED  {took}  {name:<12} {' '.join(words[:3])}\n{done.stdout}{done.stderr}", flush=True)
    return False


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip(" =") if lines else ""


if __name__ == "__main__":
    sys.exit(main())
