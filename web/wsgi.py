"""What granian runs: `granian --interface wsgi web.wsgi:app`."""

from boot import logs
from boot.services import connect
from boot.settings import read_settings
from web.app import create_app

settings = read_settings()
logs.configure(settings.log_level, process="web")
app = create_app(connect(settings, name="backroom-web"))
