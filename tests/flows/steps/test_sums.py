"""What the page, the summary and the reports say together adds up again from the published rows."""

import json
import re
from collections import Counter
from decimal import Decimal

import pytest

from sandbox.worlds import scenarios

CLOSED = {"RESOLVED", "ACCEPTED"}


@pytest.fixture(scope="module")
def morning(open_desk, tmp_path_factory):
    """A run in which days inside of grace do not count, so that money is overdue on plans that are not past due."""
    with open_desk(tmp_path_factory.mktemp("sums"), scenarios.demo()) as desk:
        desk.configure(run={"grace_days": 20, "grace_mode": "GATE"}, reports={"formats": ["csv", "html"]})
        desk.run(scenarios.DEMO_AS_OF)
        yield desk


@pytest.fixture(scope="module")
def plans(morning):
    return [row for row in morning.rows("plans") if row["is_in_force"] == "true"]


@pytest.fixture(scope="module")
def page(morning):
    return (morning.latest / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def references(morning):
    """What people call each account, read off the provider's own rows."""
    world = morning.world
    return {
        **{("payt", f"invoice:{row['id']}"): row["invoice_number"] for row in world.payt.invoices},
        **{("payt", f"case:{row['id']}"): row["credit_case_number"] for row in world.payt.credit_cases},
        **{("totality", row["uuid"]): row["externalId"] for row in world.totality.loans},
        **{
            ("payiq", str(a["AccountID"])): a["AccountNumber"]
            for s in world.payiq.setups.values()
            for a in s["Accounts"]
        },
    }


def late(row):
    return int(row["days_past_due"]) > 0


def fresh(row):
    return Decimal(row["fresh_pending"]) != 0


def told(rows, column):
    """The sums of a column as the page writes them: `EUR 1,234.50, JPY 7`, currencies without money left out."""
    sums = Counter()
    for row in rows:
        sums[row["currency"]] += Decimal(row[column])
    return ", ".join(f"{currency} {amount:,f}" for currency, amount in sorted(sums.items()) if amount)


def lists(page):
    """Of each work list on the page: its title and number, the money beside it, and how many rows stand below."""
    item = r'<h3 id="([a-z-]+)">([^<]+) · ([\d,]+)</h3><span class="note">([^<]*)</span></div>(.*?)</table>'
    return {
        name: (int(count.replace(",", "")), money.replace(" and ", ", "), table.count("<tr data-provider"))
        for name, _, count, money, table in re.findall(item, page, re.DOTALL)
    }


def test_every_work_list_counts_the_plans_whose_money_it_names(page, plans, morning):
    found = lists(page)
    ended = [row for row in morning.rows("plans") if row["is_in_force"] == "false" and Decimal(row["overdue"])]
    for name, members, column in (
        ("call", [row for row in plans if late(row) and not fresh(row)], "overdue"),
        ("settling", [row for row in plans if late(row) and fresh(row)], "overdue"),
        ("due-today", [row for row in plans if Decimal(row["due_today"])], "due_today"),
        ("ended", ended, "overdue"),
    ):
        assert found[name] == (len(members), told(members, column), len(members))
    breaks = [row for row in morning.rows("breaks") if row["state"] not in CLOSED and row["kind"] == "real"]
    pressing = [row for row in breaks if row["severity"] in {"high", "critical"}]
    assert f"clear {len(pressing)} breaks of high or critical severity" in page
    assert f"look through {len(breaks) - len(pressing)} other breaks" in page


def test_every_tile_adds_up_from_the_rows_it_counts(page, plans):
    section = page.split('<section aria-labelledby="since">')[1].split("</section>")[0]
    tiles = dict(re.findall(r"<h3>([^<]+)</h3>(.*)", tile, re.DOTALL)[0] for tile in section.split('class="tile"')[1:])
    overdue = [row for row in plans if Decimal(row["overdue"])]
    for title, rows, column in (
        ("Due today", plans, "due_today"),
        ("Overdue", overdue, "overdue"),
        ("Pending", plans, "pending"),
    ):
        shown = re.findall(r'class="big">([\d,.]+) <small>(\w+)</small>', tiles[title])
        assert ", ".join(f"{currency} {figure}" for figure, currency in shown) == told(rows, column)
    assert f"On {len(overdue)} plans of {len(plans)}." in tiles["Overdue"]
    assert len(overdue) > sum(map(late, plans)), "grace covers no plan here, so this proves nothing"
    missed = sum(int(row["missed_terms"]) for row in plans)
    assert f'class="big">{missed}</span>' in tiles["Missed terms"]


def test_the_summary_adds_up_from_the_plans(morning, plans):
    summary = json.loads((morning.latest / "summary.json").read_text(encoding="utf-8"))
    for row in summary["portfolio"]:
        own = [p for p in plans if (p["provider"], p["currency"]) == (row["provider"], row["currency"])]
        groups = {
            "plans_in_force": own,
            "plans_past_due": [p for p in own if late(p)],
            "plans_overdue": [p for p in own if Decimal(p["overdue"])],
            "plans_past_due_nothing_pending": [p for p in own if late(p) and not fresh(p)],
            "plans_past_due_pending": [p for p in own if late(p) and fresh(p)],
        }
        assert {name: row[name] for name in groups} == {name: len(members) for name, members in groups.items()}
        for name in ("due_today", "amount_due", "overdue", "overdue_past_grace", "pending", "outstanding"):
            assert Decimal(row[name]) == sum(Decimal(p[name]) for p in own)
        chase, wait = groups["plans_past_due_nothing_pending"], groups["plans_past_due_pending"]
        assert Decimal(row["overdue_nothing_pending"]) == sum(Decimal(p["overdue"]) for p in chase)
        assert Decimal(row["fresh_pending_past_due"]) == sum(Decimal(p["fresh_pending"]) for p in wait)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("aging", ("plans", "terms", "amount_due", "overdue", "outstanding")),
        ("aging_terms", ("terms", "plans", "outstanding")),
    ],
)
def test_both_agings_on_the_page_are_the_rows_of_their_files(page, morning, name, columns):
    section = page.split(f'<section aria-labelledby="{name}">')[1].split("</section>")[0]
    shown = {}
    for title, card in re.findall(r"<h3>([^<]+)</h3>(.*?)</table>", section, re.DOTALL):
        rows = re.findall(r"<tr><th scope=\"row\">.*?</span>([^<]+)</th>(.*?)</tr>", card)
        shown |= {(title, bucket): re.findall(r">([^<]*)</td>", cells) for bucket, cells in rows}
    summed = {}
    for row in morning.rows(name):
        sums = summed.setdefault((f"{row['provider']} · {row['currency']}", row["bucket"]), [Decimal(0)] * len(columns))
        for place, column in enumerate(columns):
            sums[place] += Decimal(row[column])
    assert shown == {key: [f"{number:,f}" for number in sums] for key, sums in summed.items()}


