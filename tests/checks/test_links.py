"""What was booked on the accounts of some plans: all of theirs, through the plan's own account and through links, and nobody else's."""

from datetime import date

import polars as pl
import pytest

from checks.links import booked
from schemas.core import ACCOUNTS, PLAN_ACCOUNTS
from schemas.results import PAYMENT_POSITIONS, PLAN_POSITIONS

MAY_1 = date(2026, 5, 1)


def rows(table, *given):
    empty = dict.fromkeys(table.columns)
    return pl.DataFrame([empty | row for row in given], schema=dict(table.dtypes))


def payment(number, account, minor, **changed):
    return {
        "payment_no": number, "payment_id": f"M{number}", "account_no": account, "currency": "EUR", "amount_minor": minor,
        "effective_date": MAY_1, "created_on": MAY_1, "class": "received", "is_money": True,
    } | changed  # fmt: skip


# Plan 0 names account 0 and is linked with account 3; plan 1 names account 1, plan 2 account 2.
FRAMES = {
    "plan_positions": rows(PLAN_POSITIONS, *({
        "plan_no": number, "plan_id": f"P{number}", "account_no": number, "currency": "EUR", "created_on": MAY_1,
    } for number in range(3))),
    "plan_accounts": rows(PLAN_ACCOUNTS, {"plan_no": 0, "account_no": 3}),
    "accounts": rows(ACCOUNTS, *({"account_no": number, "account_id": f"A{number}"} for number in range(4))),
    "payment_positions": rows(
        PAYMENT_POSITIONS, *(payment(number, number, 10**number) for number in range(4)),
        payment(4, 0, 50_000, currency="USD"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("plans", "found"),
    [
        ([], []),
        ([0], [(0, 1), (0, 1000)]),
        ([0, 1], [(0, 1), (0, 1000), (1, 10)]),
        ([1, 2], [(1, 10), (2, 100)]),
    ],
)
def test_the_money_of_every_account_that_some_plans_cover(plans, found):
    told = booked(FRAMES, pl.DataFrame({"plan_no": plans}, schema={"plan_no": pl.Int64}))
    assert sorted(told.select("plan_no", "kept_minor").rows()) == found
