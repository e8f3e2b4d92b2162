"""What somebody on duty should know of: outcomes that nobody knows, money about to slip away, books that differ."""

from dataclasses import dataclass

from db.database import Database
from shop.payments.clocks.watch import DEADLINE_NEAR
from shop.payments.queries import orders, resolving, watching


@dataclass(frozen=True, slots=True)
class Concerns:
    """Counts; `unknown_for_s` is the age of the oldest unknown outcome in seconds, 0 when there is none.

    `unexplained`: differences of the latest reconciliation that nothing explains and nobody decided about;
    `reconciled_s` ago it ended, None where there never was one.
    """

    unknown: int
    unknown_for_s: float
    expiring: int
    unexplained: int
    reconciled_s: float | None


def concerns(db: Database) -> Concerns:
    """Read from small partial indexes: cheap enough for every scrape."""
    with db.transaction() as tx:
        unknown, since, expiring = watching.figures(tx, within_s=DEADLINE_NEAR.total_seconds())
        books = resolving.latest(tx)
        age_s = (orders.clock(tx) - since).total_seconds() if since else 0.0
    return Concerns(unknown, age_s, expiring, books.unexplained, books.ended_s)
