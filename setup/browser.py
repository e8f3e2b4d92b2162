"""Install the browser that tests/browser drives (`make browser`): Debian's package as root, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        print(f"There is one already: {found}")
        return 0
    for words in commands():
        print(f"$ {' '.join(words)}", flush=True)
        if subprocess.run(words, check=False).returncode != 0:
            print("That did not work. Install Chromium by other means; the tests take any that is on the PATH.")
            return 1
    return 0


def commands() -> "list[list[str]]":
    if shutil.which("apt-get") and os.geteuid() == 0:
        return [["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]]
    return [[str(Path(sys.executable).with_name("playwright")), "install", "chromium"]]


if __name__ == "__main__":
    sys.exit(main())
