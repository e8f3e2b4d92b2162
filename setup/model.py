"""The language model's weights are the published ones: their SHA-256 is pinned in setup/model.sha256."""

import hashlib
import subprocess
from pathlib import Path

PINNED = Path(__file__).with_name("model.sha256")


def what_is_wrong(python: Path) -> str:
    """The sentence for the person when the weights installed for `python` are not the pinned ones, else nothing."""
    expected, name = PINNED.read_text().split()
    words = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    folder = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    weights = Path(folder) / name
    if not weights.exists():
        return f"The language model is missing at {weights}. Remove .venv and run the same command again."
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        return f"{weights} is not the pinned language model (SHA-256 {found}, expected {expected}). Do not use it."
    return ""
