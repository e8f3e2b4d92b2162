"""The catalogue's rows: products and the batches that bring them."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Stored:
    """`words_changed`: its postings have to be made anew, because of its words or because it came or went."""

    id: str
    n: int
    words_changed: bool


def update_products(tx: Tx, rows: str, *, said_at: datetime | None) -> list[Stored]:
    """`rows`: a JSON array of products with their hashes. Known products that differ are brought up to date, unless
    what they say was said later. `said_at` None: now.
    """
    cur = tx.cursor(row_factory=class_row(Stored))
    return cur.execute(
        """
        UPDATE products p
           SET name = r.name, description = r.description, category = r.category, brand = r.brand, price = r.price,
               currency = r.currency, stock = r.stock, attributes = r.attributes, image_url = r.image_url,
               rating = r.rating, rating_count = r.rating_count, active = r.active,
               row_hash = decode(r.row_hash, 'hex'), content_hash = decode(r.content_hash, 'hex'), updated_at = now(),
               said_at = coalesce(%(said_at)s, now())
          FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                   id text, name text, description text, category text, brand text, price bigint, currency text,
                   stock integer, attributes jsonb, image_url text, rating real, rating_count integer, active boolean,
                   row_hash text, content_hash text)
          JOIN products old USING (id)
         WHERE p.id = r.id AND p.row_hash <> decode(r.row_hash, 'hex')
           AND (p.said_at IS NULL OR p.said_at <= coalesce(%(said_at)s, now()))
     RETURNING p.id, p.n, old.content_hash <> p.content_hash OR old.active <> p.active AS words_changed
        """,
        {"rows": rows, "said_at": said_at},
    ).fetchall()


def insert_products(tx: Tx, rows: str, *, said_at: datetime | None) -> list[Stored]:
    """Products whose id is not known yet."""
    cur = tx.cursor(row_factory=class_row(Stored))
    return cur.execute(
        """
        INSERT INTO products (id, name, description, category, brand, price, currency, stock, attributes, image_url,
                              rating, rating_count, active, row_hash, content_hash, said_at)
        SELECT r.id, r.name, r.description, r.category, r.brand, r.price, r.currency, r.stock, r.attributes,
               r.image_url, r.rating, r.rating_count, r.active, decode(r.row_hash, 'hex'),
               decode(r.content_hash, 'hex'), coalesce(%(said_at)s, now())
          FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                   id text, name text, description text, category text, brand text, price bigint, currency text,
                   stock integer, attributes jsonb, image_url text, rating real, rating_count integer, active boolean,
                   row_hash text, content_hash text)
         WHERE NOT EXISTS (SELECT FROM products p WHERE p.id = r.id)
     RETURNING id, n, true AS words_changed
        """,
        {"rows": rows, "said_at": said_at},
    ).fetchall()


def retire_product(tx: Tx, product_id: str) -> int | None:
    """Mark it as gone. Its number, None when it never was; the hash makes the next import look at it again."""
    row = tx.execute(
        """
        UPDATE products
           SET active = false, row_hash = decode(repeat('00', 16), 'hex'), updated_at = now(), said_at = now()
         WHERE id = %(product_id)s
     RETURNING n
        """,
        {"product_id": product_id},
    ).fetchone()
    return row[0] if row else None


def insert_batch(tx: Tx, batch_id: str, *, body: bytes, products: int) -> None:
    tx.execute(
        "INSERT INTO catalogue_batches (id, body, products) VALUES (%(id)s, %(body)s, %(products)s)",
        {"id": batch_id, "body": body, "products": products},
    )


def batch(tx: Tx, batch_id: str) -> tuple[bytes, datetime] | None:
    """Its body, and when it was received."""
    return tx.execute("SELECT body, received_at FROM catalogue_batches WHERE id = %(id)s", {"id": batch_id}).fetchone()


def mark_applied(tx: Tx, batch_id: str) -> None:
    tx.execute(
        "UPDATE catalogue_batches SET applied_at = now() WHERE id = %(id)s AND applied_at IS NULL", {"id": batch_id}
    )


def delete_applied_batches(tx: Tx, *, older_than_days: int) -> int:
    """Applied batches are kept a while, for the question of what was sent."""
    found = tx.execute(
        """
        DELETE FROM catalogue_batches WHERE applied_at < now() - make_interval(days => %(days)s)
        """,
        {"days": older_than_days},
    )
    return found.rowcount
