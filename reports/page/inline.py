"""The page's own script, and the content policy that lets it run and nothing else.

The policy names the hash of the very bytes that stand between the tags, so both are made here from one text.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

_SCRIPT = Path(__file__).parents[1] / "templates" / "page.js"


@cache
def script() -> Markup:
    """Return the text between the script tags, as it is."""
    return Markup(_SCRIPT.read_text(encoding="utf-8"))  # noqa: S704  a file of ours, not a text from outside


@cache
def policy() -> str:
    """Return the content policy: styles in the page, this one script, no connection and nothing else."""
    digest = b64encode(sha256(script().encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
