"""Logs: one line per thing that happened, on standard error, for people or (`json`) for machines."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure_logs(log_format: str) -> None:
    """Set up structlog once, at the start of a process. `log_format` is console or json."""
    renderer: Any
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=True)
    else:
        # The rich traceback would print local variables, and with them what people said.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    # Its complaints about a broken form reach the sender as `invalid_form`; on the terminal they are noise.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if log_format == "json" else _as_it_is,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        # A kept logger would go on writing where it first did, whatever is set up later: on a stream that is closed.
        cache_logger_on_first_use=False,
    )


def _as_it_is(_logger: Any, _method: str, line: Any) -> Any:
    """The console renderer prints tracebacks itself."""
    return line
