"""SQL of what is known of one person: finding it, handing it out, forgetting it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Request:
    id: str
    kind: str
    customer_id: str | None
    visitor_id: str | None
    visitor_ids: list[str] | None
    asked_by: str
    receipt: dict[str, Any] | None
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Browsers:
    """Visitor ids a customer was signed in with. What was done under a `shared` one while nobody was signed in may be
    anybody's, so it is left alone."""

    own: list[str]
    shared: list[str]


def insert(
    tx: Tx, *, request_id: str, kind: str, customer_id: str | None, visitor_id: str | None, asked_by: str
) -> None:
    tx.execute(
        """
        INSERT INTO privacy_requests (id, kind, customer_id, visitor_id, asked_by)
        VALUES (%(id)s, %(kind)s, %(customer_id)s, %(visitor_id)s, %(asked_by)s)
        """,
        {
            "id": request_id,
            "kind": kind,
            "customer_id": customer_id,
            "visitor_id": visitor_id,
            "asked_by": asked_by,
        },
    )


def request(tx: Tx, request_id: str) -> Request | None:
    """Locked until the caller commits."""
    return (
        tx.cursor(row_factory=class_row(Request))
        .execute(
            """
            SELECT id, kind, customer_id, visitor_id, visitor_ids, asked_by, receipt, created_at, done_at
              FROM privacy_requests WHERE id = %(id)s FOR UPDATE
            """,
            {"id": request_id},
        )
        .fetchone()
    )


def browsers(tx: Tx, customer_id: str) -> Browsers:
    """By sign-ins, searches and orders. Where somebody else was signed in, or the link was undone, it is shared."""
    row = tx.execute(
        """
        WITH mine AS (
            SELECT visitor_id FROM identity_links WHERE user_id = %(customer_id)s
         UNION
            SELECT visitor_id FROM search_queries WHERE customer_id = %(customer_id)s AND visitor_id IS NOT NULL
         UNION
            SELECT visitor_id FROM orders WHERE customer_id = %(customer_id)s AND visitor_id IS NOT NULL
        ), judged AS (
            SELECT visitor_id,
                   EXISTS (SELECT 1 FROM identity_links AS link
                            WHERE link.visitor_id = mine.visitor_id
                              AND (link.user_id <> %(customer_id)s) <> link.undone)
                   OR EXISTS (SELECT 1 FROM search_queries AS searched
                               WHERE searched.visitor_id = mine.visitor_id
                                 AND searched.customer_id <> %(customer_id)s) AS shared
              FROM mine
        )
        SELECT coalesce(array_agg(visitor_id ORDER BY visitor_id) FILTER (WHERE NOT shared), '{}'),
               coalesce(array_agg(visitor_id ORDER BY visitor_id) FILTER (WHERE shared), '{}')
          FROM judged
        """,
        {"customer_id": customer_id},
    ).fetchone()
    return Browsers(*row) if row else Browsers([], [])


def events_of(tx: Tx, customer: str | None, found: Browsers) -> list[dict[str, Any]]:
    rows = tx.execute(
        """
        SELECT to_jsonb(event)
          FROM (SELECT event_id, name, source, ts, ts_client, received_at, visitor_id, user_id, session_id, consent,
                       bot_score, path, referrer_host, channel, campaign, device, country, product_id, order_id,
                       search_id, position, quantity, price_minor, currency, props
                  FROM events
                 WHERE (visitor_id = ANY(%(own)s)
                        AND (%(customer)s::text IS NULL OR user_id IS NULL OR user_id = %(customer)s))
                    OR (visitor_id = ANY(%(shared)s) AND user_id = %(customer)s)
              ORDER BY ts, event_id) AS event
        """,
        {"customer": customer, "own": found.own, "shared": found.shared},
    ).fetchall()
    return [row[0] for row in rows]


def sessions_of(tx: Tx, found: Browsers) -> list[dict[str, Any]]:
    """Visits of browsers on which nobody else was signed in."""
    rows = tx.execute(
        """
        SELECT to_jsonb(visit)
          FROM (SELECT id, visitor_id, user_id, started_at, ended_at, entry_path, exit_path, referrer_host, channel,
                       campaign, device, country, events, pages, products, carted, checkout, orders, engaged, bot_score
                  FROM sessions
                 WHERE visitor_id = ANY(%(own)s)
              ORDER BY started_at, id) AS visit
        """,
        {"own": found.own},
    ).fetchall()
    return [row[0] for row in rows]


