"""The shapes all routes share: what comes in refuses the unknown, what goes out leaves out what is not there."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

T = TypeVar("T")

MAX_MINOR = 99_999_999
"""Stripe's largest amount, in minor units."""


class In(BaseModel):
    """A body or query that a caller sends: unknown fields are refused, JSON types are taken literally."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Out(BaseModel):
    """A body that we answer. `Body.model_validate(row)` takes the fields from a dataclass row of the shop."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


def _is_none(value: Any) -> bool:
    return value is None


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Maybe = Annotated[T | None, Field(exclude_if=_is_none)]
"""For answers: `decline: Maybe[Decline] = None` is left out of the JSON when it is None (the contract's `decline?`)."""

Time = Annotated[
    AwareDatetime, PlainSerializer(_utc, return_type=str), Field(json_schema_extra={"format": "date-time"})
]
"""RFC 3339 in UTC, to the millisecond: `2026-11-23T15:04:05.123Z`."""

Minor = Annotated[int, Field(ge=0, le=MAX_MINOR)]
"""An amount in whole minor units (cents)."""

Currency = Annotated[str, Field(pattern="^[a-z]{3}$", examples=["eur"])]


class MoneyBody(Out):
    """`{"amount": 1299, "currency": "eur"}`: whole minor units and a lower-case ISO code."""

    amount: int
    currency: Currency


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


Text = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_not_blank)]
"""A text that a person wrote and that says something."""
