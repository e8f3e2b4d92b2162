"""How much room a catalogue takes on disk, and what of it a server had better hold in memory."""

from typing import Any

import psycopg

from bench.search_speed.filling import TABLES

MEGABYTE = 1 << 20


def measure(database_url: str, size: int) -> dict[str, Any]:
    """Megabytes by table with its indexes, of the two indexes every search reads, and each for a million products."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        tables = {
            name: connection.execute("SELECT pg_total_relation_size(%s::regclass)", [name]).fetchone()
            for name in TABLES
        }
        read = connection.execute(
            """
            SELECT sum(pg_relation_size(indexrelid)) FILTER (WHERE indrelid = 'product_embeddings'::regclass
                                                               AND NOT indisprimary),
                   sum(pg_relation_size(indexrelid)) FILTER (WHERE indrelid = 'search_postings'::regclass)
              FROM pg_index
            """
        ).fetchone()
    on_disk = {name: round(row[0] / MEGABYTE, 1) for name, row in tables.items() if row}
    graph, words = (round(float(value or 0) / MEGABYTE, 1) for value in read or (0, 0))
    whole = sum(on_disk.values())
    return {
        "tables_mb": on_disk,
        "disk_mb": round(whole, 1),
        "graph_index_mb": graph,
        "word_index_mb": words,
        "disk_mb_per_million": round(whole * 1e6 / size),
        "indexes_mb_per_million": round((graph + words) * 1e6 / size),
    }
