"""The catalogue's own brands and categories, and the currency it is priced in."""

from db.database import Tx

MOST = 50_000
"""Values that a process keeps in memory; at 100 bytes each that is 5 MB."""


def brands(tx: Tx) -> list[str]:
    """Each once, in lower case. One probe of the index per value, however many products there are."""
    rows = tx.execute(
        """
        WITH RECURSIVE found AS (
            (SELECT lower(brand) AS value FROM products
              WHERE active AND lower(brand) > '' ORDER BY lower(brand) LIMIT 1)
            UNION ALL
            SELECT (SELECT lower(p.brand) FROM products p
                     WHERE p.active AND lower(p.brand) > found.value ORDER BY lower(p.brand) LIMIT 1)
              FROM found WHERE found.value IS NOT NULL
        )
        SELECT value FROM found WHERE value IS NOT NULL LIMIT %(most)s
        """,
        {"most": MOST},
    ).fetchall()
    return [row[0] for row in rows]


def categories(tx: Tx) -> list[str]:
    """As `brands`: whole paths."""
    rows = tx.execute(
        """
        WITH RECURSIVE found AS (
            (SELECT lower(category) AS value FROM products
              WHERE active AND lower(category) > '' ORDER BY lower(category) LIMIT 1)
            UNION ALL
            SELECT (SELECT lower(p.category) FROM products p
                     WHERE p.active AND lower(p.category) > found.value ORDER BY lower(p.category) LIMIT 1)
              FROM found WHERE found.value IS NOT NULL
        )
        SELECT value FROM found WHERE value IS NOT NULL LIMIT %(most)s
        """,
        {"most": MOST},
    ).fetchall()
    return [row[0] for row in rows]


def currency(tx: Tx) -> str | None:
    """Of any product that has a price: a shop has one."""
    row = tx.execute("SELECT currency FROM products WHERE active AND price >= 0 LIMIT 1").fetchone()
    return row[0] if row else None
