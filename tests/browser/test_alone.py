"""The page stands alone: no network, no complaint of the browser, few sheets on paper."""

import re

import pytest


@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_asks_for_nothing_and_the_browser_complains_of_nothing(opened, report, scripts):
    with opened(report, scripts=scripts) as window:
        window.page.wait_for_load_state("networkidle")
    assert window.requests == [report.as_uri()]
    assert window.complaints == []


def test_the_page_never_scrolls_sideways_on_a_phone(opened, report):
    with opened(report, 390) as window:
        width = window.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_printed_the_demo_takes_four_sheets_with_the_heads_of_lists_on_each(opened, report):
    """Chromium repeats a head that is a header group and has no box of a control in it."""
    with opened(report) as window:
        printed = window.page.pdf(format="A4", prefer_css_page_size=True)
        window.page.emulate_media(media="print")
        head = window.page.locator("table[data-list='call'] thead")
        displays = head.evaluate(
            "head => [head, ...head.querySelectorAll('button')].map(e => getComputedStyle(e).display)"
        )
        assert window.page.locator(".tools").is_hidden()
    assert displays[0] == "table-header-group"
    assert set(displays[1:]) == {"contents"}
    assert 0 < len(re.findall(rb"/Type\s*/Page\b", printed)) <= 4
