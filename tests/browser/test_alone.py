"""The page stands alone: no network, no complaint of the browser, all of it without scripts."""

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
