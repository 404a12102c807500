"""The summary as Markdown, for an orchestrator's page: the same figures as on the console, as tables and lists."""

import re
from collections.abc import Iterable, Sequence

from reports.summary import Summary
from reports.terminal.console import BREAK_HEAD, PORTFOLIO_HEAD, break_line, break_rows, portfolio_line
from reports.texts import LONGEST_OWN, visible

_SPECIAL = re.compile(r"([\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w))")


def render(summary: Summary) -> str:
    """Return the summary as Markdown: first line with the state, then money, then breaks."""
    blocks = [
        f"## {escaped(visible(summary.headline, LONGEST_OWN))}",
        listed(f"held: {reason}" for reason in summary.held_because),
        escaped(f"known at {summary.known_at}, run {summary.run_id}, planrecon {summary.code_version}"),
        _table(PORTFOLIO_HEAD, [portfolio_line(row) for row in summary.portfolio], left=2),
        f"### {escaped(break_line(summary.breaks))}",
        _table(BREAK_HEAD, break_rows(summary.breaks), left=3) if summary.breaks.by_code else "",
        listed(f"cause: {cause}" for cause in summary.causes),
        listed((*summary.write_backs, *summary.notes)),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def listed(sentences: Iterable[str]) -> str:
    """Return sentences as a list; nothing in them is taken for Markdown."""
    return "\n".join(f"- {escaped(visible(sentence, LONGEST_OWN))}" for sentence in sentences)


def escaped(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, also in the cell of a table."""
    return _SPECIAL.sub(r"\\\1", text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> str:
    """Lay out a table: the first `left` columns flush left, the others flush right."""
    rule = [":---" if place < left else "---:" for place in range(len(head))]
    cells = [head, rule, *([escaped(visible(cell, LONGEST_OWN)) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
