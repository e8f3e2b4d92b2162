"""The real model, exported once and shared by all test processes."""

from pathlib import Path

import pytest

from clients.encoder import connect
from clients.model_files import ensure_files
from shop.ports.encoder import Encoder

MODEL_DIR = Path(".backroom/model")


@pytest.fixture(scope="session", name="encoder")
def _encoder() -> Encoder:
    ensure_files(MODEL_DIR)
    return connect(MODEL_DIR)
