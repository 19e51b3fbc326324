"""Structured logs: one line an event, with the request's id; never a secret, never a phone."""

from __future__ import annotations

import logging
import re
import sys

import structlog

from shop.settings import Settings

NAMES_VALUES = re.compile(
    r"^DETAIL: .*?"
    r"(?=^(?:HINT: |CONTEXT: |\[SQL: |\(Background on |The above |During |Traceback )|\Z)"
    r"|^\[parameters: [^\n]*\n?",
    re.MULTILINE | re.DOTALL,
)
"""What PostgreSQL and SQLAlchemy add to an error: the row it is about, with names and addresses."""


def configure(settings: Settings) -> None:
    """Route structlog and the standard library through one renderer (console or json)."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The rich traceback would print local variables, secrets among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Here, so that the libraries' errors are written out too: jobs that fail are theirs.
        structlog.processors.format_exc_info,
        _without_values,
    ]
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def _without_values(
    _logger: object, _method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    if "exception" in event:
        event["exception"] = NAMES_VALUES.sub("", event["exception"])
    return event


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for one module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
