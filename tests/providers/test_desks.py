"""Where plans can be changed: which changes each provider has, and what is assumed about them."""

import subprocess
import sys

import pytest

import providers.payiq.orders as payiq
import providers.payt.orders as payt
import providers.totality.orders as totality
from providers import PROVIDERS
from providers.errors import NotConfigured
from providers.writing import OPERATIONS

NAMES = ("payt", "totality", "payiq")


def test_every_provider_has_a_desk_with_the_changes_its_pages_show():
    assert tuple(PROVIDERS) == NAMES
    assert payt.OPERATIONS == ("create", "approve", "reject", "deactivate")
    assert totality.OPERATIONS == payiq.OPERATIONS == ("create", "update", "deactivate")
    assert {*payt.OPERATIONS, *totality.OPERATIONS} == set(OPERATIONS)
    assert "other" not in PROVIDERS
    with pytest.raises(
        NotConfigured, match=r"^other: no code reads this provider: .* Add a line that names the module"
    ):
        PROVIDERS["other"]


def test_a_provider_is_imported_when_it_is_asked_for():
    asked = "import sys; from providers import PROVIDERS; list(PROVIDERS); sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_reading_a_provider_imports_no_library_for_the_terminal():
    asked = "import sys; import providers.http.carrier; sys.exit('pygments' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_assumptions_of_changes_stand_beside_those_of_reading_and_share_their_table_of_overrides(town, name):
    provider = PROVIDERS[name]
    desk = provider.desk
    assert not set(desk.ASSUMED) & set(provider.ASSUMED)
    assert all(entry.about for entry in desk.ASSUMED.values())
    for known in (*desk.ASSUMED, *provider.ASSUMED):
        value = {**desk.ASSUMED, **provider.ASSUMED}[known].value
        for opened in (desk.compose, provider.connect):
            with opened(town.connection(name, overrides={known: value}), clock=town.clock):
                pass
    for opened in (desk.compose, provider.connect):
        with pytest.raises(NotConfigured, match="is not an assumption that can be overridden"):
            opened(town.connection(name, overrides={"write.nothing": "x"}), clock=town.clock)
