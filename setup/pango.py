"""Pango draws the invoices' text and is no Python package: is it here, and if not, which one line installs it."""

import ctypes
import platform
import shutil
import sys
from ctypes.util import find_library

# The libraries WeasyPrint loads by name: (for ctypes' search, for the loader itself)
NEEDED = [
    ("gobject-2.0", "libgobject-2.0.so.0"),
    ("pango-1.0", "libpango-1.0.so.0"),
    ("pangoft2-1.0", "libpangoft2-1.0.so.0"),
    ("harfbuzz", "libharfbuzz.so.0"),
    ("harfbuzz-subset", "libharfbuzz-subset.so.0"),
    ("fontconfig", "libfontconfig.so.1"),
]
APT_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
INSTALL = {
    "apt-get": f"apt-get install -y {APT_PACKAGES}",
    "dnf": "dnf install -y pango harfbuzz dejavu-sans-fonts",
    "brew": "brew install pango",
}


def what_is_missing() -> str:
    """The sentence for the person, with the line that installs it; nothing when all is there."""
    missing = [name for name, file in NEEDED if not _loads(name, file)]
    if not missing:
        return ""
    return (
        f"Invoices are drawn with Pango, and {', '.join(missing)} cannot be found. Install it with:\n\n    {line()}\n"
    )


def line() -> str:
    tool = next(
        (name for name in INSTALL if shutil.which(name)), "brew" if platform.system() == "Darwin" else "apt-get"
    )
    return INSTALL[tool] if tool == "brew" else f"sudo {INSTALL[tool]}"


def _loads(name: str, file: str) -> bool:
    for candidate in (file, find_library(name)):
        try:
            ctypes.CDLL(candidate or "")
        except OSError:
            continue
        return bool(candidate)
    return False


if __name__ == "__main__":
    if "--packages" in sys.argv[1:]:  # for a script that installs them itself
        print(APT_PACKAGES)
    else:
        sys.exit(what_is_missing() or 0)
