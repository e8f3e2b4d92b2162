"""Joins what people clicked, put into the cart and bought to the searches they found it with."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.progress import Progress, unheard
from shop.search.queries import outcomes
from shop.search.queries.suggest import mark, set_mark

DAYS = 7
"""From a click to the cart or the order. Later, something else brought them back."""

FIRST_RUN = timedelta(days=30)

OVERLAP = timedelta(minutes=2)

LATE = timedelta(hours=1)
"""An order may be paid before the event of the click has arrived; it is looked at again for so long."""


STEPS = 3
"""Clicks, carts, orders."""


def learn(db: Database, progress: Progress = unheard) -> dict[str, object]:
    """Answers {clicks, carts, orders}, each as many as are new. Running twice changes nothing."""
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
    progress(STEPS, STEPS)
    return {"clicks": clicks, "carts": carts, "orders": orders}
