"""Keeps live secrets out of everything that is logged.

`LIVE` knows every secret in use in this process: connections and fresh tokens are
added as they appear. It is a logging filter; attach it to each handler.
"""

import logging
import re
import threading
from urllib.parse import quote

MASK = "[secret]"
_SHORTEST = 6
_NOISY = ("httpx", "httpcore", "stamina")


class Redactor(logging.Filter):
    """Replaces each known secret in a log record, its arguments and its traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def learn(self, *secrets: str | None) -> None:
        """From now on these values are masked; very short ones would mask ordinary words and are left."""
        with self._lock:
            known = {secret for secret in secrets if secret and len(secret) >= _SHORTEST}
            self._secrets |= {form.lower() for secret in known for form in (secret, quote(secret, safe=""))}

    def redact(self, text: str) -> str:
        """Return `text` with every known secret masked, in upper or lower case: host names come back in lower case."""
        # One pattern of all of them would take seconds to make where every customer has a token.
        folded = text.lower()
        found = [secret for secret in self._secrets if secret in folded]
        if not found:
            return text
        # Longest first: a secret that contains another must not leave its own tail behind.
        found.sort(key=len, reverse=True)
        return re.sub("|".join(map(re.escape, found)), MASK, text, flags=re.IGNORECASE)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return true: every record passes, without its secrets."""
        record.msg, record.args = self.redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.redact(record.exc_text)
        return True


LIVE = Redactor()


def quiet() -> None:
    """Silence the HTTP libraries below WARNING: their INFO lines hold whole addresses, queries included."""
    for name in _NOISY:
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
        if LIVE not in logger.filters:
            logger.addFilter(LIVE)
