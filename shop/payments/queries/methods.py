"""Customers at the provider, their saved cards, and the setups that save them."""

from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.cards.cards import SavedCard, Setup
from shop.ports.gateway import MethodSeen


def provider_customer(tx: Tx, customer_id: str) -> str | None:
    row = tx.execute(
        "SELECT provider_customer_id FROM provider_customers WHERE customer_id = %(id)s", {"id": customer_id}
    ).fetchone()
    return row[0] if row else None


def keep_customer(tx: Tx, customer_id: str, provider_customer_id: str) -> str:
    """Write it once; answers the one that stays."""
    tx.execute(
        """
        INSERT INTO provider_customers (customer_id, provider_customer_id) VALUES (%(id)s, %(provider_id)s)
        ON CONFLICT (customer_id) DO NOTHING
        """,
        {"id": customer_id, "provider_id": provider_customer_id},
    )
    return provider_customer(tx, customer_id) or provider_customer_id


def lock_customer(tx: Tx, provider_customer_id: str) -> str | None:
    """Our id of the provider's customer, whose cards nobody else can change until the transaction ends."""
    row = tx.execute(
        "SELECT customer_id FROM provider_customers WHERE provider_customer_id = %(id)s FOR NO KEY UPDATE",
        {"id": provider_customer_id},
    ).fetchone()
    return row[0] if row else None


def cards_of(tx: Tx, customer_id: str) -> list[SavedCard]:
    """The default first, then the newest."""
    cursor = tx.cursor(row_factory=class_row(SavedCard))
    return cursor.execute(
        """
        SELECT id, customer_id, provider_customer_id, provider_method_id, fingerprint, brand, last4, exp_month,
               exp_year, is_default, provider_created_at, saved_payment_methods.created_at
          FROM saved_payment_methods
          JOIN provider_customers USING (customer_id)
         WHERE customer_id = %(customer_id)s AND detached_at IS NULL
      ORDER BY is_default DESC, id DESC
        """,
        {"customer_id": customer_id},
    ).fetchall()


def card(tx: Tx, card_id: str) -> SavedCard | None:
    cursor = tx.cursor(row_factory=class_row(SavedCard))
    return cursor.execute(
        """
        SELECT id, customer_id, provider_customer_id, provider_method_id, fingerprint, brand, last4, exp_month,
               exp_year, is_default, provider_created_at, saved_payment_methods.created_at
          FROM saved_payment_methods
          JOIN provider_customers USING (customer_id)
         WHERE id = %(id)s AND detached_at IS NULL
        """,
        {"id": card_id},
    ).fetchone()


def card_of_method(tx: Tx, provider_method_id: str) -> SavedCard | None:
    cursor = tx.cursor(row_factory=class_row(SavedCard))
    return cursor.execute(
        """
        SELECT id, customer_id, provider_customer_id, provider_method_id, fingerprint, brand, last4, exp_month,
               exp_year, is_default, provider_created_at, saved_payment_methods.created_at
          FROM saved_payment_methods
          JOIN provider_customers USING (customer_id)
         WHERE provider_method_id = %(id)s AND detached_at IS NULL
        """,
        {"id": provider_method_id},
    ).fetchone()


def card_with_fingerprint(tx: Tx, customer_id: str, fingerprint: str) -> SavedCard | None:
    cursor = tx.cursor(row_factory=class_row(SavedCard))
    return cursor.execute(
        """
        SELECT id, customer_id, provider_customer_id, provider_method_id, fingerprint, brand, last4, exp_month,
               exp_year, is_default, provider_created_at, saved_payment_methods.created_at
          FROM saved_payment_methods
          JOIN provider_customers USING (customer_id)
         WHERE customer_id = %(customer_id)s AND fingerprint = %(fingerprint)s AND detached_at IS NULL
        """,
        {"customer_id": customer_id, "fingerprint": fingerprint},
    ).fetchone()


def card_to_pay_with(tx: Tx, customer_id: str, method: str) -> SavedCard | None:
    """The customer's own saved card by our id or the provider's."""
    cursor = tx.cursor(row_factory=class_row(SavedCard))
    return cursor.execute(
        """
        SELECT id, customer_id, provider_customer_id, provider_method_id, fingerprint, brand, last4, exp_month,
               exp_year, is_default, provider_created_at, saved_payment_methods.created_at
          FROM saved_payment_methods
          JOIN provider_customers USING (customer_id)
         WHERE customer_id = %(customer_id)s AND detached_at IS NULL
           AND (id = %(method)s OR provider_method_id = %(method)s)
        """,
        {"customer_id": customer_id, "method": method},
    ).fetchone()


