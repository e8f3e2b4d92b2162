"""What granian runs: `granian --interface wsgi web.wsgi:app`, once in each of its worker processes."""

import atexit
import os
import tempfile
import threading
from pathlib import Path

# Before anything imports prometheus_client: the worker processes of one server share their counts through files, so
# that whichever of them is asked answers for all. The parent's id names the server.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    _figures = Path(tempfile.gettempdir()) / f"backroom-web-{os.getppid()}"
    _figures.mkdir(mode=0o700, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_figures)

from boot import faults, logs, traces
from boot.services import connect
from boot.settings import read_settings
from shop.search.answering.find import warm
from web.app import create_app

settings = read_settings()
logs.configure(settings.log_level, process="web")
traces.begin(settings, process="web")
faults.begin(settings, process="web")
atexit.register(traces.end)
services = connect(settings, name="backroom-web")
app = create_app(services)
# The first search finds the model loaded; other requests are answered meanwhile.
threading.Thread(target=warm, args=(services.encoder,), name="warm-encoder", daemon=True).start()
