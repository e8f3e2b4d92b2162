"""`python -m scheduler`: relay, reaper, drain bell and clock in one process. Two may run; they share the work."""

import signal
import threading
from types import FrameType

import structlog

from boot import broker as brokers
from boot import logs, services
from boot.settings import read_settings
from scheduler.clock import Clock
from scheduler.drain_bell import ring
from scheduler.reaper import Reaper, reap
from scheduler.relay import relay

log = structlog.get_logger()


def main() -> None:
    settings = read_settings()
    logs.configure(settings.log_level, process="control")
    stopping = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    connected = services.connect(settings, name="control")
    broker = brokers.connect(settings)
    clock = Clock(connected.db, settings.zone)
    threads = [
        threading.Thread(target=relay, args=(connected.db, broker, stopping), name="relay"),
        threading.Thread(target=reap, args=(Reaper(connected.db, broker), stopping), name="reaper"),
        threading.Thread(target=ring, args=(connected.db, connected.events, stopping), name="drain bell"),
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


if __name__ == "__main__":
    main()
