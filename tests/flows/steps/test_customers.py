"""The file of customers: read before anything is fetched, refused by its line, and what it finds."""

from datetime import date

import polars as pl
import pytest

from flows.errors import SettingsError
from flows.steps.own_lists.customers import OwnCustomer, customers_of, read_customers, with_own_customers
from sandbox.worlds import scenarios
from schemas.core import ACCOUNTS, OWN_CUSTOMERS, PLAN_ACCOUNTS
from schemas.results import PLAN_POSITIONS

AS_OF = date(2026, 6, 30)
HEAD = "provider,tenant_id,customer_id,account_id,customer"


def test_a_file_is_read_as_any_program_writes_it_and_a_repeated_line_counts_once(tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text(
        "\ufeff" + f"{HEAD}\nPayt,,7,,K1\npayt,,7,,K1\n\ntotality,t,,L5,K1\n".replace(",", ";"), encoding="utf-8"
    )
    given = read_customers(file)
    assert given[0] == OwnCustomer("payt", "", "7", "", "K1")
    assert customers_of(given).rows() == [("payt", None, "7", None, "K1"), ("totality", "t", None, "L5", "K1")]
    assert read_customers(None) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("stripe,,7,,K1", "line 2: provider 'stripe' is none of"),
        ("payt,,7,,", "line 2 has no customer"),
        ("payt,1001,,,K1", "line 2 has neither customer_id nor account_id"),
    ],
)
def test_a_line_that_says_nothing_is_refused_by_its_number(tmp_path, line, words):
    file = tmp_path / "wrong.csv"
    file.write_text(f"{HEAD}\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        read_customers(file)
    assert words in str(refused.value)
    assert "customers_file" in str(refused.value)


def test_plans_of_one_customer_at_two_providers_are_breaks_on_each(desk):
    desk = desk(scenarios.generate(seed=5, plans=30, as_of=AS_OF))
    desk.configure(run={"customers_file": "nowhere.csv"})
    with pytest.raises(SettingsError, match=r"nowhere\.csv"):
        desk.run(AS_OF)
    desk.configure(run={"customers_file": None}).run(AS_OF)
    plans = [row for row in desk.rows("plans") if row["is_in_force"] == "true"]
    one, other = (next(row for row in plans if row["provider"] == name) for name in ("payt", "totality"))
    lines = [HEAD, f"payt,,{one['customer_id']},,K1", f"totality,{other['tenant_id']},,{other['account_id']},K1"]
    (desk.folder / "customers.csv").write_text("\n".join(lines), encoding="utf-8")
    desk.configure(run={"customers_file": "customers.csv"}).report(AS_OF)
    found = [row for row in desk.rows("breaks") if row["reason"] == "PLANS_AT_TWO_PROVIDERS"]
    same = {row["plan_id"] for row in plans if row["provider"] == "payt" and row["customer_id"] == one["customer_id"]}
    assert {row["plan_id"] for row in found} == {*same, other["plan_id"]}
    assert all(row["severity"] == "high" and "Customer K1" in row["explanation"] for row in found)


def test_a_plan_carries_the_first_of_its_customers_by_name_and_keeps_its_place():
    words = ("provider", "tenant_id", "plan_id", "customer_id", "account_id")
    rows = [(0, "payt", "1", "P0", "8", "A0"), (2, "payt", "1", "P2", "7", "A2"), (1, "payt", "2", "P1", "7", None)]
    shape = {"plan_no": pl.Int64} | dict.fromkeys(words, pl.String)
    plans = pl.DataFrame(rows, schema=shape, orient="row").select(
        pl.lit(None, dtype).alias(name) if name not in shape else pl.col(name).cast(dtype)
        for name, dtype in PLAN_POSITIONS.dtypes.items()
    )
    given = [
        OwnCustomer("payt", "1", "7", "", "Zoe"),
        OwnCustomer("payt", "", "", "A2", "Ann"),
        OwnCustomer("totality", "", "8", "", "Bob"),
    ]
    links = {"accounts": ACCOUNTS.empty(), "plan_accounts": PLAN_ACCOUNTS.empty()}
    told = with_own_customers(plans, {**links, "own_customers": customers_of(given)})
    assert told.columns == plans.columns
    assert told.select("plan_no", "own_customer").rows() == [(0, None), (2, "Ann"), (1, None)]
    assert with_own_customers(plans, {**links, "own_customers": OWN_CUSTOMERS.empty()}) is plans
