"""Gigabytes that nobody needs are refused before they are downloaded."""

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

SETUP = Path(__file__).resolve().parents[2] / "setup"
A_DOWNLOAD_S = 60  # what the pip below would still take after its first CUDA package


@pytest.fixture
def torch_cpu() -> ModuleType:
    """`setup/` is run by the machine's own Python and is no package."""
    spec = importlib.util.spec_from_file_location("torch_cpu", SETUP / "torch_cpu.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_first_cuda_package_ends_the_set_up_with_a_sentence_and_no_download(
    torch_cpu: ModuleType, tmp_path: Path
) -> None:
    python = _python_whose_pip_says(tmp_path, f"echo 'Collecting nvidia-cublas==13.1'; exec sleep {A_DOWNLOAD_S}")
    began = time.monotonic()
    sentence = torch_cpu.install(python, {})
    assert "TORCH_INDEX=ADDRESS" in sentence
    assert time.monotonic() - began < A_DOWNLOAD_S / 2
    assert not (tmp_path / "installed").exists()


def test_without_cuda_or_with_consent_it_is_installed(torch_cpu: ModuleType, tmp_path: Path) -> None:
    python = _python_whose_pip_says(tmp_path, "echo 'Collecting sympy'")
    assert torch_cpu.install(python, {}) == ""
    assert (tmp_path / "installed").exists()

    python = _python_whose_pip_says(tmp_path, "exit 1")
    (tmp_path / "installed").unlink()
    assert torch_cpu.install(python, {"TORCH_CUDA": "yes"}) == ""
    assert (tmp_path / "installed").exists()


def _python_whose_pip_says(folder: Path, dry_run: str) -> Path:
    """A stand-in for the environment's Python: `-m pip list` knows nothing, a dry run does as told."""
    python = folder / "python"
    python.write_text(
        f"#!/bin/sh\ncase \"$*\" in\n*list*) echo '[]';;\n*--dry-run*) {dry_run};;\n"
        f"*) touch {folder}/installed;;\nesac\n"
    )
    python.chmod(0o755)
    return python
