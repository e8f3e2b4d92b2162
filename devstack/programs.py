"""The programs of the local stack: the neighbours' stand-ins and the Procfile's lines, and when they are ready."""

import shlex
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from devstack.addresses import Ports
from devstack.processes import Program, read_procfile

RELEASE = "release"  # Heroku runs this line once before the others
ASK_WITHIN_S = 2.0


def neighbours(ports: Ports, environment: Mapping[str, str], root: Path) -> list[Program]:
    """The services that exist elsewhere in a real shop, each a process of its own."""
    # Several during a rotation; whoever sends signs with one of them.
    secret = environment["STRIPE_WEBHOOK_SECRETS"].split(",")[0].strip()
    hook = f"{ports.url('web')}/v1/webhooks/stripe"
    options: dict[str, tuple[str, ...]] = {
        "auth": ("--issuer", ports.url("auth"), "--key-file", str(root / "auth-keys.json")),
        "products": (),
        "carts": (),
        "mail": ("--smtp-port", str(ports.smtp)),
        "stripe": ("--webhook-url", hook, "--webhook-secret", secret),
    }
    # Kept between runs as the database is: an order of yesterday must be paid, refunded and reconciled today.
    state = root / "stand-ins"
    commands = {
        name: _stand_in(name, getattr(ports, name), "--state", str(state / f"{name}.db"), *more)
        for name, more in options.items()
    }
    return [Program(name, command, neighbour=True) for name, command in commands.items()]


def own_programs(folder: Path) -> list[Program]:
    """The lines of the Procfile but the release."""
    return [program for program in read_procfile(folder / "Procfile") if program.name != RELEASE]


def release_command(folder: Path) -> str | None:
    return next((one.command for one in read_procfile(folder / "Procfile") if one.name == RELEASE), None)


def checks_of_neighbours(ports: Ports) -> dict[str, Callable[[], bool]]:
    return {
        name: _answers(f"{ports.url(name)}/health/live") for name in ("auth", "products", "carts", "mail", "stripe")
    }


def checks_of_own(ports: Ports) -> dict[str, Callable[[], bool]]:
    """The web process says for itself when it can serve; workers need no check, their jobs wait in the database."""
    return {"web": _answers(f"{ports.url('web')}/health/ready")}


def seed_command(ports: Ports) -> str:
    images = f"{ports.url('products')}/images"
    addresses = [f"--{name}-url={ports.url(name)}" for name in ("auth", "products", "carts")]
    return shlex.join(["python", "-m", "devstack.seed", f"--images-url={images}", *addresses])


def _stand_in(name: str, port: int, *options: str) -> str:
    return "exec " + shlex.join(["python", "-m", f"devstack.stand_ins.{name}", "--port", str(port), *options])


def _answers(url: str) -> Callable[[], bool]:
    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=ASK_WITHIN_S) as answer:  # noqa: S310 (http on loopback)
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    return answers
