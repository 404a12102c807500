"""Plans that share accounts, and so money: what changes at one of them may change the figures of all."""

import polars as pl

from transforms.restatement.facts import Facts


def plan_node(column: str = "plan_no") -> pl.Expr:
    """Return the node of a plan."""
    return pl.col(column) * 2


def account_node(column: str = "account_no") -> pl.Expr:
    """Return the node of an account."""
    return pl.col(column) * 2 + 1


def edges(facts: Facts, links: pl.DataFrame) -> pl.DataFrame:
    """Return pairs of nodes `a`, `b` between which money or claims may move, each pair both ways.

    A plan is tied to its accounts, to the accounts that name it, and to those of payments that its terms name; an
    invoice to its case.

    Args:
        facts: What was known; its terms are not looked at.
        links: `plan_no` and `linked_payment_no` of terms that name a payment.
    """
    paid = links.join(
        facts.payments.select("payment_no", "account_no"),
        left_on="linked_payment_no",
        right_on="payment_no",
        how="inner",
    )
    pairs = [
        facts.plans.select(a=plan_node(), b=account_node()),
        facts.plan_accounts.select(a=plan_node(), b=account_node()),
        facts.accounts.select(a=plan_node("active_plan_no"), b=account_node()),
        facts.accounts.select(a=account_node("parent_account_no"), b=account_node()),
        paid.select(a=plan_node(), b=account_node()),
    ]
    return both_ways(pl.concat(pairs).drop_nulls())


def both_ways(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return each pair of nodes and its reverse, once."""
    return pl.concat([pairs, pairs.select(a="b", b="a")]).unique()


def reached(pairs: pl.DataFrame, seeds: pl.Series) -> pl.DataFrame:
    """Return `node` and `component` of every node that hangs together with one of `seeds`; a component is its smallest node.

    Args:
        pairs: What `edges` returned, of both moments.
        seeds: Nodes of what changed.
    """
    found = seeds.drop_nulls().unique().to_frame("node")
    frontier = found
    while frontier.height:
        beside = pairs.join(frontier, left_on="a", right_on="node", how="semi").select(node="b").unique()
        frontier = beside.join(found, on="node", how="anti")
        found = pl.concat([found, frontier])
    inside = pairs.join(found, left_on="a", right_on="node", how="semi")
    labels = found.with_columns(component=pl.col("node"))
    while True:  # each round the smallest label moves one edge further
        offered = (
            inside.join(labels, left_on="b", right_on="node", how="inner")
            .group_by(node="a")
            .agg(offer=pl.col("component").min())
        )
        moved = labels.join(offered, on="node", how="left", validate="1:1").select(
            "node", component=pl.min_horizontal("component", "offer")
        )
        if moved.equals(labels):
            return labels.sort("node")
        labels = moved
