"""The toy shop for granian: what the foundation does on a real server."""

from boot.services import connect
from boot.settings import read_settings
from tests.web import toyshop
from web.app import create_app

app = create_app(connect(read_settings(), name="toys"), [toyshop.group()])
