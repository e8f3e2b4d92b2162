"""Which port each part of the local stack listens on: the agreed ones, moved by an offset, or any that is free."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from devstack.embedded.ports import LOOPBACK, free_port, is_free

ANY = 0


class PortTaken(Exception):
    """Somebody else listens where a part of the stack should; the text says who wanted it and what to do."""


@dataclass(frozen=True)
class Ports:
    """The numbers that the frontend and the neighbours' teams know."""

    web: int = 8000
    auth: int = 8001
    products: int = 8002
    carts: int = 8003
    stripe: int = 8010
    mail: int = 8011
    smtp: int = 8025

    def url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{getattr(self, name)}"


def choose_ports(offset: int = 0, wishes: Mapping[str, int] | None = None, *, anywhere: bool = False) -> Ports:
    """The agreed ports plus `offset`, single ones as wished (0: any free one), all free ones with `anywhere`.

    Raises PortTaken, or ValueError for a name or number that makes no sense.
    """
    agreed = vars(Ports())
    unknown = set(wishes or {}) - set(agreed)
    if unknown:
        raise ValueError(f"There is no part called {min(unknown)!r}; there are {', '.join(agreed)}.")
    wanted = {name: ANY if anywhere else port + offset for name, port in agreed.items()} | dict(wishes or {})
    return replace(Ports(), **_settle(wanted))


def _settle(wanted: Mapping[str, int]) -> dict[str, int]:
    settled: dict[str, int] = {}
    for name, port in wanted.items():
        if not 0 <= port <= 65535 or port in settled.values():
            raise ValueError(f"{name} cannot have port {port}.")
        if port != ANY and not is_free(port):
            raise PortTaken(
                f"Port {port} is in use by another program, and {name} belongs there. Free it, or choose another: "
                f"--port {name}={free_port()}, or --port-offset 100 for all "
                '(make run ARGS="--port-offset 100").'
            )
        settled[name] = port or _another(settled)
    return settled


def _another(taken: Mapping[str, int]) -> int:
    while (port := free_port()) in taken.values():
        pass
    return port
