"""The lists of the real page: their counts, their order, and all of them without a script or on a phone."""

import csv
import re

import pytest

LISTS = "table[data-list]"


@pytest.fixture(scope="module")
def plans(run_folder):
    with (run_folder / "plans.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def on(plans, word):
    return [plan for plan in plans if word in plan["work_lists"].split(";")]


def ids(window, name):
    return window.page.locator(f"table[data-list='{name}'] tbody tr:visible th bdi").all_inner_texts()


WORDS = {"call": "CALL_TODAY", "due-today": "DUE_TODAY", "settling": "SETTLING", "ended": "ENDED_WITH_MONEY"}


@pytest.mark.parametrize("scripts", [True, False])
def test_every_count_in_the_head_is_the_rows_of_its_list(opened, report, plans, scripts):
    """Counts are those of the plans report, too; what is shown does not depend on scripts."""
    with opened(report, scripts=scripts) as window:
        for name, word in WORDS.items():
            link = window.page.locator(f"ul.heads a[href='#{name}'] strong")
            wanted = sorted(plan["plan_id"] for plan in on(plans, word))
            assert wanted, word
            assert int(link.inner_text()) == len(wanted)
            assert sorted(ids(window, name)) == wanted


def test_everything_stands_there_without_a_script(opened, report):
    with opened(report) as with_script, opened(report, scripts=False) as without:
        for what in ("main table", f"{LISTS} tbody tr", "main svg", "main h2"):
            shown = without.page.locator(what).filter(visible=True).count()
            assert shown == with_script.page.locator(what).filter(visible=True).count() > 0
        assert without.page.locator(".tools, button").count() == 0


def test_calls_sort_by_days_and_by_amount_within_a_currency(opened, report, plans):
    calls = on(plans, "CALL_TODAY")
    days = {plan["plan_id"]: int(plan["days_past_due"]) for plan in calls}
    money = {plan["plan_id"]: (plan["currency"], -float(plan["overdue"])) for plan in calls}
    with opened(report) as window:
        table = window.page.locator("table[data-list='call']")
        table.get_by_role("button", name="Days").click()
        assert [days[plan] for plan in ids(window, "call")] == sorted(days.values(), reverse=True)
        table.get_by_role("button", name="Overdue").click()
        assert [money[plan] for plan in ids(window, "call")] == sorted(money.values())


def test_a_filter_leaves_the_plans_of_its_provider_on_every_list(opened, report, plans):
    with opened(report) as window:
        window.page.get_by_role("combobox", name="Provider", exact=True).select_option("payt")
        for name, word in WORDS.items():
            wanted = sorted(plan["plan_id"] for plan in on(plans, word) if plan["provider"] == "payt")
            assert sorted(ids(window, name)) == wanted
        shown = window.page.locator(f"{LISTS} tbody tr:visible").count()
        assert window.page.get_by_role("status").inner_text().startswith(f"{shown} of ")


def test_on_a_phone_each_row_is_a_card_that_names_its_values(opened, report):
    with opened(report, 390) as window:
        row = window.page.locator("table[data-list='call'] tbody tr").first
        assert row.evaluate("row => getComputedStyle(row).display") == "grid"
        named = row.evaluate("row => [...row.cells].map(cell => getComputedStyle(cell, '::before').content)")
        assert all(re.match(r'"\w', text) for text in named), named
        assert row.bounding_box()["width"] <= 390
        unnamed = window.page.locator("table.cards tbody tr > :not([data-label])").count()
        assert unnamed == 0
    with opened(report, 1280) as window:
        row = window.page.locator("table[data-list='call'] tbody tr").first
        assert row.evaluate("row => getComputedStyle(row).display") == "table-row"
