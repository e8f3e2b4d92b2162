"""What a report says of experiments: the state, the soundness and the first metric of each that ran on its day."""

from datetime import datetime
from typing import Any

from db.database import Tx
from shop.analytics.days import Period
from shop.analytics.experiments import readout
from shop.analytics.experiments.readout import Results
from shop.analytics.experiments.readout_metrics import Effect
from shop.analytics.queries import experiments as queries

MOST = 20
"""Experiments a report: a shop that has more at once reads them one by one."""

Figures = dict[str, Any]


def experiments(tx: Tx, period: Period, *, currency: str, as_of: datetime) -> list[Figures]:
    """Shares and p-values in hundredths of a percent, so that the frozen figures are whole numbers."""
    keys = queries.ran_in(tx, start=period.start, end=period.end, limit=MOST)
    return [_told(readout.read_out(tx, key, currency=currency, now=as_of)) for key in keys]


def _told(found: Results) -> Figures:
    first = found.metrics[0]
    control = first.means[0] if first.means else 0.0
    row = found.experiment.row
    return {
        "key": row.key,
        "name": row.name,
        "status": row.status,
        "phase": found.phase.phase,
        "days": (found.as_of - found.phase.started_at).days,
        "exposed": sum(group.exposed for group in found.groups),
        "visitors": sum(group.visitors for group in found.groups),
        "maturing": sum(group.maturing for group in found.groups),
        "srm_p": _hundredths(found.srm_p),
        "blocked": found.blocked,
        "warnings": list(found.warnings),
        "metric": first.name,
        "needed": first.needed,
        "guardrails": [
            {"name": metric.name, "variant": variant, "verdict": effect.guard.verdict}
            for metric in found.metrics
            for variant, effect in zip(row.variants[1:], metric.effects, strict=False)
            if effect.guard is not None
        ],
        "effects": [
            _effect(variant, effect, control) for variant, effect in zip(row.variants[1:], first.effects, strict=False)
        ],
    }


def _effect(variant: str, effect: Effect, control: float) -> Figures:
    interval = effect.interval
    return {
        "variant": variant,
        "lift": _hundredths(effect.lift),
        "low": _hundredths(interval.low / control) if interval and control else None,
        "high": _hundredths(interval.high / control) if interval and control else None,
        "adjusted_p": _hundredths(effect.adjusted_p),
    }


def _hundredths(share: float | None) -> int | None:
    return None if share is None else round(share * 10_000)
