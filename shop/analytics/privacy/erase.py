"""Forgetting one person: every row of analytics and search that is theirs, in one transaction, with a receipt."""

from typing import Any

from db.database import Database, Tx
from shop.analytics.events.ingest import ingest
from shop.analytics.events.order_facts import order_facts
from shop.analytics.privacy.privacy import browsers_of, known, wait_for_what_came_before
from shop.analytics.queries import erasing
from shop.analytics.queries import privacy as queries
from shop.analytics.queries.order_facts import lock_facts
from shop.analytics.queries.privacy import Request
from shop.analytics.queries.sessions import lock_sessions
from shop.ports.events import EventStream
from shop.ports.live import LiveCounters, LiveUnavailable
from shop.progress import Progress, unheard

KEPT_BECAUSE = "Orders, payments, invoices and credit notes are kept for as long as tax and commercial law ask."


def erase(
    db: Database,
    stream: EventStream,
    progress: Progress = unheard,
    *,
    request_id: str,
    counters: LiveCounters | None = None,
) -> dict[str, Any]:
    """Erase what this request names. Answers the receipt: how many rows of what. Twice is once.

    What is on its way is stored first, so that it is found. Raises StreamUnavailable while Redis is away, and OnTheWay
    while another drain holds what came before the request.
    """
    ingest(db, stream, progress)
    order_facts(db, progress)
    with db.transaction() as tx:
        # Whoever derives visits or writes facts of orders meanwhile has read what goes now, and would write it again.
        lock_sessions(tx)
        lock_facts(tx)
        asked = known(tx, request_id)
        receipt = asked.receipt
        if receipt is None:
            wait_for_what_came_before(tx, stream, asked)
            receipt = _erased(tx, asked)
            erasing.finish_erasure(tx, request_id, receipt=receipt)
    _forget_presence(counters)
    return receipt


def _forget_presence(counters: LiveCounters | None) -> None:
    if counters is None:
        return
    try:
        counters.forget()
    except LiveUnavailable:
        return  # it remembers who is here, as a number, for half an hour


def _erased(tx: Tx, asked: Request) -> dict[str, Any]:
    found = browsers_of(tx, asked)
    customer = asked.customer_id
    searches, derived = erasing.erase_searches(tx, customer, found.own)
    erasing.forget_orders(tx, customer, found)
    orders, documents = queries.kept_by_law(tx, customer)
    return {
        "request_id": asked.id,
        "erased": {
            "events": erasing.erase_events(tx, customer, found),
            "sign_ins": erasing.erase_links(tx, customer, found),
            "sessions": erasing.erase_sessions(tx, customer, found),
            "trend_notes": erasing.erase_interest(tx, customer, found.own),
            "exposures": erasing.erase_exposures(tx, found.own),
            "quarantined_events": erasing.erase_quarantined(tx, [*found.own, *([customer] if customer else [])]),
            "searches": searches,
            "search_interests": derived,
            "exports": erasing.erase_exports(tx, customer, asked.visitor_id),
        },
        "visitors": len(found.own),
        "shared_visitors": len(found.shared),
        "kept": {"orders": orders, "documents": documents, "because": KEPT_BECAUSE},
    }
