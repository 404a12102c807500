"""The rows that became known between two moments, in the order in which they are applied.

First by load, then by entity, effective date and id, so that a cause stands before what rests on it: an account before
its plans, a plan before its terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from transforms.restatement.components import account_node, both_ways, edges, plan_node, reached
from transforms.restatement.facts import KEYS, Changes, Facts, changes_of

_DAY: Mapping[str, pl.Expr] = {
    "accounts": pl.col("updated_on"),
    "plans": pl.coalesce(
        "removed_on", "deleted_on", "ended_on", "deactivated_on", "rejected_on", "approved_on", "created_on"
    ),
    "plan_accounts": pl.col("linked_on"),
    "terms": pl.coalesce("removed_on", "due_date"),
    "payments": pl.coalesce("removed_on", "reversed_on", "effective_date"),
    "pauses": pl.col("pause_start"),
}
"""When a row of each entity took effect; of one that is gone, when it had."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The plans that changes between two moments can reach.

    `changes` has, per entity of `KEYS`, its rows with `component`. `causes` has one row per row that is another now:
    `component`, `step` (from 1 in each component), `entity`, the columns of its key, `effective_date` and `load_no`.
    """

    changes: Mapping[str, Changes]
    causes: pl.DataFrame


def portfolio(old: Facts, new: Facts, seen: pl.DataFrame, *, known: int) -> Portfolio:
    """Return what is another in `new` than in `old`, and every row that hangs together with it.

    Args:
        old: What was known before.
        new: What is known now; of terms, those of plans in `old.terms` at least.
        seen: `entity`, columns of its key and `load_no`: the newest load in between that told of each row.
        known: The newest load of all; a change that no row of `seen` accounts for is dated by it.
    """
    changes = {entity: changes_of(old.of(entity), new.of(entity)) for entity in KEYS}
    named = _named(old, new)
    pairs = pl.concat([edges(old, old.links), edges(new, new.links), moved(old.payments, new.payments)]).unique()
    touched = [
        frame.select(_node(entity)).to_series()
        for entity, each in changes.items()
        for frame in (_with_plan(entity, each.gone, named), _with_plan(entity, each.come, named))
    ]
    nodes = reached(pairs, pl.concat(touched))

    def placed(entity: str, frame: pl.DataFrame) -> pl.DataFrame:
        at = _with_plan(entity, frame, named).with_columns(node=_node(entity))
        found = at.join(nodes, on="node", how="inner", validate="m:1", maintain_order="left")
        return found.select("component", *frame.columns)

    there = {
        entity: Changes(placed(entity, each.kept), placed(entity, each.gone), placed(entity, each.come))
        for entity, each in changes.items()
    }
    return Portfolio(there, _in_order(there, seen, known))


def _named(old: Facts, new: Facts) -> pl.DataFrame:
    """Return `payment_no` and `named_plan_no`, the plan whose terms name the payment; of several the smallest number."""
    terms = pl.concat([old.terms, new.terms]).filter(pl.col("linked_payment_no").is_not_null())
    return terms.group_by(payment_no="linked_payment_no").agg(named_plan_no=pl.col("plan_no").min())


def _with_plan(entity: str, frame: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    if entity != "payments":
        return frame
    return frame.join(named, on="payment_no", how="left", validate="m:1", maintain_order="left")


def _node(entity: str) -> pl.Expr:
    if entity == "payments":  # one without an account belongs to the plan whose term names it
        return pl.coalesce(account_node(), plan_node("named_plan_no")).alias("node")
    return (account_node() if entity == "accounts" else plan_node()).alias("node")


def moved(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts of payments that are on another account now, as pairs of nodes, both ways."""
    was = old.select("payment_no", was="account_no")
    both = new.select("payment_no", "account_no").join(was, on="payment_no", how="inner", validate="1:1")
    apart = both.filter(pl.col("was") != pl.col("account_no"))
    return both_ways(apart.select(a=account_node("was"), b=account_node()))


def _in_order(changes: Mapping[str, Changes], seen: pl.DataFrame, known: int) -> pl.DataFrame:
    """Return the causes of every component, numbered in the order in which they are applied."""
    by_plan = seen.filter(pl.col("entity") == "plans").select("plan_no", of_plan="load_no")
    found = []
    for rank, (entity, each) in enumerate(changes.items()):
        key = KEYS[entity]
        # A row that came says when it took effect; one that is gone without another, when it had.
        rows = pl.concat(
            [frame.select("component", *key, effective_date=_DAY[entity]) for frame in (each.come, each.gone)]
        )
        once = rows.unique(("component", *key), keep="first", maintain_order=True)
        told = seen.filter(pl.col("entity") == entity).select(*key, "load_no").group_by(key).max()
        dated = once.join(told, on=key, how="left", validate="m:1")
        if entity == "terms":  # one without a version of its own changed with its plan
            dated = dated.join(by_plan, on="plan_no", how="left", validate="m:1")
            dated = dated.with_columns(load_no=pl.coalesce("load_no", "of_plan")).drop("of_plan")
        dated = dated.with_columns(entity=pl.lit(entity), rank=pl.lit(rank), load_no=pl.col("load_no").fill_null(known))
        found.append(dated)
    numbers = ("plan_no", "account_no", "payment_no", "term_id")
    causes = pl.concat(found, how="diagonal").sort(
        "component", "load_no", "rank", "effective_date", *numbers, nulls_last=True
    )
    step = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("component")
    return causes.with_columns(step=step).drop("rank")
