"""Which plans exist, what they are called, and whose money is whose."""

from datetime import date

import polars as pl
import pytest

from schemas.options import Options
from transforms.location.locate import locate
from transforms.options import MissingOptionsError
from transforms.positions import unowned

JUNE = date(2025, 6, 15)
ASKED = date(2025, 2, 1)
AGREED = date(2025, 3, 1)


def monthly(*months: int, plan_no: int = 0) -> list[dict[str, object]]:
    return [
        {"plan_no": plan_no, "term_id": f"{plan_no}-{month}", "due_date": date(2025, month, 1), "amount_minor": 100, "provider_outstanding_minor": 100}
        for month in months
    ]  # fmt: skip


def found(make, plan: dict[str, object], as_of: date = JUNE, **more):
    positions = make.case(plan=plan, due=monthly(5, 6, 7), **more).at(as_of)
    return positions.plans["status"].item(), positions.terms["state"].to_list()


ALL_OPEN = ["MISSED", "MISSED", "NOT_DUE"]


def balance(**stamps: object) -> dict[str, object]:
    return {"basis": "PROVIDER_BALANCE", "is_active": False} | stamps


@pytest.mark.parametrize(
    ("plan", "status", "states"),
    [
        (balance(approved_on=AGREED, is_active=True), "ACTIVE", ALL_OPEN),
        (balance(proposed_on=ASKED), "PROPOSED", ["VOID"] * 3),
        (balance(proposed_on=ASKED, rejected_on=AGREED), "REJECTED", ["VOID"] * 3),
        (balance(proposed_on=ASKED, deleted_on=AGREED), "DELETED", ["VOID"] * 3),
        (balance(approved_on=AGREED, deleted_on=date(2025, 5, 20)), "DELETED", ["MISSED", "VOID", "VOID"]),
        (balance(approved_on=AGREED, deactivated_on=date(2025, 6, 1)), "DEACTIVATED", ["MISSED", "MISSED", "VOID"]),
        (balance(approved_on=AGREED), "UNKNOWN", ALL_OPEN),
        (balance(is_active=True), "ACTIVE", ALL_OPEN),
        ({"is_active": False, "ended_on": date(2025, 5, 31)}, "DEACTIVATED", ["MISSED", "VOID", "VOID"]),
        ({"is_active": True, "ended_on": date(2025, 5, 31)}, "ACTIVE", ALL_OPEN),
    ],
)
def test_stamps_and_flags_give_the_status_and_void_what_is_no_longer_owed(make, plan, status, states) -> None:
    assert found(make, plan) == (status, states)


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        (balance(proposed_on=ASKED, approved_on=date(2025, 6, 16), is_active=True), "PROPOSED"),
        (balance(proposed_on=ASKED, rejected_on=date(2025, 6, 16)), "PROPOSED"),
        (balance(approved_on=AGREED, deactivated_on=date(2025, 6, 16)), "ACTIVE"),
        (balance(approved_on=AGREED, deleted_on=date(2025, 6, 16)), "ACTIVE"),
        ({"is_active": False, "ended_on": date(2025, 6, 16)}, "ACTIVE"),
    ],
)
def test_what_happens_after_the_day_has_not_happened(make, plan, status) -> None:
    case = make.case(plan=plan, due=monthly(5, 6, 7))
    row = case.plan(JUNE)
    assert row["status"] == status
    assert row["deactivated_on"] is None
    assert row["rejected_on"] is None
    assert row["is_active"] or status == "PROPOSED"


def test_plans_created_later_are_not_listed(make) -> None:
    assert make.case(plan={"created_on": date(2025, 6, 16)}).at(JUNE).plans.is_empty()
    assert make.case(plan={"created_on": JUNE}).at(JUNE).plans.height == 1


def test_an_inactive_plan_without_an_end_is_finished_once_everything_is_paid(make) -> None:
    paid = [row | {"provider_outstanding_minor": 0, "provider_paid_on": date(2025, 6, 10)} for row in monthly(4, 5)]
    case = make.case(plan=balance(approved_on=AGREED), due=paid)
    assert case.plan(JUNE)["status"] == "FINISHED"
    assert case.plan(JUNE)["is_in_force"] is False
    assert case.plan(date(2025, 6, 9))["status"] == "ACTIVE"
    assert case.plan(date(2025, 6, 9))["outstanding_minor"] == 200


