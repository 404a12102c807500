"""Lists can be sorted, searched and filtered where scripts run, and say so to a screen reader."""

from itertools import permutations

import pytest

from reports.page import inline

ROWS = (
    ("payt", "EUR", "low", "Zoë & Co", "1,200.00", "9"),
    ("payt", "JPY", "critical", "Anders", "23,500", "120"),
    ("payiq", "USD", "high", "bakker", "-3.10", ""),
    ("totality", "USD", "medium", "Cruz 12", "80.05", "30"),
    ("payiq", "EUR", "high", "Cruz 7", "999.99", "0"),
)
NAMES = [row[3] for row in ROWS]


@pytest.fixture(scope="module")
def page(opened, tmp_path_factory):
    """A list of five rows with the page's own script, policy and style."""
    labels = ("Severity", "Customer", "Overdue", "Days")
    cells = "".join(
        f'<tr data-provider="{provider}" data-currency="{currency}" data-severity="{severity}">'
        f'<td data-label="Severity"><span>{severity}</span></td><td data-label="Customer">{name.replace("&", "&amp;")}</td>'
        f'<td class="n" data-label="Overdue">{amount}</td><td class="n" data-label="Days">{days}</td></tr>'
        for provider, currency, severity, name, amount, days in ROWS
    )
    heads = "".join(
        f'<th scope="col"{" class=n" if label in ("Overdue", "Days") else ""}'
        f"{' data-money' if label == 'Overdue' else ''}>{label}</th>"
        for label in labels
    )
    file = tmp_path_factory.mktemp("lists") / "lists.html"
    file.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Lists</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{inline.policy()}"><main><section><h1>Lists</h1>'
        f'<table data-list="x"><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></section></main>'
        f"<script>{inline.script()}</script></html>",
        encoding="utf-8",
    )
    with opened(file) as window:
        yield window
        assert window.complaints == []


@pytest.fixture(autouse=True)
def _as_opened(page):
    page.page.reload()


def shown(window):
    return window.page.locator("tbody tr:visible td:nth-child(2)").all_inner_texts()


def press(window, label, times):
    for _ in range(times):
        window.page.get_by_role("button", name=label, exact=True).click()


def amount(name):
    return float(next(row[4] for row in ROWS if row[3] == name).replace(",", ""))


def test_texts_sort_without_regard_to_case_and_with_numbers_as_numbers(page):
    press(page, "Customer", 1)
    assert shown(page) == ["Anders", "bakker", "Cruz 7", "Cruz 12", "Zoë & Co"]
    press(page, "Customer", 1)
    assert shown(page) == ["Zoë & Co", "Cruz 12", "Cruz 7", "bakker", "Anders"]


def test_amounts_sort_within_their_currency_highest_first(page):
    press(page, "Overdue", 1)
    by_currency = {row[3]: row[1] for row in ROWS}
    wanted = min(permutations(NAMES), key=lambda order: [(by_currency[name], -amount(name)) for name in order])
    assert shown(page) == list(wanted)


def test_what_has_no_number_stands_last_in_both_directions(page):
    press(page, "Days", 1)
    assert shown(page) == ["Anders", "Cruz 12", "Zoë & Co", "Cruz 7", "bakker"]
    press(page, "Days", 1)
    assert shown(page) == ["Cruz 7", "Zoë & Co", "Cruz 12", "Anders", "bakker"]


def test_severities_sort_by_weight_and_the_order_is_told(page):
    press(page, "Severity", 2)
    assert page.page.locator("tbody td:first-child").all_inner_texts() == ["critical", "high", "high", "medium", "low"]
    assert page.page.locator("th[aria-sort]").count() == 1
    assert page.page.get_by_role("columnheader", name="Severity").get_attribute("aria-sort") == "descending"


def test_every_word_searched_has_to_be_in_the_row(page):
    page.page.get_by_role("searchbox").fill("cruz 80.05")
    assert shown(page) == ["Cruz 12"]
    assert "1 of 5 rows shown" in page.page.get_by_role("status").inner_text()
    page.page.get_by_role("searchbox").fill("nobody")
    assert shown(page) == []
    page.page.get_by_role("button", name="Show all").click()
    assert shown(page) == NAMES


@pytest.mark.parametrize(("name", "at"), [("Provider", 0), ("Currency", 1), ("Severity", 2)])
def test_a_filter_leaves_the_rows_of_its_value(page, name, at):
    for value in {row[at] for row in ROWS}:
        page.page.get_by_role("combobox", name=name, exact=True).select_option(value)
        assert shown(page) == [row[3] for row in ROWS if row[at] == value]


def test_filters_and_search_hold_together(page):
    page.page.get_by_role("combobox", name="Provider", exact=True).select_option("payiq")
    page.page.get_by_role("searchbox").fill("cruz")
    assert shown(page) == ["Cruz 7"]


def test_the_keyboard_reaches_every_control_and_sorts(page):
    reached = []
    for _ in range(9):
        page.page.keyboard.press("Tab")
        reached.append(page.page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert reached == [
        *("search", "filter-provider", "filter-currency", "filter-severity", "Show all"),
        *("Severity", "Customer", "Overdue", "Days"),
    ]
    page.page.keyboard.press("Shift+Tab")
    page.page.keyboard.press("Enter")
    assert page.page.get_by_role("columnheader", name="Overdue").get_attribute("aria-sort") == "descending"


def test_a_script_that_is_not_the_one_of_the_hash_is_kept_from_running(opened, page, tmp_path):
    changed = tmp_path / "changed.html"
    changed.write_text(page.page.content().replace("</script>", "document.title = 'run';</script>"), encoding="utf-8")
    with opened(changed) as window:
        assert window.page.title() == "Lists"
        assert any("Content Security Policy" in said for said in window.complaints)
