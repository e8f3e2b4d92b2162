"""A copy of what analytics and search know of one person, as JSON."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

from db.database import Database
from shop.analytics.events.ingest import ingest
from shop.analytics.privacy.privacy import browsers_of, known, wait_for_what_came_before
from shop.analytics.queries import privacy as queries
from shop.ports.events import EventStream
from shop.progress import Progress, unheard


def export(db: Database, stream: EventStream, progress: Progress = unheard, *, request_id: str) -> dict[str, Any]:
    """Make the document of this request. Answers its receipt: how many rows of what. Twice is once.

    Raises OnTheWay while another drain holds what came before the request.
    """
    ingest(db, stream, progress)
    with db.transaction() as tx:
        asked = known(tx, request_id)
        if asked.receipt is not None:
            return asked.receipt
        wait_for_what_came_before(tx, stream, asked)
        found = browsers_of(tx, asked)
        content: dict[str, list[Any]] = {
            "events": queries.events_of(tx, asked.customer_id, found),
            "sign_ins": queries.links_of(tx, asked.customer_id, found),
            "sessions": queries.sessions_of(tx, found),
            "searches": queries.searches_of(tx, asked.customer_id, found),
            "interests": queries.interests_of(tx, asked.customer_id, found),
            "experiments": queries.exposures_of(tx, found),
        }
        orders, documents = queries.kept_by_law(tx, asked.customer_id)
        receipt = {
            "request_id": request_id,
            "download": f"/v1/privacy/exports/{request_id}",
            "rows": {name: len(rows) for name, rows in content.items()},
            "elsewhere": {"orders": orders, "documents": documents, "where": "/v1/orders"},
        }
        body = {
            "made_at": datetime.now(UTC).isoformat(),
            "customer_id": asked.customer_id,
            "visitor_ids": found.own,
            **content,
        }
        packed = gzip.compress(json.dumps(body, ensure_ascii=False).encode())
        queries.finish_export(tx, request_id, receipt=receipt, document=packed)
    return receipt
