"""Progress on standard error, as text or as JSON lines; secrets are replaced before anything is written."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from providers.redaction import LIVE

LOGGER = logging.getLogger("planrecon")
MASK = "********"
LogFormat = Literal["text", "json"]
QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "stamina": logging.ERROR}
"""Libraries whose chatter would repeat what our own lines say."""


class Redaction(logging.Filter):
    """Replaces live secrets in every record, in the text and in its arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite `record` where it holds a secret; never drop it."""
        text = record.getMessage()
        masked = self.mask(text)
        if masked != text:
            record.msg, record.args = masked, None
        return True

    def mask(self, text: str) -> str:
        """Return `text` with each live secret replaced."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return text


REDACTION = Redaction()


class JsonLines(logging.Formatter):
    """One JSON object per record, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"at": at, "level": record.levelname.lower(), "message": record.getMessage()})


def configure(style: LogFormat = "text") -> None:
    """Send planrecon's progress to standard error; the libraries speak up only from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else logging.Formatter("%(message)s"))
    handler.addFilter(REDACTION)
    handler.addFilter(LIVE)
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)


def hide(secrets: Iterable[str | None]) -> None:
    """Remember values that must never be written; very short ones would mask ordinary text."""
    REDACTION.secrets.update(secret for secret in secrets if secret and len(secret) >= 6)  # noqa: PLR2004  a length, not a rule
