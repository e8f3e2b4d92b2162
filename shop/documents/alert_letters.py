"""Letters about incidents: one when it begins, one when it is over."""

from db.database import Tx
from shop.documents.errors import NothingToDocument
from shop.documents.evidence_story import stamp
from shop.documents.queries import support_sources
from shop.documents.queries.support_sources import IncidentRow
from shop.documents.support_letter import SupportLetter

ALERTS = ("alert_began", "alert_ended")


def alert_letter(tx: Tx, kind: str, incident_id: str) -> SupportLetter:
    """Raises NothingToDocument for an unknown incident."""
    incident = support_sources.incident(tx, incident_id)
    if incident is None:
        raise NothingToDocument(f"there is no incident {incident_id}")
    return _began(incident) if kind == "alert_began" else _ended(incident)


def _began(incident: IncidentRow) -> SupportLetter:
    if incident.resolved_at is not None:
        return SupportLetter("", unsent_because="the incident is over by now")
    return SupportLetter(
        headline=incident.title,
        subject=_subject(incident),
        words=_sentence(incident.last_words),
        facts=(*_what(incident), ("Since", stamp(incident.opened_at)), ("Incident", incident.id)),
        advice=f"{incident.advice} To say that you look after it: “backroom alerts acknowledge {incident.id}”.",
    )


def _ended(incident: IncidentRow) -> SupportLetter:
    if incident.resolved_at is None:
        return SupportLetter("", unsent_because="the incident goes on")
    return SupportLetter(
        headline=f"Over: {incident.title[:1].lower()}{incident.title[1:]}",
        subject=f"Over: {_subject(incident)}",
        words=_sentence(incident.last_words),
        facts=(
            *_what(incident),
            ("It began", f"{stamp(incident.opened_at)}: {incident.words}"),
            ("Last seen", stamp(incident.last_bad_at)),
            ("Over since", stamp(incident.resolved_at)),
            ("Incident", incident.id),
        ),
        advice="Nothing is to be done.",
    )


def _subject(incident: IncidentRow) -> str:
    return f"{incident.title} ({incident.subject})" if incident.subject else incident.title


def _what(incident: IncidentRow) -> tuple[tuple[str, str], ...]:
    return (("Of", incident.subject),) if incident.subject else ()


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
