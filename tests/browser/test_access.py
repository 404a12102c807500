"""Everybody can use the page: by eye in both colour schemes, on a phone, by keyboard, by screen reader."""

import pytest
from axe_playwright_python.sync_playwright import Axe

PHONE, DESK = 390, 1280
GRAVE = {"serious", "critical"}
ONLY_FAULTS = {"resultTypes": ["violations"]}
"""Spares axe telling of what is in order, which takes most of its time."""

FEW_ROWS = "document.querySelectorAll('table[data-list]:not([data-list=breaks]) tr:nth-child(n + 5)').forEach(row => row.remove())"
"""Rows of a work list are alike: axe looks at four of each, and at every break."""

REACHED = """
controls => controls.filter(control => {
    control.focus({focusVisible: true});
    const style = getComputedStyle(control);
    return document.activeElement !== control || control.tabIndex < 0
        || style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2;
}).map(control => control.outerHTML.slice(0, 120))
"""
"""Controls that focus does not go to, or does not show."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_axe_finds_nothing_serious(opened, report, width, scheme):
    with opened(report, width, scheme) as window:
        window.page.evaluate(FEW_ROWS)
        found = Axe().run(window.page, options=ONLY_FAULTS).response["violations"]
    grave = [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
    assert not grave, "\n".join(grave)


def test_every_control_is_reached_by_keyboard_and_shows_that_it_is(opened, report):
    """Tab goes through all that can be pressed, filled in or scrolled, each with a visible outline."""
    with opened(report) as window:
        controls = window.page.locator("a[href], button, input, select, summary, [tabindex='0']").filter(visible=True)
        missed = controls.evaluate_all(REACHED)
    assert missed == []
