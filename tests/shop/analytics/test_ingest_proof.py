"""The proof of events, small: `python -m bench.proofs ingest` kills the whole worker, Redis and PostgreSQL as well."""

from bench.proofs import events

BOUNDARIES = 8
"""Of a drain with two bites, at least: taken, written, committed, settled, each twice."""


def test_a_drain_that_dies_at_any_boundary_loses_no_event_and_counts_none_twice(
    database_url: str, redis_url: str
) -> None:
    counted = events.prove_boundaries(database_url, redis_url)
    assert counted.sound, str(counted)
    assert counted.kills >= BOUNDARIES
    assert counted.account["duplicate"] > 0, "batches came twice"
    assert counted.struck >= BOUNDARIES // 2
