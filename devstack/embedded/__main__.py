"""Run the embedded servers by themselves, or print the addresses of those that run.

python -m devstack.embedded run                   until Ctrl-C
eval "$(python -m devstack.embedded env)"         DATABASE_URL and REDIS_URL of this shell
"""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from devstack.embedded import AlreadyRunning, EmbeddedServers, ServerFailed, Urls, state
from devstack.embedded.lock import is_held

EXIT_FAILED = 1
EXIT_NOT_RUNNING = 3  # as `systemctl status` answers
EXIT_ALREADY_RUNNING = 4


def main() -> int:
    arguments = _parser().parse_args()
    root: Path = arguments.root
    return _print_env(root) if arguments.command == "env" else _run(root)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack.embedded", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("command", choices=["run", "env"], help="start and stay, or print export lines")
    parser.add_argument("--root", type=Path, default=Path(".backroom"), help="folder of the data (.backroom)")
    return parser


def _print_env(root: Path) -> int:
    known = state.load(root)
    if known is None or not is_held(root / "servers.lock"):
        print(f"No embedded servers run from {root.resolve()}.", file=sys.stderr)
        return EXIT_NOT_RUNNING
    _print_exports(state.urls(known))
    return 0


def _run(root: Path) -> int:
    servers = EmbeddedServers(root)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        _print_exports(servers.start())
        print("The servers run. Ctrl-C stops them.", file=sys.stderr)
        while True:
            time.sleep(1)
            for name in servers.revive():
                print(f"{name} had ended and was started again.", file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        return EXIT_ALREADY_RUNNING
    except ServerFailed as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    finally:
        servers.stop()


def _print_exports(urls: Urls) -> None:
    print(f"export DATABASE_URL='{urls.database_url}'\nexport REDIS_URL='{urls.redis_url}'", flush=True)


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
