"""Tell where the rows that a plan or a break rests on came from, when each was first seen, and how runs showed a break."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl

from schemas.explanation import Origin
from sql.scripts import seed, statements

Origins = dict[tuple[str, str], Origin]
"""By what it is and which: ("plan", ""), ("term", its id), ("payment", its number)."""


def origins(con: duckdb.DuckDBPyConnection, known: int, plan_no: int, payment_nos: Sequence[int]) -> Origins:
    """Return the origin of the plan, of its terms and of these payments, as known at load `known`.

    A term that its provider lists within its plan lies where the plan's row lies; of terms with a list of their own the
    list alone is kept.
    """
    wanted = {"known": known, "plan_no": plan_no, "payments": list(payment_nos)}
    rows = con.sql(statements("past/origins.sql"), params=wanted).pl().to_dicts()
    plans = [row for row in rows if row["what"] == "plan"]
    return {_key(row): _origin(row | (_of_term(row, plans) if row["what"] == "term" else {})) for row in rows}


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["what"], {"plan": "", "term": row["row_id"], "payment": str(row["number"])}[row["what"]]


def _origin(row: Mapping[str, Any]) -> Origin:
    return Origin(**{field.name: row[field.name] for field in fields(Origin)})


def _of_term(term: Mapping[str, Any], plans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    lists = seed(term["provider"], "page_entities")
    own = lists.filter(lists["entity"] == "terms")
    if own.height:
        return {"sweep": own["sweep"][0], "entity": own["page_entity"][0]}
    for plan in plans:
        if plan["load_no"] == term["load_no"]:
            return {name: plan[name] for name in ("sweep", "entity", "page", "position", "page_sha256")}
    within = lists.filter(lists["child_entity"] == "terms")
    return {"sweep": within["sweep"][0], "entity": within["page_entity"][0]} if within.height else {}


def account_origin(con: duckdb.DuckDBPyConnection, known: int, account_no: int) -> Origin | None:
    """Return the origin of an account's row as known at load `known`; None where the account was only ever named."""
    rows = con.sql(statements("past/account_origin.sql"), params={"known": known, "account_no": account_no}).pl()
    return None if rows.is_empty() else _origin(rows.row(0, named=True))


def is_plan(con: duckdb.DuckDBPyConnection, plan_id: str) -> bool:
    """Tell whether any plan was ever called so."""
    return bool(con.sql("SELECT 1 FROM core.plan_keys WHERE plan_id = $id LIMIT 1", params={"id": plan_id}).fetchall())


def break_life(
    con: duckdb.DuckDBPyConnection,
    beginning: str,
    *,
    provider: str | None = None,
    tenant: str | None = None,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> pl.DataFrame:
    """Return one row per break whose fingerprint begins so and published run that showed it, the newest run last.

    Columns of the breaks report and `run_id, run_no, known_load, known_at`; runs of later dates, or that knew more than was
    known at `known_at`, are left out.
    """
    wanted = {"beginning": beginning, "provider": provider, "tenant": tenant, "as_of": as_of, "known_at": known_at}
    frame: pl.DataFrame = con.sql(statements("past/break_life.sql"), params=wanted).pl()
    return frame
