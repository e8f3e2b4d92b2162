"""Tells visitors without consent apart for one day, by a hash whose salt is thrown away with the day."""

from datetime import UTC, date, datetime
from hashlib import blake2b
from secrets import token_bytes

from db.database import Database, DatabaseUnavailable
from shop.analytics.events.accept import NowhereToKeep
from shop.analytics.queries import salts

SALT_BYTES = 32


class Strangers:
    """Remembers today's salt, so that a batch costs no query. Days are those of UTC."""

    def __init__(self) -> None:
        self._today: tuple[date, bytes] | None = None

    def name(self, db: Database, at: datetime, address: str, agent: str) -> str:
        """The same for the same machine on the same day; nobody can tell it again afterwards.

        Raises NowhereToKeep while the day's salt is neither known here nor to be had: without it a stranger would get a
        second name within the day.
        """
        told = f"{address}\0{agent}".encode()
        return "day-" + blake2b(told, key=self._salt(db, at.astimezone(UTC).date()), digest_size=15).hexdigest()

    def _salt(self, db: Database, day: date) -> bytes:
        if self._today is None or self._today[0] != day:
            try:
                with db.transaction() as tx:
                    self._today = day, salts.salt(tx, day=day, offered=token_bytes(SALT_BYTES))
            except DatabaseUnavailable as error:
                raise NowhereToKeep("events cannot be kept at the moment", retry_after_s=5) from error
        return self._today[1]
