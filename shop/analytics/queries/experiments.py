"""SQL of experiments: their rows, their phases, and who was exposed to what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    id: str
    key: str
    name: str
    hypothesis: str
    status: str
    variants: list[str]
    weights: list[float]
    coverage: float
    audience: dict[str, Any]
    seed: str
    namespace: str | None
    namespace_start: float | None
    namespace_end: float | None
    metrics: list[str]
    guardrails: list[str]
    tolerance: float
    window_days: int
    settle_days: int
    cap_minor: int | None
    phase: int
    created_by: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PhaseRow:
    phase: int
    weights: list[float]
    coverage: float
    audience: dict[str, Any]
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Exposure:
    experiment_id: str
    phase: int
    variant: int


def insert(tx: Tx, values: Mapping[str, Any]) -> bool:
    """False when the key is taken."""
    return (
        tx.execute(
            """
            INSERT INTO experiments (id, key, name, hypothesis, variants, weights, coverage, audience, seed, namespace,
                                     namespace_start, namespace_end, metrics, guardrails, tolerance, window_days,
                                     settle_days, cap_minor, created_by)
            VALUES (%(id)s, %(key)s, %(name)s, %(hypothesis)s, %(variants)s, %(weights)s, %(coverage)s, %(audience)s,
                    %(seed)s, %(namespace)s, %(namespace_start)s, %(namespace_end)s, %(metrics)s, %(guardrails)s,
                    %(tolerance)s, %(window_days)s, %(settle_days)s, %(cap_minor)s, %(created_by)s)
                ON CONFLICT (key) DO NOTHING
            """,
            {**values, "audience": Jsonb(values["audience"])},
        ).rowcount
        == 1
    )


def experiment(tx: Tx, key: str) -> ExperimentRow | None:
    return (
        tx.cursor(row_factory=class_row(ExperimentRow))
        .execute(
            """
            SELECT id, key, name, hypothesis, status, variants, weights, coverage, audience, seed, namespace,
                   namespace_start, namespace_end, metrics, guardrails, tolerance, window_days, settle_days,
                   cap_minor, phase, created_by, created_at, updated_at
              FROM experiments WHERE key = %(key)s
            """,
            {"key": key},
        )
        .fetchone()
    )


def locked(tx: Tx, key: str) -> ExperimentRow | None:
    """Nobody else changes it until the caller commits; assignments go on."""
    tx.execute("SELECT 1 FROM experiments WHERE key = %(key)s FOR NO KEY UPDATE", {"key": key})
    return experiment(tx, key)


def recent(tx: Tx, *, status: str | None, before: str | None, limit: int) -> list[ExperimentRow]:
    return (
        tx.cursor(row_factory=class_row(ExperimentRow))
        .execute(
            """
            SELECT id, key, name, hypothesis, status, variants, weights, coverage, audience, seed, namespace,
                   namespace_start, namespace_end, metrics, guardrails, tolerance, window_days, settle_days,
                   cap_minor, phase, created_by, created_at, updated_at
              FROM experiments
             WHERE (%(status)s::text IS NULL OR status = %(status)s)
               AND (%(before)s::text IS NULL OR id < %(before)s)
          ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"status": status, "before": before, "limit": limit},
        )
        .fetchall()
    )


def running(tx: Tx, keys: Sequence[str] | None) -> list[ExperimentRow]:
    """Those of `keys`, or all."""
    return (
        tx.cursor(row_factory=class_row(ExperimentRow))
        .execute(
            """
            SELECT id, key, name, hypothesis, status, variants, weights, coverage, audience, seed, namespace,
                   namespace_start, namespace_end, metrics, guardrails, tolerance, window_days, settle_days,
                   cap_minor, phase, created_by, created_at, updated_at
              FROM experiments
             WHERE status = 'running' AND (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s))
          ORDER BY key
            """,
            {"keys": None if keys is None else list(keys)},
        )
        .fetchall()
    )


def ran_in(tx: Tx, *, start: datetime, end: datetime, limit: int) -> list[str]:
    """Keys of the experiments that ran at any time from `start` to `end`, by key."""
    rows = tx.execute(
        """
        SELECT key FROM experiments
         WHERE EXISTS (SELECT 1 FROM experiment_phases AS phases
                        WHERE phases.experiment_id = experiments.id AND phases.started_at < %(end)s
                          AND (phases.ended_at IS NULL OR phases.ended_at > %(start)s))
      ORDER BY key
         LIMIT %(limit)s
        """,
        {"start": start, "end": end, "limit": limit},
    ).fetchall()
    return [key for (key,) in rows]


def change(tx: Tx, experiment_id: str, values: Mapping[str, Any]) -> None:
    """Write all that may change, the unchanged too."""
    tx.execute(
        """
        UPDATE experiments
           SET name = %(name)s, hypothesis = %(hypothesis)s, status = %(status)s, variants = %(variants)s,
               weights = %(weights)s, coverage = %(coverage)s, audience = %(audience)s, seed = %(seed)s,
               namespace = %(namespace)s, namespace_start = %(namespace_start)s, namespace_end = %(namespace_end)s,
               metrics = %(metrics)s, guardrails = %(guardrails)s, tolerance = %(tolerance)s,
               window_days = %(window_days)s, settle_days = %(settle_days)s, cap_minor = %(cap_minor)s,
               phase = %(phase)s, updated_at = now()
         WHERE id = %(id)s
        """,
        {**values, "audience": Jsonb(values["audience"]), "id": experiment_id},
    )


def end_phase(tx: Tx, experiment_id: str) -> None:
    tx.execute(
        "UPDATE experiment_phases SET ended_at = now() WHERE experiment_id = %(id)s AND ended_at IS NULL",
        {"id": experiment_id},
    )


def begin_phase(tx: Tx, row: ExperimentRow) -> None:
    tx.execute(
        """
        INSERT INTO experiment_phases (experiment_id, phase, weights, coverage, audience)
        VALUES (%(id)s, %(phase)s, %(weights)s, %(coverage)s, %(audience)s)
        """,
        {
            "id": row.id,
            "phase": row.phase,
            "weights": row.weights,
            "coverage": row.coverage,
            "audience": Jsonb(row.audience),
        },
    )


def phases(tx: Tx, experiment_id: str) -> list[PhaseRow]:
    return (
        tx.cursor(row_factory=class_row(PhaseRow))
        .execute(
            """
            SELECT phase, weights, coverage, audience, started_at, ended_at
              FROM experiment_phases WHERE experiment_id = %(id)s ORDER BY phase
            """,
            {"id": experiment_id},
        )
        .fetchall()
    )


def expose(tx: Tx, visitor_id: str, exposures: Sequence[Exposure]) -> None:
    """The first time stays. A repetition writes nothing, unless it brings another variant: then the row says so."""
    tx.execute(
        """
        INSERT INTO exposures AS kept (experiment_id, phase, visitor_id, variant)
        SELECT experiment_id, phase, %(visitor_id)s, variant
          FROM unnest(%(experiments)s::text[], %(phases)s::int[], %(variants)s::smallint[])
               AS seen (experiment_id, phase, variant)
      ORDER BY experiment_id
            ON CONFLICT (experiment_id, phase, visitor_id) DO UPDATE SET mixed = true
         WHERE kept.variant <> EXCLUDED.variant AND NOT kept.mixed
        """,
        {
            "visitor_id": visitor_id,
            "experiments": [one.experiment_id for one in exposures],
            "phases": [one.phase for one in exposures],
            "variants": [one.variant for one in exposures],
        },
    )
