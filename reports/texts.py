"""How values read to a person: amounts, dates, and text that came from outside.

Only for the page, the workbook's notes and the console; files for programs have their own rules.
"""

import unicodedata
from datetime import UTC, datetime

LONGEST = 300
"""Characters of a foreign text that are shown."""
LONGEST_OWN = 4000
"""Characters of a sentence of ours with a path in it: what to do stands at its end."""
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that move the cursor, the reading direction or nothing visible at all."""


def grouped(decimal: str | None) -> str:
    """Put a comma between thousands: `12345.60` becomes `12,345.60`; unknown is a dash."""
    if decimal is None:
        return "\u2013"
    whole, dot, fraction = decimal.lstrip("-").partition(".")
    return f"{'-' if decimal.startswith('-') else ''}{int(whole):,}{dot}{fraction}"


def visible(text: str | None, longest: int = LONGEST) -> str:
    """Show a foreign text on one line: what hides, turns or breaks the line appears as its code point."""
    if not text:
        return ""
    shown = harmless(text[: longest + 1])
    return shown if len(text) <= longest else shown[:longest] + "…"


def harmless(text: str, *, keeps: str = "") -> str:
    """Show what hides, turns or breaks a line as its code point, all but the characters of `keeps`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _HIDDEN and c not in keeps else c for c in text)


def exact(text: str) -> str:
    """Return JSON whose texts say the same, with such characters as escapes; its own line breaks stay."""
    return "".join(_escaped(c) if unicodedata.category(c) in _HIDDEN and c != "\n" else c for c in text)


def _escaped(character: str) -> str:
    pair = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pair[at : at + 4]}" for at in range(0, len(pair), 4))


def instant(moment: datetime | None) -> str:
    """Write a moment in UTC to the minute; unknown is `never`."""
    return "never" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: `1 break`, `2 breaks`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
