"""Explain one break: find it by its fingerprint, and put its rule, its rows, its life and its severity beside it."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl

from checks.base import Check, discover
from checks.docs import parts_of
from flows.commands.life.plans import MOST_NAMED, Wanted, explained, rules_told
from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.compute import Inputs
from flows.steps.inputs import read_inputs
from schemas.explanation import ExplainedBreak, Explanation, Given, Rule
from sql.acceptances import decisions
from sql.origins import account_origin, break_life, is_plan, origins
from sql.runs import read_register
from transforms.explanation.breaks import explain_break
from transforms.explanation.settings import settings_of

FINGERPRINT = re.compile(r"[0-9a-f]{6,64}")
"""A fingerprint, or as much of its beginning as is written on the page and more."""

Row = Mapping[str, Any]
_ACCOUNT = (
    "account_id",
    "reference",
    "currency",
    "kind_of_account",
    "account_status",
    "balance_minor",
    "account_total_minor",
)
_PAYMENT = ("payment_id", "account_id", "currency", "amount_minor", "effective_date", "class", "provider_status")


def explained_break(con: duckdb.DuckDBPyConnection, settings: Settings, wanted: Wanted) -> ExplainedBreak | None:
    """Return the explanation of the break that is meant; None where nothing but a plan can be.

    The break is told as the newest published run showed it, of a date and knowledge not after those asked for.

    Raises:
        UsageError: several breaks begin so.
    """
    if not FINGERPRINT.fullmatch(wanted.what) or is_plan(con, wanted.what):
        return None
    moment = wanted.known_at
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    shown = break_life(
        con, wanted.what, provider=wanted.provider, tenant=wanted.tenant, as_of=wanted.as_of, known_at=moment
    )
    if shown.is_empty():
        return None
    if shown["fingerprint"].n_unique() > 1:
        raise UsageError(_several(shown, wanted.what))
    life = shown.to_dicts()
    now = life[-1]
    inputs = read_inputs(con, now["known_load"], as_of=now["as_of"], settings=settings)
    checks = _checks(now)
    registered = read_register(con).filter(pl.col("fingerprint") == now["fingerprint"]).to_dicts()
    provider = now["provider"]
    return explain_break(
        life,
        rules=[_rule(check) for check in checks],
        declared=str(checks[0].severity) if checks else "medium",
        registered=registered[0] if registered else None,
        decisions=_decided(con, now["fingerprint"], moment),
        plan=_plan(con, inputs, now, settings),
        rows=_others(con, inputs, now),
        settings=settings_of(inputs.options[provider], inputs.conventions[provider], rules_told(inputs.rules)),
        options=inputs.options[provider],
    )


def _several(shown: pl.DataFrame, beginning: str) -> str:
    newest = shown.unique("fingerprint", keep="last", maintain_order=True)
    rows = newest.select("fingerprint", "code", "provider", "tenant_id", "plan_id").head(MOST_NAMED).iter_rows()
    listed = "; ".join(
        f"{fingerprint[:16]} {code} at {provider} ({tenant}), plan {plan or 'none'}"
        for fingerprint, code, provider, tenant, plan in rows
    )
    return f"{newest.height} breaks have a fingerprint that begins with {beginning!r}; give more of it: {listed}"


def _checks(now: Row) -> list[Check]:
    """Return the checks that may have found the break: those of its reason, else those that narrow it row by row."""
    of_code = [check for check in discover() if check.code == now["code"]]
    reasons = set(re.split(r"[+|]", now["reason"] or ""))
    exact = [check for check in of_code if check.reason and check.reason in reasons]
    found = exact or [check for check in of_code if not check.reason] or of_code
    about_money = [check for check in found if (check.over.name == "payment_positions") == bool(now["payment_id"])]
    return about_money or found


def _rule(check: Check) -> Rule:
    told = parts_of(check.doc)
    return Rule(told["Summary"], told["Means"], told["Causes"], told["Action"])


def _decided(con: duckdb.DuckDBPyConnection, fingerprint: str, moment: datetime | None) -> Sequence[Row]:
    given = decisions(con).filter(pl.col("fingerprint") == fingerprint)
    return (given if moment is None else given.filter(pl.col("accepted_at") <= moment)).to_dicts()


def _of(now: Row, name: str) -> pl.Expr:
    names = ("provider", "tenant_id", name)
    return pl.all_horizontal([pl.col(each) == now[each] for each in names])


def _plan(con: duckdb.DuckDBPyConnection, inputs: Inputs, now: Row, settings: Settings) -> Explanation | None:
    found = inputs.plans.filter(_of(now, "plan_id")) if now["plan_id"] else inputs.plans.clear()
    return explained(con, inputs, int(found["plan_no"][0]), settings) if found.height else None


def _others(con: duckdb.DuckDBPyConnection, inputs: Inputs, now: Row) -> list[Given]:
    """Return the payment where it is in no plan, the account, and for balances that the provider keeps the money on the plan's accounts."""
    payments = inputs.payments.clear()
    accounts = inputs.accounts.filter(_of(now, "account_id")) if now["account_id"] else inputs.accounts.clear()
    if now["payment_id"]:
        payments = inputs.payments.filter(_of(now, "payment_id"))
    elif now["plan_id"] and not now["term_id"]:
        plan = inputs.plans.filter(_of(now, "plan_id") & (pl.col("basis") == "PROVIDER_BALANCE"))
        linked = inputs.plan_accounts.join(plan, on="plan_no", how="semi")
        accounts = inputs.accounts.filter(
            pl.col("account_no").is_in(pl.concat([accounts, linked], how="diagonal")["account_no"].implode())
        )
        payments = inputs.payments.join(linked, on="account_no", how="semi")
    money = payments.filter(pl.col("plan_no").is_null()).to_dicts()
    told = origins(con, inputs.known, -1, [row["payment_no"] for row in money])
    rows = [
        Given(
            f"payment {row['payment_id']}",
            {name: row[name] for name in _PAYMENT},
            told.get(("payment", str(row["payment_no"]))),
        )
        for row in money
    ]
    for row in accounts.to_dicts():
        facts = {name: row[name] for name in _ACCOUNT}
        rows.append(Given(f"account {row['account_id']}", facts, account_origin(con, inputs.known, row["account_no"])))
    return rows
