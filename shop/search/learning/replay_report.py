"""What a replay says in all, and whether that is good enough to be switched on."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from shop.search.queries.replays import Replayed

LEAST_JUDGED = 10
"""Queries that somebody judged, before a replay says anything for the candidate."""

TOLERATED = -0.005
"""Of NDCG@10, on average: the same that the project's own relevance bench takes for noise."""

DECIDED = 0.005
"""Of NDCG@10 of one query: less is neither won nor lost."""

RESAMPLES = 1000


def told(results: Sequence[Replayed]) -> tuple[dict[str, Any], bool]:
    """The summary, and whether the candidate passed: enough is judged, nothing is newly empty, and on average nothing
    is lost. `difference` is that of NDCG@10 over the judged queries, between `low` and `high` with 95%.
    """
    differences = [
        one.ndcg_after - one.ndcg_before
        for one in results
        if one.ndcg_after is not None and one.ndcg_before is not None
    ]
    emptied = sum(bool(one.first_before) and not one.first_after for one in results)
    mean = statistics.fmean(differences) if differences else None
    low, high = _interval(differences) if differences else (None, None)
    summary = {
        "queries": len(results),
        "changed": sum(one.first_before != one.first_after for one in results),
        "overlap": _mean([one.overlap for one in results]),
        "newly_empty": emptied,
        "newly_found": sum(not one.first_before and bool(one.first_after) for one in results),
        "judged": len(differences),
        "judged_by_people": sum(one.judged_by == "people" for one in results),
        "won": sum(difference > DECIDED for difference in differences),
        "lost": sum(difference < -DECIDED for difference in differences),
        "moved_out": sum(move["before"] is not None and move["after"] is None for one in results for move in one.moved),
        "ndcg_before": _mean([one.ndcg_before for one in results if one.ndcg_before is not None]),
        "ndcg_after": _mean([one.ndcg_after for one in results if one.ndcg_after is not None]),
        "difference": _rounded(mean),
        "low": _rounded(low),
        "high": _rounded(high),
    }
    return summary, len(differences) >= LEAST_JUDGED and not emptied and mean is not None and mean >= TOLERATED


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the mean, by drawing the queries again; the same every time."""
    drawn = np.random.default_rng(1).choice(np.array(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def _mean(values: Sequence[float]) -> float | None:
    return round(statistics.fmean(values), 4) if values else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
