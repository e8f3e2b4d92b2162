"""`python -m scheduler`: relay, reaper, drain bell and clock in one process. Two may run; they share the work."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

import structlog

from boot import broker as brokers
from boot import faults, logs, services
from boot.settings import read_settings
from scheduler.clock import Clock
from scheduler.drain_bell import ring
from scheduler.reaper import Reaper, reap
from scheduler.relay import relay

log = structlog.get_logger()

TROUBLE_S = 1.0


def main() -> None:
    settings = read_settings()
    logs.configure(settings.log_level, process="control")
    faults.begin(settings, process="control")
    stopping = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    connected = services.connect(settings, name="control")
    broker = brokers.connect(settings)
    clock = Clock(connected.db, settings.zone)
    reaper = Reaper(connected.db, broker)
    threads = [
        threading.Thread(target=keep_going, args=(stopping, part), name=name)
        for name, part in (
            ("relay", lambda: relay(connected.db, broker, stopping)),
            ("reaper", lambda: reap(reaper, stopping)),
            ("drain bell", lambda: ring(connected.db, connected.events, stopping)),
        )
    ]
    for thread in threads:
        thread.start()
    clock.start()
    log.info("control started")
    stopping.wait()
    clock.stop()
    for thread in threads:
        thread.join(timeout=10)
    log.info("control stopped")


def keep_going(stopping: threading.Event, part: Callable[[], None]) -> None:
    """Each part bears what it expects, PostgreSQL's and Redis' absence. A bug must not end it without a word either,
    in a process that looks alive: it is logged, and the part begins again."""
    while not stopping.is_set():
        try:
            part()
        except Exception:
            log.exception("a part of the control process failed and begins again")
            stopping.wait(TROUBLE_S)


if __name__ == "__main__":
    main()
