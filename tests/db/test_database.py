"""What the database says of broken rules does not give away the row that broke them."""

import psycopg
import pytest

from db.database import Database


def test_an_error_names_the_rule_and_not_the_values(db: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as broken, db.transaction() as tx:
        tx.execute(
            "INSERT INTO orders (id, customer_id, email, cart_id, expires_at, total_minor)"
            " VALUES ('ord_1', 'usr_1', 'ada@example.com', 'cart_1', now(), -1)"
        )
    assert "violates check constraint" in str(broken.value)
    assert "ada@example.com" not in str(broken.value)
