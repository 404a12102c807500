"""Progress on standard error, as text or as JSON lines; secrets are replaced before anything is written."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from providers.http.redaction import LIVE

LOGGER = logging.getLogger("planrecon")
LogFormat = Literal["text", "json"]
STEP = {"step": True}
"""What a record carries that a live line shows already, where there is one."""
LIBRARIES = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "stamina": logging.ERROR}
"""Libraries whose messages would repeat our own lines."""


class JsonLines(logging.Formatter):
    """One JSON object per record, for machines; the last word of a command that failed has its `code`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {"at": at, "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(told | ({"code": record.code} if hasattr(record, "code") else {}))


class Lines(logging.Formatter):
    """Text for a terminal, without characters that move the cursor or turn the reading direction."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text, made harmless."""
        text = super().format(record)
        if text.isascii() and text.replace("\n", "").isprintable():
            return text
        from reports.texts import harmless  # it brings a library that takes its time

        return harmless(text, keeps="\n")


class Patient(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers alone
    """Standard error that may be full or closed: a run goes on if its progress cannot be written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the library's name
        """Stay silent: the stream for errors is the one that failed."""


def configure(style: LogFormat = "text", *, level: int = logging.INFO) -> None:
    """Send planrecon's progress to standard error; the libraries speak up only from WARNING."""
    LOGGER.handlers[:] = [redacted(_handler(style, level))]
    LOGGER.setLevel(level)
    LOGGER.propagate = False
    for name, quiet in LIBRARIES.items():
        logging.getLogger(name).setLevel(quiet)


def _handler(style: LogFormat, level: int) -> logging.Handler:
    if style == "text" and level == logging.INFO and sys.stderr is not None and sys.stderr.isatty():
        from flows.live import Live  # only where somebody watches

        return Live(sys.stderr)
    handler = Patient(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else Lines("%(message)s"))
    return handler


def redacted(handler: logging.Handler) -> logging.Handler:
    """Return the handler with a filter that replaces secrets."""
    handler.addFilter(LIVE)
    return handler


def hide(secrets: Iterable[str | None]) -> None:
    """Remember values that must never be written."""
    LIVE.learn(*secrets)


def masked(text: str) -> str:
    """Return `text` with each live secret replaced."""
    return LIVE.redact(text)