def is_saved(tx: Tx, provider_method_id: str) -> bool:
    return card_of_method(tx, provider_method_id) is not None


def insert_card(tx: Tx, card_id: str, customer_id: str, seen: MethodSeen, *, is_default: bool) -> None:
    tx.execute(
        """
        INSERT INTO saved_payment_methods (id, customer_id, provider_method_id, fingerprint, brand, last4, exp_month,
                                           exp_year, is_default, provider_created_at)
        VALUES (%(id)s, %(customer_id)s, %(method)s, %(fingerprint)s, %(brand)s, %(last4)s, %(exp_month)s,
                %(exp_year)s, %(is_default)s, %(made_at)s)
        """,
        _values(card_id, seen) | {"customer_id": customer_id, "is_default": is_default},
    )


def replace_card(tx: Tx, card_id: str, seen: MethodSeen) -> None:
    """The same card under a newer token; its id and whether it is the default stay."""
    tx.execute(
        """
        UPDATE saved_payment_methods
           SET provider_method_id = %(method)s, brand = %(brand)s, last4 = %(last4)s, exp_month = %(exp_month)s,
               exp_year = %(exp_year)s, provider_created_at = %(made_at)s
         WHERE id = %(id)s
        """,
        _values(card_id, seen),
    )


def refresh(tx: Tx, seen: MethodSeen) -> bool:
    """Take over what the bank changed on a card that is known, let go or not; False for one that is new."""
    updated = tx.execute(
        """
        UPDATE saved_payment_methods SET exp_month = %(exp_month)s, exp_year = %(exp_year)s
         WHERE provider_method_id = %(method)s
        """,
        _values("", seen),
    )
    return updated.rowcount == 1


def forget_card(tx: Tx, card_id: str) -> None:
    tx.execute(
        """
        UPDATE saved_payment_methods SET detached_at = now(), is_default = false
         WHERE id = %(id)s AND detached_at IS NULL
        """,
        {"id": card_id},
    )


def set_default(tx: Tx, customer_id: str, card_id: str) -> None:
    """Two statements, because the unique index looks at each row as it changes."""
    tx.execute(
        "UPDATE saved_payment_methods SET is_default = false WHERE customer_id = %(customer_id)s AND is_default",
        {"customer_id": customer_id},
    )
    tx.execute(
        "UPDATE saved_payment_methods SET is_default = true WHERE id = %(id)s AND detached_at IS NULL", {"id": card_id}
    )


def insert_setup(tx: Tx, setup_id: str, customer_id: str) -> None:
    tx.execute(
        "INSERT INTO payment_method_setups (id, customer_id) VALUES (%(id)s, %(customer_id)s)",
        {"id": setup_id, "customer_id": customer_id},
    )


def setup(tx: Tx, setup_id: str) -> Setup | None:
    cursor = tx.cursor(row_factory=class_row(Setup))
    return cursor.execute(
        """
        SELECT id, customer_id, state, provider_setup_id, client_secret, error_code, created_at
          FROM payment_method_setups
         WHERE id = %(id)s
        """,
        {"id": setup_id},
    ).fetchone()


def open_setup(tx: Tx, setup_id: str, *, provider_setup_id: str, client_secret: str | None) -> None:
    tx.execute(
        """
        UPDATE payment_method_setups
           SET state = 'ready', provider_setup_id = %(provider_id)s, client_secret = %(secret)s, updated_at = now()
         WHERE id = %(id)s AND state = 'pending'
        """,
        {"id": setup_id, "provider_id": provider_setup_id, "secret": client_secret},
    )


def fail_setup(tx: Tx, setup_id: str, code: str) -> None:
    tx.execute(
        """
        UPDATE payment_method_setups SET state = 'failed', error_code = left(%(code)s, 80), updated_at = now()
         WHERE id = %(id)s AND state = 'pending'
        """,
        {"id": setup_id, "code": code},
    )


def end_setup(tx: Tx, provider_setup_id: str) -> None:
    """The secret has done its work and is forgotten."""
    tx.execute(
        """
        UPDATE payment_method_setups SET state = 'succeeded', client_secret = NULL, updated_at = now()
         WHERE provider_setup_id = %(id)s AND state = 'ready'
        """,
        {"id": provider_setup_id},
    )


def _values(card_id: str, seen: MethodSeen) -> dict[str, Any]:
    assert seen.card is not None, "only cards are saved"
    made_at: datetime | None = seen.created_at
    return {
        "id": card_id,
        "method": seen.id,
        "fingerprint": seen.fingerprint,
        "brand": seen.card.brand,
        "last4": seen.card.last4,
        "exp_month": seen.card.exp_month,
        "exp_year": seen.card.exp_year,
        "made_at": made_at,
    }
