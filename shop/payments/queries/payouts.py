"""Payouts and the facts that belong to no order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from db.ids import new_id


@dataclass(frozen=True, slots=True)
class Payout:
    """`composed_minor` is what the movements it pays out add up to, None until they were read."""

    id: str
    provider_payout_id: str
    status: str
    amount_minor: int
    currency: str
    automatic: bool
    failure_code: str | None
    composed_minor: int | None
    arrival_at: datetime
    made_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class HouseFact:
    """A fact without an order. `chain` is the payout's id at the provider, or 'house'."""

    chain: str
    kind: str
    source: str
    source_key: str
    seen_at: datetime
    actor: str | None = None
    subject: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    data: Mapping[str, Any] | None = None


def hold(tx: Tx) -> None:
    """Hold the log of the house until the commit; whoever also enters into its books holds the log first."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtext('facts of the house'))")


def append(tx: Tx, fact: HouseFact) -> bool:
    """False if this very news is in the log already. The chain is held against other writers until the commit."""
    hold(tx)
    inserted = tx.execute(
        """
        INSERT INTO house_facts (id, chain, seq, kind, source, source_key, actor, subject, amount_minor, currency,
                                 data, seen_at, prev_hash, hash)
        VALUES (%(id)s, %(chain)s, 1, %(kind)s, %(source)s, %(source_key)s, %(actor)s, %(subject)s, %(amount)s,
                %(currency)s, %(data)s, %(seen_at)s, '', '')
        ON CONFLICT (chain, source_key) DO NOTHING
        """,
        {
            "id": new_id("hfa"),
            "chain": fact.chain,
            "kind": fact.kind,
            "source": fact.source,
            "source_key": fact.source_key,
            "actor": fact.actor,
            "subject": fact.subject,
            "amount": fact.amount_minor,
            "currency": fact.currency,
            "data": Jsonb(fact.data or {}),
            "seen_at": fact.seen_at,
        },
    )
    return inserted.rowcount == 1


def facts_of(tx: Tx, chain: str) -> list[HouseFact]:
    cursor = tx.cursor(row_factory=class_row(HouseFact))
    return cursor.execute(
        """
        SELECT chain, kind, source, source_key, seen_at, actor, subject, amount_minor, currency, data
          FROM house_facts
         WHERE chain = %(chain)s
      ORDER BY seq
        """,
        {"chain": chain},
    ).fetchall()


def fact(tx: Tx, chain: str, source_key: str) -> HouseFact | None:
    cursor = tx.cursor(row_factory=class_row(HouseFact))
    return cursor.execute(
        """
        SELECT chain, kind, source, source_key, seen_at, actor, subject, amount_minor, currency, data
          FROM house_facts
         WHERE chain = %(chain)s AND source_key = %(source_key)s
        """,
        {"chain": chain, "source_key": source_key},
    ).fetchone()


def save(
    tx: Tx,
    *,
    provider_id: str,
    status: str,
    amount: int,
    currency: str,
    automatic: bool,
    failure_code: str | None,
    arrival_at: datetime,
    made_at: datetime,
) -> None:
    tx.execute(
        """
        INSERT INTO payouts (id, provider_payout_id, status, amount_minor, currency, automatic, failure_code,
                             arrival_at, made_at)
        VALUES (%(id)s, %(provider_id)s, %(status)s, %(amount)s, %(currency)s, %(automatic)s, left(%(failure)s, 80),
                %(arrival_at)s, %(made_at)s)
        ON CONFLICT (provider_payout_id) DO UPDATE
           SET status = EXCLUDED.status, failure_code = EXCLUDED.failure_code, arrival_at = EXCLUDED.arrival_at,
               updated_at = now()
        """,
        {
            "id": new_id("pyo"),
            "provider_id": provider_id,
            "status": status,
            "amount": amount,
            "currency": currency,
            "automatic": automatic,
            "failure": failure_code,
            "arrival_at": arrival_at,
            "made_at": made_at,
        },
    )


def unread(tx: Tx, *, limit: int) -> list[str]:
    """Payouts whose movements were not read yet, or not all: the provider may still be putting together what a young
    one pays out. Oldest first; the provider's ids.
    """
    rows = tx.execute(
        """
        SELECT provider_payout_id FROM payouts
         WHERE automatic AND (composed_minor IS NULL
                              OR (composed_minor <> amount_minor AND made_at > now() - interval '7 days'))
      ORDER BY composed_minor IS NOT NULL, made_at
         LIMIT %(limit)s
        """,
        {"limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def note_composed(tx: Tx, provider_id: str) -> None:
    """Add up what it pays out: all of its movements but those of the payout itself."""
    tx.execute(
        """
        UPDATE payouts
           SET composed_minor = (SELECT coalesce(sum(net_minor), 0) FROM provider_movements
                                  WHERE payout_ref = %(id)s AND source_ref IS DISTINCT FROM %(id)s)
         WHERE provider_payout_id = %(id)s
        """,
        {"id": provider_id},
    )


def payouts(tx: Tx, *, status: str | None, before_id: str | None, limit: int) -> list[Payout]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(Payout))
    return cursor.execute(
        """
        SELECT id, provider_payout_id, status, amount_minor, currency, automatic, failure_code, composed_minor,
               arrival_at, made_at, updated_at
          FROM payouts
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(before_id)s::text IS NULL OR id < %(before_id)s)
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        {"status": status, "before_id": before_id, "limit": limit},
    ).fetchall()


def known(tx: Tx, provider_ids: Sequence[str]) -> dict[str, Payout]:
    """By the provider's id."""
    cursor = tx.cursor(row_factory=class_row(Payout))
    rows = cursor.execute(
        """
        SELECT id, provider_payout_id, status, amount_minor, currency, automatic, failure_code, composed_minor,
               arrival_at, made_at, updated_at
          FROM payouts
         WHERE provider_payout_id = ANY(%(ids)s)
        """,
        {"ids": list(provider_ids)},
    ).fetchall()
    return {row.provider_payout_id: row for row in rows}
