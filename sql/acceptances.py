"""Keep what people decided about breaks: to accept one, or to take its acceptance back.

A decision is only ever added: it has a number and the moment at which it became known, and of those on one break the
newest counts, so that any past knowledge time can be asked for. All of them stand in the commit log, too, from which
a warehouse that is made again has them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import duckdb
import polars as pl

from schemas.results import ACCEPTANCES, DECISIONS
from sql.errors import Damaged
from sql.storage.commit_log import CommitLog
from sql.storage.commits import DECISIONS as KIND
from sql.storage.seals import as_json, from_json
from sql.views import insert


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of `DECISIONS`; `acceptance_no` is 0 until it is recorded."""

    provider: str
    tenant_id: str
    plan_id: str | None
    code: str
    fingerprint: str
    owner: str | None
    accepted_because: str | None
    expires_on: date | None
    maximum_minor: int | None
    break_currency: str | None
    accepted_at: datetime
    accepted_by: str
    is_withdrawn: bool = False
    acceptance_no: int = 0


def record(con: duckdb.DuckDBPyConnection, commit_log: CommitLog, decided: Sequence[Decision]) -> None:
    """Add these decisions, all or none: once their line is in the commit log they last, wherever this process ends."""
    last = len(settle(con, commit_log))
    numbered = [as_json(decision) | {"acceptance_no": last + place} for place, decision in enumerate(decided, 1)]
    commit_log.append(KIND, {"decisions": numbered})
    settle(con, commit_log)


def settle(con: duckdb.DuckDBPyConnection, commit_log: CommitLog) -> list[Decision]:
    """Give warehouse and commit log the decisions that one of them lacks; return all, oldest first.

    Raises:
        Damaged: they have different decisions under one number.
    """
    logged = [from_json(each, Decision) for line in commit_log.read(KIND) for each in line.facts["decisions"]]
    stored = [Decision(**row) for row in decisions(con).to_dicts()]
    if any(there != here for there, here in zip(logged, stored, strict=False)):
        message = f"the acceptances of the warehouse are not those {commit_log.path} tells of"
        advice = "the state folder belongs to another warehouse: configure the pair that belongs together"
        raise Damaged(f"{message}; {advice}", where=commit_log.path)
    if lacking := stored[len(logged) :]:
        commit_log.append(KIND, {"decisions": [as_json(decision) for decision in lacking]})
    if lacking := logged[len(stored) :]:
        insert(con, "INSERT INTO meta.acceptances BY NAME SELECT * FROM given", _frame(lacking))
    return max(logged, stored, key=len)


def decisions(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return `DECISIONS`: all of them, oldest first."""
    return DECISIONS.gate(con.sql("SELECT * FROM meta.acceptances ORDER BY acceptance_no").pl())


def known(con: duckdb.DuckDBPyConnection, at: datetime | None = None) -> tuple[pl.DataFrame, datetime | None]:
    """Return `ACCEPTANCES` as known at a moment, at the end of time where none is given; and when they last changed.

    A break whose acceptance was taken back has no row. The moment is null where nothing was decided by then.
    """
    by_then = decisions(con)
    if at is not None:
        by_then = by_then.filter(pl.col("accepted_at") <= at)
    newest = by_then.group_by("fingerprint", maintain_order=True).last()
    held = newest.filter(~pl.col("is_withdrawn")).sort("fingerprint")
    moment = max(by_then["accepted_at"].to_list(), default=None)
    return ACCEPTANCES.gate(held.select(ACCEPTANCES.columns)), moment


def _frame(decided: Iterable[Decision]) -> pl.DataFrame:
    return DECISIONS.gate(pl.DataFrame([asdict(each) for each in decided], schema=dict(DECISIONS.dtypes)))