def searches_of(tx: Tx, customer: str | None, found: Browsers) -> list[dict[str, Any]]:
    rows = tx.execute(
        """
        SELECT to_jsonb(search)
          FROM (SELECT id, searched_at, customer_id, visitor_id, query, filters, sort, total
                  FROM search_queries
                 WHERE customer_id = %(customer)s
                    OR (visitor_id = ANY(%(own)s) AND (customer_id IS NULL OR customer_id = %(customer)s))
              ORDER BY searched_at, id) AS search
        """,
        {"customer": customer, "own": found.own},
    ).fetchall()
    return [row[0] for row in rows]


def links_of(tx: Tx, customer: str | None, found: Browsers) -> list[dict[str, Any]]:
    """Sign-ins of the customer, and none of others on the same browsers; with what staff decided about each."""
    rows = tx.execute(
        """
        SELECT to_jsonb(link)
          FROM (SELECT visitor_id, user_id, first_at, last_at, undone,
                       (SELECT coalesce(jsonb_agg(jsonb_build_object('linked', linked, 'reason', reason,
                                                                     'at', decided_at) ORDER BY id), '[]')
                          FROM identity_decisions AS decision
                         WHERE decision.visitor_id = identity_links.visitor_id
                           AND decision.user_id = identity_links.user_id) AS decisions
                  FROM identity_links
                 WHERE user_id = %(customer)s
                    OR (visitor_id = ANY(%(own)s) AND %(customer)s::text IS NULL)
              ORDER BY first_at, visitor_id) AS link
        """,
        {"customer": customer, "own": found.own},
    ).fetchall()
    return [row[0] for row in rows]


def exposures_of(tx: Tx, found: Browsers) -> list[dict[str, Any]]:
    rows = tx.execute(
        """
        SELECT to_jsonb(exposure)
          FROM (SELECT experiments.key, exposures.phase, experiments.variants[variant + 1] AS variant,
                       exposures.visitor_id, exposures.exposed_at
                  FROM exposures JOIN experiments ON experiments.id = exposures.experiment_id
                 WHERE exposures.visitor_id = ANY(%(own)s)
              ORDER BY exposures.exposed_at, experiments.key) AS exposure
        """,
        {"own": found.own},
    ).fetchall()
    return [row[0] for row in rows]


def interests_of(tx: Tx, customer: str | None, found: Browsers) -> list[dict[str, Any]]:
    rows = tx.execute(
        """
        SELECT to_jsonb(interest)
          FROM (SELECT person, product_id, kind, last_at FROM user_interests
                 WHERE person = ANY(ARRAY(SELECT 'v:' || one FROM unnest(%(own)s::text[]) AS one)
                                    || ('c:' || %(customer)s::text))
              ORDER BY last_at, product_id) AS interest
        """,
        {"own": found.own, "customer": customer},
    ).fetchall()
    return [row[0] for row in rows]


def kept_by_law(tx: Tx, customer: str | None) -> tuple[int, int]:
    """Orders and documents (invoices, credit notes) of the customer."""
    row = tx.execute(
        """
        SELECT (SELECT count(*) FROM orders WHERE customer_id = %(customer)s)::int,
               ((SELECT count(*) FROM invoices WHERE customer_id = %(customer)s)
                + (SELECT count(*) FROM credit_notes WHERE customer_id = %(customer)s))::int
        """,
        {"customer": customer},
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def finish_export(tx: Tx, request_id: str, *, receipt: dict[str, Any], document: bytes) -> None:
    tx.execute(
        """
        UPDATE privacy_requests SET receipt = %(receipt)s, document = %(document)s, done_at = now()
         WHERE id = %(id)s AND done_at IS NULL
        """,
        {"id": request_id, "receipt": Jsonb(receipt), "document": document},
    )


def document(tx: Tx, request_id: str) -> tuple[str, bytes] | None:
    """Who asked, and gzip of JSON."""
    row = tx.execute(
        "SELECT asked_by, document FROM privacy_requests WHERE id = %(id)s AND document IS NOT NULL", {"id": request_id}
    ).fetchone()
    return (row[0], row[1]) if row else None


def delete_documents(tx: Tx, *, before: datetime, limit: int) -> int:
    """Exports that were not fetched, or were: after a while nobody needs them lying here."""
    return tx.execute(
        """
        UPDATE privacy_requests SET document = NULL, customer_id = NULL, visitor_id = NULL
         WHERE id IN (SELECT id FROM privacy_requests
                       WHERE document IS NOT NULL AND done_at < %(before)s LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount
