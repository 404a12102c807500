"""Questions to the latest published run: read-only SQL and the list of breaks."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.commands.answers import write
from flows.configuration import load
from flows.errors import UsageError
from flows.settings import Settings
from providers import PROVIDERS
from reports.manifest import is_sealed
from reports.publish import LATEST, run_folders
from schemas.words import BREAK_STATES, OPEN, SEVERITIES
from sql.readonly import asks_only_for, read_query

SHOWN = (
    "severity",
    "state",
    "code",
    "reason",
    "provider",
    "tenant_id",
    "plan_id",
    "reference",
    "term_id",
    "payment_id",
    "expected",
    "actual",
    "difference",
    "currency",
    "age_days",
    "explanation",
)
FIRST = ("severity", "code", "plan_id", "currency", "difference", "provider", "age_days", "reason")
"""Columns that are given room before the others; the sentence below tells what was expected and what there is."""

LEDGER = ("v_runs", "v_fetches", "v_quarantine", "v_writes", "v_acceptances")
"""Views that show every run, published or not."""


def latest_database(settings: Settings) -> Path:
    """Return the path of the latest published run's `read.duckdb`.

    Raises:
        UsageError: no run has been published yet.
    """
    path = settings.reports.dir / LATEST / "read.duckdb"
    if not path.is_file():
        raise UsageError(
            f"nothing is published below {str(settings.reports.dir)!r} yet; call `planrecon run` first. What was fetched and "
            f"why it was held: {', '.join(LEDGER)} answer already"
        )
    return path


def ledger_database(settings: Settings) -> Path:
    """Return the path of the newest database that knows every run: a published one, a held one, or the warehouse itself."""
    published = settings.reports.dir / LATEST / "read.duckdb"
    whole = [folder for folder in run_folders(settings.reports.dir) if is_sealed(folder)]
    newest = [folder / "read.duckdb" for folder in sorted(whole, key=lambda folder: folder.name, reverse=True)]
    databases = [path for path in (published, *newest, settings.warehouse.path) if path.is_file()]
    return databases[0] if databases else latest_database(settings)


def answer_query(config: Path | None, sql: str, *, style: str, raw: bool = False) -> int:
    """Print what `sql` selects from the published views and return 0."""
    database = ledger_database if asks_only_for(sql, LEDGER) else latest_database
    settings = load(config)
    write(read_query(database(settings), sql), style, raw=raw, plan_links=settings.plan_links())
    return 0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which breaks to list; an empty word asks for all, of states for the open ones."""

    state: str = ""
    code: str = ""
    severity: str = ""
    provider: str = ""
    plan: str = ""


def list_breaks(config: Path | None, selection: Selection, *, style: str, raw: bool = False) -> int:
    """Print the breaks of the latest published run that are wanted and return 0.

    Raises:
        UsageError: a word is none of its list; the nearest is named.
    """
    from checks.base import discover

    codes = {check.code for check in discover()}
    state = known_word("--state", selection.state.upper(), BREAK_STATES)
    code = known_word("--code", selection.code.upper(), codes)
    severity = known_word("--severity", selection.severity.lower(), SEVERITIES)
    provider = known_word("--provider", selection.provider.lower(), list(PROVIDERS))
    settings = load(config)
    frame = read_query(latest_database(settings), "SELECT * FROM v_breaks")
    frame = frame.filter(pl.col("state").is_in([state] if state else list(OPEN)))
    for column, value in {"code": code, "severity": severity, "provider": provider, "plan_id": selection.plan}.items():
        if value:
            frame = frame.filter(pl.col(column) == value)
    shown = frame.select(SHOWN) if style == "table" else frame
    write(shown, style, first=FIRST, raw=raw, plan_links=settings.plan_links())
    return 0


def known_word(option: str, word: str, words: Iterable[str]) -> str:
    """Return the word, or refuse it with the nearest one and the list."""
    known = sorted(words)
    if not word or word in known:
        return word
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"{option} {word!r} is unknown; {hint}known are {', '.join(known)}")
