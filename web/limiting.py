"""Rate limits: how much one caller may ask of one route, and the headers that say so."""

from dataclasses import dataclass

from flask import request

from shop.ports.limits import Allowance, Limits
from web.access import Caller
from web.problems import RateLimited


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` requests per `per_s` seconds; routes with the same `bucket` are counted together."""

    count: int
    per_s: int = 60
    bucket: str = ""


PER_CALLER = Limit(1200, bucket="general")
"""Twenty a second for a minute: a busy page with polling stays far below, a loop gone wild does not."""

UNLIMITED = Limit(0)
"""For probes and for callers that must never be turned away (Stripe's deliveries)."""


def count(limits: Limits, limit: Limit, caller: Caller, route: str, *, scale: float) -> dict[str, str]:
    """Count this request and answer the RateLimit headers. Raises RateLimited with Retry-After.

    `scale` multiplies every limit of the process; 0 counts nothing (for load tests). A stranger is known by the
    address, because an X-Visitor-Id is free to choose.
    """
    if limit.count == 0 or scale == 0:
        return {}
    who = f"sub:{caller.sub}" if caller.sub is not None else f"ip:{request.remote_addr}"
    allowed = max(1, int(limit.count * scale))
    allowance = limits.take(f"{limit.bucket or route}|{who}", limit=allowed, per_s=limit.per_s)
    headers = _headers(allowance, limit.per_s)
    if not allowance.allowed:
        raise RateLimited(headers | {"Retry-After": str(allowance.retry_after_s)})
    return headers


def _headers(allowance: Allowance, per_s: int) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(allowance.limit),
        "RateLimit-Remaining": str(allowance.remaining),
        "RateLimit-Reset": str(allowance.reset_s),
        "RateLimit-Policy": f"{allowance.limit};w={per_s}",
    }
