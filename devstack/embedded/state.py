"""What the embedded servers remember from one start to the next: their passwords and their ports."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "servers.json"


@dataclass(frozen=True)
class State:
    home_id: str  # names the data folder when it cannot lie beside this file
    postgres_password: str
    redis_password: str
    postgres_port: int = 0  # 0: none chosen yet
    redis_port: int = 0
    boot: str = ""  # a new one at every start, so that two starts can be told apart


@dataclass(frozen=True)
class Urls:
    database_url: str
    redis_url: str


def load_or_make(root: Path) -> State:
    state = load(root)
    if state is None:
        state = State(secrets.token_hex(8), secrets.token_urlsafe(24), secrets.token_urlsafe(24))
        save(root, state)
    return state


def load(root: Path) -> State | None:
    try:
        return State(**json.loads((root / FILE).read_text()))
    except FileNotFoundError:
        return None


def save(root: Path, state: State) -> None:
    write_private(root / FILE, json.dumps(asdict(state), indent=2))


def write_private(path: Path, text: str) -> None:
    """Written whole or not at all, readable by its owner only: without the passwords the data is lost."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def urls(state: State) -> Urls:
    return Urls(
        database_url=f"postgresql://backroom:{state.postgres_password}@127.0.0.1:{state.postgres_port}/backroom",
        redis_url=f"redis://:{state.redis_password}@127.0.0.1:{state.redis_port}/0",
    )
