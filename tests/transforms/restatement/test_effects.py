"""Which rows became others, whom they reach, and what each of them changed."""

from datetime import date

import polars as pl
import pytest

from schemas.core import ACCOUNTS, PAUSES, PAYMENTS, PLAN_ACCOUNTS, PLANS, TERMS
from transforms.restatement.causes import portfolio
from transforms.restatement.components import both_ways, reached
from transforms.restatement.effects import NUMBERS, effects
from transforms.restatement.facts import KEYS, Facts, changes_of, differing

DAY = date(2026, 6, 1)
SEEN = pl.DataFrame(
    schema={"entity": pl.String, **dict.fromkeys(("plan_no", "account_no", "payment_no", "load_no"), pl.Int64)}
    | {"term_id": pl.String}
)


def rows(table, *given):
    """Rows of a table as narrow as they can be: what is not given is null."""
    return pl.DataFrame(given, schema=dict(table.dtypes)) if given else table.empty()


def facts(plans, payments):
    """One plan per account; payments are (number, account, amount)."""
    return Facts(
        accounts=ACCOUNTS.empty(),
        plans=rows(PLANS, *({"plan_no": plan, "account_no": account, "created_on": DAY} for plan, account in plans)),
        plan_accounts=PLAN_ACCOUNTS.empty(),
        terms=TERMS.empty(),
        payments=rows(
            PAYMENTS,
            *(
                {"payment_no": number, "account_no": account, "amount_minor": amount, "effective_date": DAY}
                for number, account, amount in payments
            ),
        ),
        pauses=PAUSES.empty(),
    )


def received(known):
    """The sum of the payments on the account of each plan, as the only figure."""
    sums = known.payments.group_by("account_no").agg(received_minor=pl.col("amount_minor").sum())
    paid = known.plans.select("plan_no", "account_no").join(sums, on="account_no", how="left")
    others = [pl.lit(0, pl.Int64).alias(name) for name in NUMBERS if name != "received_minor"]
    return paid.select("plan_no", pl.col("received_minor").fill_null(0), *others, outcome=pl.lit(None, pl.String))


OLD = facts([(7, 70), (8, 80), (9, 90)], [(1, 70, 100), (2, 70, 250), (3, 80, 40), (4, 90, 5)])
NEW = facts([(7, 70), (8, 80), (9, 90)], [(1, 70, 300), (2, 70, 250), (3, 80, 60), (4, 90, 5), (5, 70, 1000)])


@pytest.mark.parametrize("batch", [1, 4, 1_000_000])
def test_the_effect_of_each_cause_is_the_step_between_two_states_whatever_the_batch(batch):
    found = effects(portfolio(OLD, NEW, SEEN, known=9), received, batch=batch)
    told = found.select("plan_no", "step", "received_minor").sort("plan_no", "step").rows()
    assert told == [(7, 0, 350), (7, 1, 550), (7, 2, 1550), (8, 0, 40), (8, 1, 60)]


def test_causes_are_in_the_order_in_which_they_became_known():
    seen = SEEN.vstack(
        pl.DataFrame(
            [("payments", None, None, 1, 6, None), ("payments", None, None, 5, 4, None)],
            schema=SEEN.schema,
            orient="row",
        )
    )
    causes = portfolio(OLD, NEW, seen, known=9).causes
    assert causes.select("payment_no", "step", "load_no").sort("payment_no").rows() == [(1, 2, 6), (3, 1, 9), (5, 1, 4)]


def test_a_plan_that_came_has_zeros_before_it():
    new = facts([(7, 70), (8, 80), (9, 90), (10, 70)], [(1, 70, 100), (2, 70, 250), (3, 80, 40), (4, 90, 5)])
    found = effects(portfolio(OLD, new, SEEN, known=9), received)
    assert found.filter(pl.col("plan_no") == 10)["received_minor"].to_list() == [0, 350]


def test_nothing_changed_has_no_causes_and_no_effects():
    same = portfolio(OLD, OLD, SEEN, known=9)
    assert same.causes.is_empty()
    assert effects(same, received).is_empty()


def test_rows_are_compared_by_value_and_null_with_null():
    changed = changes_of(OLD.payments, NEW.payments)
    assert changed.kept["payment_no"].to_list() == [2, 4]
    assert changed.gone["payment_no"].to_list() == [1, 3]
    assert changed.come["payment_no"].to_list() == [1, 3, 5]
    before, after = changed.gone.to_dicts()[0], changed.come.to_dicts()[0]
    assert list(differing(before, after)) == [("amount_minor", 100, 300)]


def test_what_hangs_together_is_one_component_and_the_rest_is_left_out():
    pairs = both_ways(pl.DataFrame([(2, 5), (5, 8), (10, 11), (20, 21)], schema=["a", "b"], orient="row"))
    found = reached(pairs, pl.Series([8, 10, 30], dtype=pl.Int64))
    assert found.rows() == [(2, 2), (5, 2), (8, 2), (10, 10), (11, 10), (30, 30)]


def test_every_entity_has_a_key_in_its_table():
    assert all(set(key) <= set(getattr(OLD, entity).columns) for entity, key in KEYS.items())
