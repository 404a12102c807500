"""Everybody can use the page: by eye in both colour schemes, on a phone, by keyboard, by screen reader."""

import pytest
from axe_playwright_python.sync_playwright import Axe

GRAVE = {"serious", "critical"}
ONLY_FAULTS = {"resultTypes": ["violations"]}
"""Spares axe telling of what is in order, which takes most of its time."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280])
def test_axe_finds_nothing_serious(opened, report, width, scheme):
    with opened(report, width, scheme) as window:
        found = Axe().run(window.page, options=ONLY_FAULTS).response["violations"]
    grave = [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
    assert not grave, "\n".join(grave)
