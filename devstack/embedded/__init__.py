"""PostgreSQL and Redis out of two wheels, for a machine with neither: `EmbeddedServers(folder).start()`."""

from devstack.embedded.errors import AlreadyRunning, ServerFailed
from devstack.embedded.servers import EmbeddedServers
from devstack.embedded.state import Urls

__all__ = ["AlreadyRunning", "EmbeddedServers", "ServerFailed", "Urls"]