def test_a_vanished_plan_keeps_its_last_balances_and_leaves_the_totals(make) -> None:
    gone = [row | {"removed_on": date(2025, 6, 10)} for row in monthly(5, 6, 7)]
    row = make.case(plan={"removed_on": date(2025, 6, 10)}, due=gone).plan(JUNE)
    assert (row["status"], row["flags"], row["is_in_force"]) == ("DELETED", "VANISHED", False)
    assert (row["outstanding_minor"], row["overdue_minor"]) == (300, 200)


def test_a_term_taken_out_of_a_plan_that_goes_on_is_void_and_takes_no_money(make) -> None:
    moved = [
        {"due_date": date(2025, 5, 1), "amount_minor": 100, "removed_on": date(2025, 4, 20)},
        {"due_date": date(2025, 5, 15), "amount_minor": 100},
    ]
    case = make.case(due=moved, paid=[{"effective_date": date(2025, 5, 15), "amount_minor": 100}])
    terms = case.at(JUNE).terms
    assert terms["state"].to_list() == ["VOID", "PAID_ON_TIME"]
    assert terms["received_minor"].to_list() == [0, 100]
    assert terms["waived_minor"].to_list() == [100, 0]


# --- replaced plans ---


def replaced(make, *, old: dict[str, object], new: dict[str, object], paid: list[dict[str, object]] | None = None):
    return make.case(
        plan=[{"account_no": 0} | old, {"account_no": 0} | new],
        due=[*monthly(4, 5, 7, plan_no=0), *monthly(6, 8, plan_no=1)],
        paid=paid,
    )


MAY = date(2025, 5, 10)
ENDED = {"is_active": False, "ended_on": MAY}


def test_a_newer_plan_supersedes_the_terms_due_after_it_and_leaves_the_earlier_ones(make) -> None:
    positions = replaced(make, old=ENDED, new={"created_on": MAY}).at(JUNE)
    assert positions.plans["status"].to_list() == ["SUPERSEDED", "ACTIVE"]
    assert positions.plans["replaced_by_plan_no"].to_list() == [1, None]
    assert positions.plans["replaced_by_plan_id"].to_list() == ["P1", None]
    assert positions.terms["state"].to_list() == ["MISSED", "MISSED", "SUPERSEDED", "MISSED", "NOT_DUE"]


def test_before_the_newer_plan_there_was_no_replacement(make) -> None:
    positions = replaced(make, old=ENDED, new={"created_on": MAY}).at(date(2025, 5, 9))
    assert positions.plans["status"].to_list() == ["ACTIVE"]


def test_terms_removed_with_the_replacement_keep_their_state_if_they_were_due(make) -> None:
    case = replaced(make, old=ENDED, new={"created_on": MAY})
    removed = case.terms.with_columns(pl.when(pl.col("plan_no") == 0).then(pl.lit(MAY)).alias("removed_on"))
    terms = make.Case(case.plans, removed, case.payments, case.plan_accounts).at(JUNE).terms
    assert terms["state"].to_list()[:3] == ["MISSED", "MISSED", "SUPERSEDED"]


def test_two_active_plans_supersede_neither_and_the_newer_one_takes_the_money(make) -> None:
    paid = [{"effective_date": date(2025, 5, day), "amount_minor": 10} for day in (9, 10)]
    positions = replaced(make, old={}, new={"created_on": MAY}, paid=paid).at(JUNE)
    assert positions.plans["status"].to_list() == ["ACTIVE", "ACTIVE"]
    assert positions.payments["plan_no"].to_list() == [0, 1]


def test_a_plan_that_had_ended_before_was_not_replaced(make) -> None:
    old = {"is_active": False, "ended_on": date(2025, 4, 20)}
    positions = replaced(make, old=old, new={"created_on": MAY}).at(JUNE)
    assert positions.plans["status"].to_list() == ["DEACTIVATED", "ACTIVE"]
    assert positions.terms["state"].to_list()[:3] == ["MISSED", "VOID", "VOID"]


def test_plans_created_on_one_day_replace_each_other_in_the_order_of_their_ids(make) -> None:
    """Numbers as numbers: 9 comes before 10."""
    case = make.case(
        plan=[
            {"plan_id": "10", "account_no": 0, "created_on": MAY},
            {"plan_id": "9", "account_no": 0, "created_on": MAY, **ENDED},
        ],
        paid=[{"effective_date": MAY, "amount_minor": 10}],
    )
    positions = case.at(JUNE)
    assert positions.plans["replaced_by_plan_no"].to_list() == [None, 0]
    assert positions.payments["plan_no"].to_list() == [0]


