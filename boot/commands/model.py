"""`backroom model`: make the small form of the language model, so that no process has to at run time."""

import os
import time
from pathlib import Path

from boot.commands.screen import err, out
from boot.settings import MODEL_DIR
from clients.model_files import ensure_files


def model() -> None:
    """Export the language model to ONNX where MODEL_DIR says, once: takes 15 seconds and 1.5 GB of memory.

    Run it when a deployment is built: a platform's web process shares no disk with the worker that would make the
    files, and searches by words alone until they are there. Needs no database and no other setting.
    """
    folder = Path(os.environ.get("MODEL_DIR", MODEL_DIR))
    began = time.monotonic()
    with err.status("Exporting the language model …"):
        files = ensure_files(folder)
    out.print(f"{files.folder} is ready ({time.monotonic() - began:.0f} s).", soft_wrap=True)
