"""Joins what people clicked, put into the cart and bought to their searches, and learns synonyms from it."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.progress import Progress, unheard
from shop.search.learn_synonyms import suggest_synonyms
from shop.search.queries import outcomes
from shop.search.queries.suggest import mark, set_mark

DAYS = 7
"""From a click to the cart or the order. Later, something else brought them back."""

FIRST_RUN = timedelta(days=30)

OVERLAP = timedelta(minutes=2)

LATE = timedelta(hours=1)
"""An order may be paid before the event of the click has arrived; it is looked at again for so long."""


STEPS = 4
"""Clicks, carts, orders, synonyms."""

SYNONYMS_EVERY = timedelta(days=1)


def learn(db: Database, progress: Progress = unheard) -> dict[str, object]:
    """Answers {clicks, carts, orders, synonyms}: how many are new, and once a day how many synonyms are suggested.

    Running twice changes nothing.
    """
    now = datetime.now(UTC)
    with db.transaction() as tx:
        outcomes.lock(tx)
        last = mark(tx, "learn.outcomes") or now - FIRST_RUN
        clicks = outcomes.note_clicks(tx, since=last - OVERLAP)
        progress(1, STEPS)
        carts = outcomes.note_carts(tx, since=last - LATE, days=DAYS)
        progress(2, STEPS)
        orders = outcomes.note_orders(tx, since=last - LATE, days=DAYS)
        set_mark(tx, "learn.outcomes", now)
    progress(3, STEPS)
    synonyms = _synonyms(db, now)
    progress(STEPS, STEPS)
    return {"clicks": clicks, "carts": carts, "orders": orders, "synonyms": synonyms}


def _synonyms(db: Database, now: datetime) -> int:
    with db.transaction() as tx:
        last = mark(tx, "learn.synonyms")
    if last is not None and now - last < SYNONYMS_EVERY:
        return 0
    suggested = suggest_synonyms(db)
    with db.transaction() as tx:
        set_mark(tx, "learn.synonyms", now)
    return suggested