def test_sharing_any_account_replaces(make) -> None:
    case = make.case(
        plan=[{"account_no": 0} | ENDED, {"account_no": 1, "created_on": MAY}],
        links=[{"plan_no": 0, "account_no": 1}],
    )
    assert case.at(JUNE).plans["status"].to_list() == ["SUPERSEDED", "ACTIVE"]


# --- whose money ---


def test_money_goes_to_the_plan_in_force_on_its_day_and_outside_to_none(make) -> None:
    paid = [
        {"effective_date": day, "amount_minor": 10}
        for day in (date(2024, 12, 31), date(2025, 1, 1), date(2025, 5, 9), MAY, date(2025, 6, 1), date(2025, 6, 2))
    ]
    new = {"created_on": MAY, "is_active": False, "ended_on": date(2025, 6, 1)}
    case = replaced(make, old=ENDED, new=new, paid=paid)
    assert case.locate(JUNE).payments["plan_no"].to_list() == [None, 0, 0, 1, 1, None]
    outside = unowned(case.locate(JUNE).payments)
    assert outside["payment_no"].to_list() == [0, 5]
    assert outside["allocated_minor"].to_list() == [0, 0]


def test_a_payment_that_a_term_names_goes_to_that_term_whatever_the_day(make) -> None:
    paid = [{"effective_date": date(2025, 6, 2), "amount_minor": 100}]
    case = replaced(make, old=ENDED, new={"created_on": MAY}, paid=paid)
    named = case.terms.with_columns(
        pl.when(pl.col("term_id") == "0-5").then(pl.lit(0, pl.Int64)).alias("linked_payment_no")
    )
    positions = make.Case(case.plans, named, case.payments, case.plan_accounts).at(JUNE)
    assert positions.payments["plan_no"].to_list() == [0]
    assert positions.terms["received_minor"].to_list() == [0, 100, 0, 0, 0]
    assert positions.terms["state"].to_list()[:2] == ["MISSED", "PAID_LATE"]


def test_a_named_payment_beyond_its_term_fills_the_oldest(make) -> None:
    due = monthly(4, 5, 6)
    due[1]["linked_payment_no"] = 0
    case = make.case(due=due, paid=[{"effective_date": date(2025, 5, 1), "amount_minor": 130}])
    assert case.at(JUNE).terms["received_minor"].to_list() == [30, 100, 0]


def test_later_payments_and_removed_ones_do_not_exist(make) -> None:
    case = make.case(
        paid=[
            {"effective_date": date(2025, 6, 16), "amount_minor": 1},
            {"effective_date": date(2025, 6, 20), "created_on": JUNE, "class": "pending", "amount_minor": 1},
            {"effective_date": date(2025, 6, 1), "amount_minor": 1, "removed_on": JUNE},
        ]
    )
    assert case.locate(JUNE).payments["payment_no"].to_list() == [1]


def test_a_later_reversal_has_not_happened(make) -> None:
    row = {
        "effective_date": date(2025, 6, 1),
        "amount_minor": 100,
        "class": "reversed",
        "reversed_on": date(2025, 6, 16),
    }
    case = make.case(due=monthly(6), paid=[row | {"reversed_amount_minor": 100}])
    now, later = case.at(JUNE), case.at(date(2025, 6, 16))
    assert now.payments.select("class", "reversed_on", "reversed_amount_minor").row(0) == ("received", None, None)
    assert later.payments.select("class", "reversed_on", "reversed_amount_minor").row(0) == (
        "reversed",
        date(2025, 6, 16),
        100,
    )
    assert (now.plans["received_minor"].item(), later.plans["received_minor"].item()) == (100, 0)
    assert later.terms["satisfied_on"].item() is None


def test_a_part_that_went_back_counts_only_if_its_amount_is_known(make) -> None:
    row = {"effective_date": date(2025, 6, 1), "amount_minor": 100, "class": "partly_reversed", "reversed_on": JUNE}
    case = make.case(
        due=monthly(6, 7), paid=[row | {"reversed_amount_minor": 30}, row | {"is_reversal_amount_known": False}]
    )
    assert case.plan(JUNE)["received_minor"] == 170


# --- balances of the provider ---


def ledger(make, *paid: dict[str, object], links: list[dict[str, object]] | None = None):
    return make.case(
        plan=[balance(approved_on=AGREED, is_active=True)] * 2, due=monthly(5, plan_no=0), paid=list(paid), links=links
    )


