"""JSON log lines with the ids that tie a request to its jobs. Arguments and bodies are never logged, only ids."""

import logging
import sys
from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from boot import faults
from db.outbox import Origin, origin


def configure(level: str = "INFO", *, process: str) -> None:
    """One JSON object a line on standard output; the libraries' own log records come out in the same shape."""

    def name_process(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        # Not a bound variable: threads start without those.
        return {**line, "process": process}

    def tell_of_faults(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        faults.tell(line)
        return line

    shared: list[structlog.typing.Processor] = [
        name_process,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        tell_of_faults,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        # Not cached: a logger that was used once would write to that stream for ever, also after a new configure().
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(
        level=max(logging.WARNING, logging.getLevelNamesMapping()[level]), handlers=[handler], force=True
    )


@contextmanager
def caused_by(cause: Origin, **ids: str) -> Generator[None]:
    """Within the block, log lines and staged jobs carry these ids."""
    token = origin.set(cause)
    with structlog.contextvars.bound_contextvars(request_id=cause.request_id, **ids):
        try:
            yield
        finally:
            origin.reset(token)
