"""How a long-running process of the node logs: one stream, lines for people or one JSON object a line.

Everything goes through the standard library's root logger, so that uvicorn and SQLAlchemy come out in the same form
as our own events. What is bound in structlog's context (`request_id` by the web, `run` by a harvest) stands in every
line. Goes to standard error; standard output belongs to what a command was asked for.
"""

import logging
import sys
from typing import TextIO

import structlog


def configure(form: str, level: str, *, stream: TextIO | None = None) -> None:
    """Set up logging of this process; `form` is `plain` or `json`. Calling it again replaces the set-up."""
    target = stream or sys.stderr
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.UnicodeDecoder(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendered(form, target)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These tell of their own insides; what matters of a start, a request or a job is said by our own code.
    for chatty in ("alembic", "uvicorn", "apscheduler", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _rendered(form: str, target: TextIO) -> list[structlog.types.Processor]:
    # Never with the values of local variables: headers with tokens and settings with passphrases are among them.
    if form == "json":
        told = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
        return [structlog.processors.ExceptionRenderer(told), structlog.processors.JSONRenderer(sort_keys=False)]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=target.isatty(), pad_event_to=0, exception_formatter=plain)]
