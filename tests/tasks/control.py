"""Relay and reaper as the control process runs them, for the queue `probe`."""

import threading

from boot import broker as brokers
from boot.settings import read_settings
from db.database import Database
from scheduler.reaper import Reaper, reap
from scheduler.relay import relay


def main() -> None:
    settings = read_settings()
    db = Database(settings.database_url.get_secret_value())
    broker = brokers.connect(settings)
    never = threading.Event()
    threading.Thread(target=relay, args=(db, broker, never, ("probe",)), daemon=True).start()
    reap(Reaper(db, broker), never)
