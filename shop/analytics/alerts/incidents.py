"""Incidents as people see them: listed, read, and taken on by somebody."""

from db.database import Database
from shop.analytics.queries import alerts
from shop.analytics.queries import incidents as queries
from shop.analytics.queries.alerts import Watched
from shop.analytics.queries.incidents import Incident
from shop.errors import NotFound, Rejected


class AlreadyOver(Rejected):
    """The incident has ended; there is nothing to take on."""

    code = "already_resolved"


def listed(db: Database, *, status: str | None, before: str | None, limit: int) -> list[Incident]:
    """Newest first; `status` is open, acknowledged or resolved."""
    with db.transaction() as tx:
        return queries.incidents(tx, status=status, before=before, limit=limit)


def read(db: Database, incident_id: str) -> Incident:
    with db.transaction() as tx:
        return _known(queries.incident(tx, incident_id), incident_id)


def acknowledge(db: Database, incident_id: str, *, by: str, note: str | None = None) -> Incident:
    """`by` looks after it. Who was first stays: asking again answers the incident as it is.

    Raises NotFound, AlreadyOver.
    """
    with db.transaction() as tx:
        if not queries.acknowledge(tx, incident_id, by=by, note=note):
            found = _known(queries.incident(tx, incident_id), incident_id)
            if found.status == "resolved":
                raise AlreadyOver(f"{incident_id} has ended")
        return _known(queries.incident(tx, incident_id), incident_id)


def watched(db: Database) -> list[Watched]:
    """The last look at everything, whether anything is wrong with it or not."""
    with db.transaction() as tx:
        return alerts.watched(tx, None)


def going_on(db: Database) -> dict[str, int]:
    """Incidents that are not over, by kind; cheap enough for every scrape."""
    with db.transaction() as tx:
        return queries.going_on(tx)


def _known(row: Incident | None, incident_id: str) -> Incident:
    if row is None:
        raise NotFound(f"there is no incident {incident_id}")
    return row