def test_ledger_payments_belong_to_no_plan_and_are_summed_beside_it(make) -> None:
    """Friday 13 June and later lie within two business days of Sunday 15 June; the fetch of 1 January came before the plan."""
    case = ledger(
        make,
        {"effective_date": date(2024, 12, 31), "amount_minor": 1},
        {"effective_date": date(2025, 5, 1), "amount_minor": 10},
        {"effective_date": date(2025, 6, 13), "amount_minor": 100, "account_no": 5},
        {"effective_date": date(2025, 6, 13), "amount_minor": 1000, "payment_id": "psp:1"},
        {"effective_date": date(2025, 6, 14), "amount_minor": 10000, "currency": "USD"},
        links=[{"plan_no": 0, "account_no": 5}],
    )
    positions = case.at(JUNE)
    plan = positions.plans.row(0, named=True)
    assert (plan["linked_received_minor"], plan["linked_recent_minor"]) == (110, 100)
    assert positions.payments["payment_id"].to_list() == ["psp:1"]
    assert positions.payments["allocated_minor"].to_list() == [None]
    assert plan["unapplied_minor"] is None


def test_a_transaction_on_an_account_of_two_plans_goes_to_the_first(make) -> None:
    case = ledger(
        make,
        {"effective_date": JUNE, "class": "pending", "amount_minor": 10, "payment_id": "psp:1", "account_no": 5},
        links=[{"plan_no": 0, "account_no": 5}, {"plan_no": 1, "account_no": 5}],
    )
    assert case.at(JUNE).payments["plan_no"].to_list() == [0]


@pytest.mark.parametrize(
    ("term", "figures"),
    [
        ({"provider_outstanding_minor": 0, "provider_paid_on": date(2025, 5, 3)}, (0, "PAID_LATE", date(2025, 5, 3), 2, "")),
        ({"provider_outstanding_minor": 0, "provider_paid_on": date(2025, 6, 16)}, (100, "MISSED", None, 45, "")),
        ({"provider_outstanding_minor": 40}, (40, "PARTIAL_OVERDUE", None, 45, "")),
        ({"provider_outstanding_minor": 40, "updated_on": date(2025, 6, 16)}, (40, "PARTIAL_OVERDUE", None, 45, "AS_OF_APPROXIMATE")),
        ({"provider_outstanding_minor": 0, "updated_on": date(2025, 4, 30)}, (0, "PAID_EARLY", None, None, "")),
        ({"provider_outstanding_minor": 0, "updated_on": date(2025, 6, 1)}, (0, "PAID_LATE", None, None, "")),
        ({"provider_outstanding_minor": None}, (100, "MISSED", None, 45, "")),
        ({"provider_outstanding_minor": None, "provider_paid_on": date(2025, 5, 1)}, (0, "PAID_ON_TIME", date(2025, 5, 1), 0, "")),
    ],
)  # fmt: skip
def test_a_term_with_the_provider_s_own_balance(make, term, figures) -> None:
    case = make.case(plan=balance(approved_on=AGREED, is_active=True), due=[monthly(5)[0] | term])
    row = case.at(JUNE).terms.row(0, named=True)
    names = ("outstanding_minor", "state", "satisfied_on", "days_late", "flags")
    assert tuple(row[name] for name in names) == figures
    assert case.plan(JUNE)["flags"] == figures[-1]


def test_the_provider_s_amount_due_is_its_own_sum_over_terms_due(make) -> None:
    plan = make.case(plan=balance(approved_on=AGREED, is_active=True), due=monthly(5, 6, 7)).plan(JUNE)
    assert (plan["provider_amount_due_minor"], plan["provider_outstanding_minor"]) == (200, 300)
    ours = make.case(plan={"provider_amount_due_minor": 77}, due=monthly(5)).plan(JUNE)
    assert (ours["provider_amount_due_minor"], ours["provider_outstanding_minor"]) == (77, None)


def test_a_provider_without_rules_is_refused(make) -> None:
    case = make.case(plan={"provider": "other"}, due=monthly(5))
    located = case.locate(JUNE)
    with pytest.raises(MissingOptionsError, match="other"):
        case.at(JUNE, {"p": Options()})
    assert located.plans.height == 1
    pending = make.payments({"effective_date": JUNE, "class": "pending", "provider": "other", "amount_minor": 1})
    with pytest.raises(MissingOptionsError, match="other"):
        locate(case.plans, pending, case.plan_accounts, as_of=JUNE, options={"p": Options()})
