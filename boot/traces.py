"""Traces from a request through the outbox to its jobs, for a collector that speaks OTLP; nothing without one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from boot.settings import Settings

Kind = Literal["server", "producer", "consumer"]
Value = str | int | float | bool

FLUSH_MS = 3_000
"""A process that ends waits so long for the collector to take what is left; the platform gives it 25 seconds."""


class Unequipped(SystemExit):
    """Traces are wanted and the packages for them are not installed."""


@dataclass(slots=True)
class _Here:
    provider: TracerProvider | None = None


_here = _Here()
"""Of this process. Like its log, its traces go to one place, and spans begin where no services are at hand."""


@dataclass(slots=True)
class Span:
    """One piece of work. `traceparent` is what its consequences name as their cause. `told` is written at its end."""

    traceparent: str | None
    told: dict[str, Value]
    failed: bool = False
    name: str | None = None


def begin(settings: Settings, *, process: str) -> None:
    """Send spans to OTEL_EXPORTER_OTLP_ENDPOINT from now on; without it this costs nothing and imports nothing.

    Call it once in each process, after any fork. Raises Unequipped with how to install what is needed.
    """
    if not settings.otel_exporter_otlp_endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - optional
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise Unequipped("OTEL_EXPORTER_OTLP_ENDPOINT is set, so install the extra: backroom[otel]") from None
    named = Resource.create({"service.name": f"backroom-{process}", "service.namespace": "backroom"})
    provider = TracerProvider(resource=named, shutdown_on_exit=False)
    where = f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=where)))
    _here.provider = provider


def end() -> None:
    """Send what is left. A process that ends without it loses its last seconds of traces, and nothing else."""
    provider, _here.provider = _here.provider, None
    if provider is not None:
        provider.force_flush(FLUSH_MS)
        provider.shutdown()


@contextmanager
def span(
    name: str,
    *,
    kind: Kind,
    parent: str | None,
    since: datetime | None = None,
    told: Mapping[str, Value] | None = None,
) -> Generator[Span]:
    """Measure the block. `parent` is a W3C traceparent; `since` a beginning before now. Ids and counts may be `told`,
    never names, addresses or bodies. An exception marks the span and its type is told, not its words.
    """
    if _here.provider is None:
        yield Span(parent, {})
        return
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    propagator = TraceContextTextMapPropagator()
    made = _here.provider.get_tracer("backroom").start_span(
        name,
        context=propagator.extract({"traceparent": parent} if parent else {}),
        kind=SpanKind[kind.upper()],
        start_time=_nanoseconds(since) if since else None,
    )
    propagator.inject(carrier := dict[str, str](), trace.set_span_in_context(made))
    shown = Span(carrier.get("traceparent", parent), dict(told or {}))
    try:
        yield shown
    except BaseException as error:
        shown.failed = True
        shown.told["error.type"] = type(error).__name__
        raise
    finally:
        made.set_attributes(shown.told)
        if shown.name:
            made.update_name(shown.name)
        if shown.failed:
            made.set_status(Status(StatusCode.ERROR))
        made.end()


def _nanoseconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1e9)
