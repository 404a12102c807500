"""Tell where the rows that one plan rests on came from: list, page, position, fetch, and when each was first seen."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import duckdb

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
    rows = con.sql(statements("queries/origins.sql"), params=wanted).pl().to_dicts()
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
