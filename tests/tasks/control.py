"""Relay and reaper as the control process runs them, for the queue `probe`."""

import threading

from boot import broker as brokers
from boot.settings import read_settings
from db.database import Database
from scheduler.__main__ import keep_going
from scheduler.reaper import Reaper, reap
from scheduler.relay import relay


def main() -> None:
    settings = read_settings()
    db = Database(settings.database_url.get_secret_value())
    broker = brokers.connect(settings)
    never = threading.Event()
    reaper = Reaper(db, broker)
    threading.Thread(target=keep_going, args=(never, lambda: relay(db, broker, never, ("probe",))), daemon=True).start()
    keep_going(never, lambda: reap(reaper, never))
