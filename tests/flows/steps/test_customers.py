"""The file of customers: read before anything is fetched, refused by its line, and what it finds."""

from datetime import date

import pytest

from flows.errors import SettingsError
from flows.steps.own_lists.customers import OwnCustomer, customers_of, read_customers
from sandbox.worlds import scenarios

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
