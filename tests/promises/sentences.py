"""What the last words of a command that failed must be: a code, one sentence on what is wrong, and what to do next."""

import re
from collections.abc import Iterator

CODES = {
    *("usage", "configuration", "cannot_write", "stored_data_damaged", "internal", "busy"),
    *("provider_unreachable", "provider_protocol", "not_permitted", "contract", "conservation"),
    *("orchestrator_unreachable", "cluster_lost"),
}
"""What a script may find; one that was told to stop has none."""
ENDS = {"": {130, 143}, "busy": {5}}
"""The exit codes with which they stand; 2 with every other."""
SCREEN = 24 * 80
TO_DO = (
    "add|approve|ask|call|check|choose|compare|complete|configure|copy|correct|create|deactivate|deploy|do|drop|end|export|fill|fix|free|give|grant|hand|"
    "install|leave|locate|look|lower|make|move|name|narrow|open|pass|pick|plan|put|raise|rebuild|remove|rename|replace|report|"
    "restore|run|save|say|see|send|set|split|start|take|tell|unset|use|wait|write"
)
"""What a reader can do. A clause begins with it: at the start, or behind a stop, a colon, `or`, `and`, `then`."""
CLAUSE = re.compile(rf"(?:^|[;:.,(]\s+|\b(?:or|and|then)\s+)(?:{TO_DO})\b", re.IGNORECASE)
CHOICES = re.compile(
    r"known (?:are|here)|did you mean|the nearest (?:is|are)|must (?:start|end|be|have)|`planrecon [^`]+` (?:lists|names|shows)",
    re.IGNORECASE,
)
"""Beside the words that can be used, what must stand there, or the command that tells it, nothing more needs saying."""


def says_what_to_do(text: str) -> bool:
    """Tell whether a sentence leaves its reader with something to do."""
    return CLAUSE.search(text) is not None or CHOICES.search(text) is not None


def misshapen(code: str, text: str, exit_code: int) -> Iterator[str]:
    """Yield what is wrong with the form of a command's last words."""
    if code and code not in CODES:
        yield f"the code {code!r} is none that is known"
    if exit_code not in ENDS.get(code, {2}):
        yield f"the exit code {exit_code} does not go with {code!r}"
    if len(text.splitlines()) != 1:
        yield "it is not one line"
    if len(text) > SCREEN:
        yield "it is longer than a screen"
    if "Traceback" in text:
        yield "it is a traceback"
    if not says_what_to_do(text):
        yield "it does not say what to do"