def test_buckets_stand_in_their_order_and_both_agings_of_one_currency_can_be_read_by_a_query(morning):
    first = """
        select provider, currency, bucket, sum(overdue) from v_aging group by provider, currency, bucket_no, bucket
        order by provider, currency, bucket_no
    """
    order = ["0", "1-30", "31-60", "61-90", "91-120", "121-150", "151-180", "181-365", "366+"]
    for provider, currency in {row[:2] for row in morning.query(first)}:
        own = [bucket for p, c, bucket, _ in morning.query(first) if (p, c) == (provider, currency)]
        assert own == sorted(own, key=order.index)
    numbers = morning.query(
        "select distinct bucket, bucket_no from v_plans union select distinct bucket, bucket_no from v_aging_terms"
    )
    assert dict(numbers).items() <= {b: n for n, b in enumerate(order)}.items()


@pytest.mark.slow
def test_no_cell_is_empty_where_its_column_says_never(morning):
    told = morning.query(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where schema_name = 'main' and not internal and comment like '%; never empty'"
    )
    empty = []
    for view, name, kind in told:
        blank = f"or \"{name}\" = ''" if kind == "VARCHAR" else ""
        if morning.query(f'select count(*) from {view} where "{name}" is null {blank}') != [(0,)]:
            empty.append(f"{view}.{name}")
    assert empty == []


def test_a_payment_that_only_names_an_invoice_stands_beside_every_plan_that_covers_it(morning):
    links = {
        (row[0], row[1])
        for row in morning.query("select plan_id, account_id from v_plan_accounts where provider = 'payt'")
    }
    known = {row[0] for row in morning.query("select plan_id from v_plans where provider = 'payt'")}
    payments = morning.query("select payment_id, plan_id, account_id from v_payments where provider = 'payt'")
    wanted = {(plan, payment, account, "plan") for payment, plan, account in payments if plan}
    wanted |= {
        (plan, payment, account, "account")
        for payment, own, account in payments
        for plan, covered in links
        if own is None and account == covered and plan in known
    }
    found = morning.query(
        "select plan_id, payment_id, account_id, tied_by from v_plan_payments where provider = 'payt'"
    )
    assert set(found) == wanted
    assert len(found) == len(wanted)
    assert {tie for *_, tie in wanted} >= {"account"}
    shared = morning.query(
        "select plans_of_payment, count(*) from v_plan_payments group by payment_id, account_id, provider, tenant_id, plans_of_payment"
    )
    assert all(stated == counted for stated, counted in shared)
    tied = {row[0] for row in morning.query("select tied_by from v_plan_payments where provider = 'totality'")}
    assert "plan" in tied


def test_the_providers_own_reference_stands_beside_the_id_in_views_files_page_and_workbook(morning, references, page):
    accounts = morning.query("select provider, account_id, reference from v_accounts")
    assert {(provider, account): reference for provider, account, reference in accounts}.items() <= references.items()
    assert {provider for provider, _, reference in accounts if reference} == {"payt", "totality", "payiq"}
    for row in morning.rows("plans"):
        known = references.get((row["provider"], row["account_id"])) or ""
        assert row["reference"].removeprefix("'") == known, row["plan_id"]
    of_plan = {(row["provider"], row["plan_id"]): row["reference"] for row in morning.rows("plans")}
    breaks = morning.rows("breaks")
    for row in breaks:
        if row["account_id"]:
            wanted = references.get((row["provider"], row["account_id"])) or ""
            assert row["reference"].removeprefix("'") == wanted, row
        elif row["plan_id"]:
            assert row["reference"] == of_plan.get((row["provider"], row["plan_id"]), ""), row
    assert {row["provider"] for row in breaks if row["reference"]} >= {"payt", "payiq"}
    worst = page.split('<section aria-labelledby="lists">')[1].split("</section>")[0]
    shown = set(re.findall(r'data-label="Customer"><bdi>([^<]+)</bdi>', worst))
    assert len(shown & set(references.values())) > len(shown) / 2 > 0
    pressing = page.split('<section aria-labelledby="breaks">')[1].split("</section>")[0]
    assert set(re.findall(r"reference <bdi>([^<]+)</bdi>", pressing)) & set(references.values())
    links = morning.query("select provider, account_id, reference from v_plan_accounts")
    assert all(references[provider, account] == reference for provider, account, reference in links)
