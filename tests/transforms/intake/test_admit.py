"""Rows come in whole, or stay out with every reason, and nothing is lost in between."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from schemas.intake import DECODE_REJECTS, UNKNOWN_WORDS, Admitted
from transforms.intake.admit import ContractError, admit, check_contract
from transforms.intake.second_chance import second_chance

DAY = date(2026, 1, 1)

_WHERE = {"source": pl.String, "page_no": pl.Int64, "position": pl.Int64}
_KNOWN = {"currency": pl.String, "unreadable": pl.String, "is_repeat": pl.Boolean}
SHAPES: dict[str, dict[str, Any]] = {
    "plans": {
        **_WHERE, **_KNOWN, "plan_id": pl.String, "account_id": pl.String, "created_on": pl.Date, "stated_total": pl.String,
        "stated_total_units": pl.Int64, "anchor_day": pl.Int64, "is_derived": pl.Boolean, "starts_on": pl.Date,
        "each_payment": pl.String, "unknown_words": pl.List(pl.Struct({"name": pl.String, "value": pl.String})),
    },
    "terms": {
        **_WHERE, **_KNOWN, "ordinal": pl.Int64, "is_nested": pl.Boolean, "is_balance_stated": pl.Boolean, "plan_id": pl.String,
        "term_id": pl.String, "term_sequence": pl.Int64, "nominal_due_date": pl.Date, "due_date": pl.Date, "amount": pl.String,
        "amount_units": pl.Int64, "provider_outstanding": pl.String, "provider_paid_on": pl.Date,
    },
    "payments": {
        **_WHERE, **_KNOWN, "payment_id": pl.String, "share": pl.String, "amount": pl.String, "amount_units": pl.Int64,
        "takes_back": pl.Boolean, "effective_date": pl.Date, "created_on": pl.Date, "class": pl.String, "provider_status": pl.String,
        "reversed_on": pl.Date, "fees_units": pl.Int64, "is_listed": pl.Boolean,
    },
    "payment_parts": {"page_no": pl.Int64, "position": pl.Int64, "share": pl.String, "amount": pl.String, "reversal": pl.String},
    "accounts": {
        **_WHERE, **_KNOWN, "account_id": pl.String, "balance": pl.String, "balance_units": pl.Int64, "total": pl.String,
        "amount_due": pl.String,
    },
    "policies": {
        **_WHERE, **_KNOWN, "account_id": pl.String, "default_monthly": pl.String, "initial_balance": pl.String,
        "restricted_override_minimum": pl.String, "day_due": pl.Int64, "maximum_term": pl.Int64,
    },
    "tiers": {
        "page_no": pl.Int64, "position": pl.Int64, "ordinal": pl.Int64, "minimum": pl.String, "maximum": pl.String,
        "payment_count": pl.Int64, "restricted_minimum": pl.String,
    },
    "plan_accounts": {"plan_id": pl.String, "account_id": pl.String},
    "deletions": {"entity": pl.String, "key": pl.String, "deleted_on": pl.Date},
    "customers": {**_WHERE, **_KNOWN, "customer_id": pl.String, "paused_on": pl.Date, "updated_on": pl.Date},
}  # fmt: skip
PAGE_ENTITIES = pl.DataFrame(
    {
        "page_entity": ["plan_list", "money", "setups"],
        "entity": ["plans", "payments", ""],
        "child_entity": ["terms", "", "accounts"],
        "sweep": ["plans", "money", "setups"],
        "key_prefix": ["", "m:", ""],
    }
)
PLAIN = {
    "source": "plans", "page_no": 0, "currency": "EUR", "unreadable": "", "is_repeat": False, "created_on": DAY,
    "effective_date": DAY, "due_date": DAY, "starts_on": DAY, "is_derived": False, "is_nested": True, "is_balance_stated": False,
    "share": "", "class": "received", "amount": "10.00", "ordinal": 0,
}  # fmt: skip


def staged(**tables: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    frames = {"page_entities": PAGE_ENTITIES, "tenant_words": pl.DataFrame(schema=dict(UNKNOWN_WORDS))}
    for name, shape in SHAPES.items():
        plain = {} if name in {"payment_parts", "tiers"} else PLAIN
        rows = [
            {column: ({"position": at} | plain | row).get(column) for column in shape}
            for at, row in enumerate(tables.get(name, []))
        ]
        frames[name] = pl.DataFrame(rows, schema=shape, orient="row")
    return frames


def rejects(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [
        dict.fromkeys(DECODE_REJECTS) | {"page_no": 0, "position": 0, "rows": 0, "reason": ""} | row for row in rows
    ]
    return pl.DataFrame(full, schema=dict(DECODE_REJECTS), orient="row")


def admitted(*refused: dict[str, Any], **tables: list[dict[str, Any]]) -> Admitted:
    return admit(staged(**tables), decode_rejects=rejects(*refused), decoded_rows={})


def reasons(found: Admitted, entity: str) -> list[tuple[str, str, str, int]]:
    return found.rejects.filter(pl.col("entity") == entity).select("key", "code", "column", "rows").rows()


def counts(found: Admitted, entity: str) -> dict[str, Any]:
    return found.counts.filter(pl.col("entity") == entity).row(0, named=True)


def test_an_empty_fetch_admits_nothing_and_refuses_nothing():
    found = admitted()
    assert found.rejects.is_empty()
    assert found.counts.is_empty()
    assert all(frame.is_empty() for frame in found.accepted.values())


def test_a_good_plan_comes_in_with_its_terms():
    found = admitted(
        plans=[{"plan_id": "1"}],
        terms=[{"plan_id": "1", "term_id": "a"}, {"plan_id": "1", "term_id": "b", "amount": "0.00"}],
    )
    assert found.accepted["terms"].select("term_id", "amount_minor").rows() == [("a", 1000), ("b", 0)]
    assert counts(found, "terms")["amount_fetched_minor"] == 1000


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    ("fault", "code", "column"),
    [
        ({"amount": "1.005"}, "FRACTION_OF_MINOR_UNIT", "amount"),
        ({"amount": "1e2"}, "NOT_A_DECIMAL", "amount"),
        ({"amount": None}, "MISSING_FIELD", "amount"),
        ({"amount": None, "amount_units": 10**15}, "TOO_LARGE", "amount"),
        ({"due_date": None}, "MISSING_FIELD", "due_date"),
        ({"due_date": None, "unreadable": "BAD_DATE due_date"}, "BAD_DATE", "due_date"),
        ({"due_date": date(1899, 12, 31)}, "OUT_OF_RANGE", "due_date"),
        ({"currency": "XXX"}, "UNKNOWN_CURRENCY", "currency"),
        ({"currency": None}, "UNKNOWN_CURRENCY", "currency"),
        ({"amount": "-0.01"}, "NEGATIVE", "amount"),
        ({"amount": None, "amount_units": -1}, "NEGATIVE", "amount"),
        ({"is_balance_stated": True}, "MISSING_FIELD", "provider_outstanding"),
    ],
)
def test_one_fault_in_one_term_keeps_the_plan_and_its_other_terms_out(fault, code, column):
    good, bad = {"plan_id": "1", "term_id": "a"}, {"plan_id": "1", "term_id": "b"} | fault
    found = admitted(plans=[{"plan_id": "1"}, {"plan_id": "2"}], terms=[good, bad, {"plan_id": "2", "term_id": "c"}])
    assert reasons(found, "terms") == [("b", code, column, 1), ("1", "PLAN_QUARANTINED", "plan_id", 1)]
    assert reasons(found, "plans") == [("1", "TERM_QUARANTINED", "plan_id", 1)]
    assert found.accepted["plans"]["plan_id"].to_list() == ["2"]
    assert found.accepted["terms"]["term_id"].to_list() == ["c"]
    by_fate = found.counts.filter(pl.col("entity") == "terms").select(pl.col("fetched", "quarantined").sum()).row(0)
    assert by_fate == (3, 2)


def test_a_bad_plan_keeps_its_terms_out_also_where_they_came_alone():
    terms = [{"plan_id": "1", "term_id": name, "is_nested": False} for name in "ab"]
    found = admitted(
        plans=[{"plan_id": "1", "created_on": None}],
        terms=[*terms, {"plan_id": None, "term_id": "c", "is_nested": False}],
    )
    assert reasons(found, "terms") == [("a", "PLAN_QUARANTINED", "plan_id", 1), ("b", "PLAN_QUARANTINED", "plan_id", 1)]
    assert found.accepted["terms"]["term_id"].to_list() == ["c"]


def test_a_plan_that_could_not_be_decoded_keeps_its_terms_out():
    refused = {"page_entity": "plan_list", "code": "WRONG_TYPE", "column": "x", "key": "1"}
    found = admitted(refused, terms=[{"plan_id": "1", "term_id": "a", "is_nested": False}])
    assert reasons(found, "terms") == [("a", "PLAN_QUARANTINED", "plan_id", 1)]
    assert counts(found, "plans")["fetched"] == counts(found, "plans")["unreadable"] == 1


def test_children_of_an_undecodable_row_are_counted_with_it_and_a_second_reason_counts_nothing():
    first = {"page_entity": "plan_list", "code": "WRONG_TYPE", "column": "x", "key": "1", "rows": 4}
    found = admitted(first, first | {"column": "y"})
    assert reasons(found, "plans") == [("1", "WRONG_TYPE", "x", 1), ("1", "WRONG_TYPE", "y", 0)]
    assert reasons(found, "terms") == [("1", "WRONG_TYPE", "x", 4)]
    assert counts(found, "terms")["quarantined"] == 4


def test_a_row_that_only_carries_children_counts_as_at_least_one_of_them():
    found = admitted({"page_entity": "setups", "code": "WRONG_TYPE", "column": "x"})
    assert reasons(found, "accounts") == [(None, "WRONG_TYPE", "x", 1)]


def test_pages_that_feed_no_entity_are_listed_and_not_counted():
    found = admitted({"page_entity": "debtors", "code": "WRONG_TYPE", "column": "x"})
    assert found.rejects["entity"].to_list() == ["debtors"]
    assert found.counts.is_empty()


def test_repeats_are_not_examined_and_their_money_is_counted_apart():
    found = admitted(
        payments=[
            {"payment_id": "a"},
            {"payment_id": "a", "is_repeat": True, "amount": "9.99"},
            {"payment_id": "a", "is_repeat": True, "amount": "?"},
        ]
    )
    row = counts(found, "payments")
    assert (row["fetched"], row["repeated"], row["quarantined"], row["unreadable"]) == (3, 2, 0, 1)
    assert (row["amount_fetched_minor"], row["amount_repeated_minor"]) == (1999, 999)


@pytest.mark.fault(32)
def test_a_status_nobody_knows_is_kept_as_it_came_and_reported():
    found = admitted(
        payments=[
            {"payment_id": "a", "class": None, "provider_status": "Teleported"},
            {"payment_id": "b", "class": None, "provider_status": "Teleported"},
        ]
    )
    assert found.accepted["payments"]["class"].to_list() == ["unknown"] * 2
    assert found.unknown_words.rows() == [("payments", "status", "Teleported", 2)]


def test_unknown_words_of_plans_are_counted_by_field_and_keep_no_plan_out():
    often, never = {"name": "frequency", "value": "often"}, {"name": "day", "value": "Someday"}
    plans = [
        {"plan_id": "a", "unknown_words": [often, never]},
        {"plan_id": "b", "unknown_words": [often]},
        {"plan_id": "c", "unknown_words": []},
        {"plan_id": "d", "unknown_words": None},
    ]
    found = admitted(plans=plans)
    assert found.unknown_words.rows() == [("plans", "day", "Someday", 1), ("plans", "frequency", "often", 2)]
    assert found.accepted["plans"]["plan_id"].to_list() == ["a", "b", "c", "d"]


def test_a_reversed_payment_goes_back_whole_and_a_part_only_if_it_is_told():
    payments = [
        {"payment_id": "a", "class": "reversed", "reversed_on": DAY},
        {"payment_id": "b", "class": "partly_reversed"},
        {"payment_id": "c", "class": "partly_reversed"},
        {"payment_id": "d", "reversed_on": DAY},
    ]
    parts = [
        {"page_no": 0, "position": 1, "share": "", "amount": "6.00", "reversal": "1.50"},
        {"page_no": 0, "position": 1, "share": "", "amount": "3.00", "reversal": "0.25"},
        {"page_no": 0, "position": 2, "share": "", "amount": None, "reversal": "0.00"},
    ]
    found = admitted(payments=payments, payment_parts=parts).accepted["payments"]
    assert found.select("amount_minor", "reversed_amount_minor", "is_reversal_amount_known", "reversed_on").rows() == [
        (1000, 1000, True, DAY),
        (900, 175, True, None),
        (1000, None, False, None),
        (1000, None, True, None),
    ]


def test_of_a_returned_payment_only_what_its_parts_say_went_back_and_the_whole_where_none_says_it():
    payments = [{"payment_id": name, "class": "reversed", "amount": "100.00"} for name in "abcd"]
    parts = [
        {"page_no": 0, "position": 0, "share": "", "amount": "100.00", "reversal": "25.00"},
        {"page_no": 0, "position": 1, "share": "", "amount": "100.00", "reversal": "0.00"},
        # The reversal of the third stands on a part that paid another account.
        {"page_no": 0, "position": 2, "share": "", "amount": "60.00", "reversal": None},
        {"page_no": 0, "position": 2, "share": None, "amount": "40.00", "reversal": "40.00"},
    ]
    found = admitted(payments=payments, payment_parts=parts).accepted["payments"]
    assert found["reversed_amount_minor"].to_list() == [2500, 10000, 0, 10000]
    assert found["is_reversal_amount_known"].all()


def test_a_part_that_cannot_be_read_keeps_its_payment_out():
    part = {"page_no": 0, "position": 0, "share": "", "amount": "1.005", "reversal": None}
    found = admitted(payments=[{"payment_id": "a"}], payment_parts=[part])
    assert reasons(found, "payments") == [("a", "FRACTION_OF_MINOR_UNIT", "amount", 1)]


@pytest.mark.parametrize(
    ("fault", "code", "column"),
    [
        ({"each_payment": None}, "NO_SCHEDULE", "each_payment"),
        ({"each_payment": "0.00"}, "NO_SCHEDULE", "each_payment"),
        ({"anchor_day": None}, "NO_SCHEDULE", "anchor_day"),
        ({"anchor_day": 32}, "OUT_OF_RANGE", "anchor_day"),
        ({"stated_total": None}, "NO_SCHEDULE", "stated_total"),
        ({"stated_total": "-1.00"}, "NEGATIVE", "stated_total_minor"),
        ({"stated_total": "1201", "each_payment": "1"}, "NO_SCHEDULE", "stated_total"),
    ],
)
def test_a_rule_that_gives_no_terms_keeps_its_plan_out(fault, code, column):
    rule = {"plan_id": "1", "is_derived": True, "stated_total": "20.00", "each_payment": "15.00", "anchor_day": 1}
    assert admitted(plans=[rule]).accepted["terms"].select("term_id", "amount_minor").rows() == [
        ("1-001", 1500),
        ("1-002", 500),
    ]
    found = admitted(plans=[rule | fault])
    assert reasons(found, "plans") == [("1", code, column, 1)]
    assert found.accepted["terms"].is_empty()


def test_a_bad_tier_keeps_its_policy_out_and_the_account_stays():
    row = {"account_id": "1", "position": 0}
    tier = {"page_no": 0, "position": 0, "ordinal": 0, "minimum": "0", "maximum": "1.001", "payment_count": 3}
    found = admitted(accounts=[row], policies=[row], tiers=[tier])
    assert reasons(found, "policies") == [("1", "FRACTION_OF_MINOR_UNIT", "maximum", 1)]
    assert found.accepted["accounts"].height == 1


def test_every_currency_is_counted_by_itself():
    found = admitted(payments=[{"payment_id": "a"}, {"payment_id": "b", "currency": "JPY", "amount": "10.00"}])
    assert found.counts.select("currency", "fetched", "amount_fetched_minor").rows() == [
        ("EUR", 1, 1000),
        ("JPY", 1, 10),
    ]


def test_a_customer_of_a_tenant_in_no_known_currency_comes_in_and_counts_under_none():
    found = admitted(customers=[{"customer_id": "a", "currency": "EURO"}])
    assert found.accepted["customers"].select("customer_id", "currency").rows() == [("a", None)]
    assert (counts(found, "customers")["currency"], counts(found, "customers")["fetched"]) == (None, 1)


def test_what_was_shown_is_seen_whether_good_or_not():
    refused = {"page_entity": "money", "code": "WRONG_TYPE", "column": "x", "key": "9"}
    found = admitted(refused, payments=[{"payment_id": "a", "amount": "?", "source": "money"}])
    assert sorted(found.seen.filter(pl.col("entity") == "payments").select("source", "key").rows()) == [
        ("money", "a"),
        ("money", "m:9"),
    ]


def test_the_order_of_rows_changes_nothing():
    terms = [
        {"plan_id": str(n % 3), "term_id": str(n), "amount": "x" if n == 4 else "1.00", "position": n} for n in range(9)
    ]
    plans = [{"plan_id": str(n), "position": n} for n in range(3)]
    one, other = admitted(plans=plans, terms=terms), admitted(plans=plans[::-1], terms=terms[::-1])
    assert one.counts.equals(other.counts)
    assert one.accepted["terms"].sort("term_id").equals(other.accepted["terms"].sort("term_id"))
    assert one.rejects.sort("entity", "key", "position").equals(other.rejects.sort("entity", "key", "position"))


def fault(position: int, column: str = "amount", code: str = "MISSING_FIELD") -> dict[str, Any]:
    return {"page_entity": "money", "position": position, "column": column, "code": code}


@pytest.mark.fault(32)
def test_a_field_missing_from_every_row_is_a_broken_contract():
    with pytest.raises(ContractError, match="money: field 'amount' is MISSING_FIELD in all 2 rows"):
        check_contract(rejects(fault(0), fault(1)), {"money": 2})


@pytest.mark.parametrize(
    ("faults", "rows"),
    [
        ([fault(0)], 1),
        ([fault(0), fault(1)], 3),
        ([fault(0), fault(1, column="status")], 2),
        ([fault(0, code="NOT_FINITE"), fault(1, code="NOT_FINITE")], 2),
    ],
    ids=["a single row", "not every row", "different fields", "a bad value"],
)
def test_anything_less_is_quarantine(faults, rows):
    check_contract(rejects(*faults), {"money": rows})


def test_a_refused_row_comes_in_where_no_later_load_has_spoken_of_it_a_plan_with_its_terms():
    of_payments = {"source": "money", "page_no": 1}
    found = admitted(
        plans=[{"plan_id": name} for name in "abc"],
        terms=[{"plan_id": name, "term_id": f"{name}1", "position": at} for at, name in enumerate("abc")],
        payments=[{"payment_id": name} | of_payments for name in "xy"],
    )
    refused = pl.DataFrame({"page_no": [0, 0, 1, 1], "position": [0, 1, 0, 1]})
    keys = ("plan_id", "term_id", "payment_id", "account_id", "account_id", "customer_id")
    entities = ("plans", "terms", "payments", "accounts", "policies", "customers")
    newer = {name: pl.DataFrame({key: []}, schema={key: pl.String}) for name, key in zip(entities, keys, strict=True)}
    newer["plans"], newer["payments"] = pl.DataFrame({"plan_id": ["b"]}), pl.DataFrame({"payment_id": ["y"]})
    chance = second_chance(found, refused, newer)
    accepted = chance.admitted.accepted
    assert [accepted[name][f"{name[:-1]}_id"].to_list() for name in entities[:3]] == [["a"], ["a1"], ["x"]]
    assert chance.places.rows() == [(0, 0), (1, 0)]
