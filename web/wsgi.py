"""What granian runs: `granian --interface wsgi web.wsgi:app`, once in each of its worker processes."""

import os
import tempfile
import threading
from pathlib import Path

# Before anything imports prometheus_client: the worker processes of one server share their counts through files, so
# that whichever of them is asked answers for all. The parent's id names the server.
_figures = Path(tempfile.gettempdir()) / f"backroom-web-{os.getppid()}"
_figures.mkdir(mode=0o700, exist_ok=True)
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_figures))

from boot import logs  # noqa: E402 - see above
from boot.services import connect  # noqa: E402
from boot.settings import read_settings  # noqa: E402
from shop.search.find import warm  # noqa: E402
from web.app import create_app  # noqa: E402

settings = read_settings()
logs.configure(settings.log_level, process="web")
services = connect(settings, name="backroom-web")
app = create_app(services)
# The first search finds the model loaded; other requests are answered meanwhile.
threading.Thread(target=warm, args=(services.encoder,), name="warm-encoder", daemon=True).start()
