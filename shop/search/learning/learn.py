"""Joins what people clicked, put into the cart and bought to their searches, and learns from it."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.progress import Progress, unheard
from shop.search.learning.learn_boosts import build_boosts
from shop.search.learning.learn_synonyms import suggest_synonyms
from shop.search.queries import outcomes
from shop.search.queries.suggest import mark, set_mark

DAYS = 7
"""From a click to the cart or the order. Later, something else brought them back."""

FIRST_RUN = timedelta(days=30)

OVERLAP = timedelta(minutes=2)

LATE = timedelta(hours=1)
"""An order may be paid before the event of the click has arrived; it is looked at again for so long."""


STEPS = 5
"""Clicks, carts, orders, synonyms, boosts."""

EVERY = timedelta(days=1)


def learn(db: Database, progress: Progress = unheard) -> dict[str, object]:
    """Answers {clicks, carts, orders, synonyms, boosts}: how many are new; the last two once a day, else 0.

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
    synonyms = boosts = 0
    if _is_a_day_ago(db, now):
        synonyms = suggest_synonyms(db)
        progress(4, STEPS)
        boosts = build_boosts(db, built_at=now)
        with db.transaction() as tx:
            set_mark(tx, "learn.built", now)
    progress(STEPS, STEPS)
    return {"clicks": clicks, "carts": carts, "orders": orders, "synonyms": synonyms, "boosts": boosts}


def _is_a_day_ago(db: Database, now: datetime) -> bool:
    with db.transaction() as tx:
        last = mark(tx, "learn.built")
    return last is None or now - last >= EVERY
