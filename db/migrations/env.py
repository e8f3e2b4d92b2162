"""Alembic's entry: one lock against two deploys at once, short time-outs so that live traffic never waits long."""

import time

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

MIGRATION_LOCK = 7_201_945
"""Any number will do as long as nothing else takes it as an advisory lock."""

LOCK_TIMEOUT = "4s"
"""A migration waiting for a table lock makes every later query on that table wait behind it."""

STATEMENT_TIMEOUT = "15min"

ASK_AGAIN_S = 0.5
"""Asked again and again instead of waiting in the database: CREATE INDEX CONCURRENTLY of the other deploy waits for
every statement that began before it, so one that waits for that deploy would never let it end.
"""

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.connect() as connection:
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATION_LOCK}):
        connection.rollback()
        time.sleep(ASK_AGAIN_S)
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
    connection.commit()
