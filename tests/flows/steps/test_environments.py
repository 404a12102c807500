"""Credentials or an address of another environment: what is stored stays as it is, and the provider is reported."""

import pytest

from flows.errors import SettingsError
from flows.settings import PaytSettings, TotalitySettings
from flows.sources import refuse_another_environment
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden


@pytest.mark.fault(25)
def test_a_provider_of_another_environment_is_not_read_and_its_stored_figures_stay(desk):
    """Payt shows another administration, Totality answers at another host, and PayIQ knows none of the accounts."""
    desk = desk(golden()).configure(gates={"freshness_hours": 10_000})
    desk.run(GOLDEN_AS_OF)
    before = desk.tables(names=("plans", "terms"))
    url = desk.sections["providers.totality"]["base_url"]
    desk.configure(totality={"base_url": url.replace("127.0.0.1", "localhost")})
    with desk.world.changing():
        desk.world.payt.administrations = [row | {"id": "2001"} for row in desk.world.payt.administrations]
        desk.world.payiq.setups.clear()
    desk.sandbox.forget()
    first = desk.run(GOLDEN_AS_OF, full=True).first_line
    assert "payt 1001 not read (configuration)" in first
    assert "totality 127.0.0.1 not read (configuration)" in first
    assert "payiq not read" in first
    assert desk.tables(names=("plans", "terms")) == before
    asked = {name: [request.path for request in desk.sandbox.requests[name]] for name in ("payt", "totality")}
    assert {path for path in asked["payt"] if "oauth" not in path} == {"/v1/administrations"}
    assert asked["totality"] == []


@pytest.mark.fault(25)
def test_who_names_the_tenants_has_said_that_they_belong_together():
    for section, advice in (
        (PaytSettings(), "administrations"),
        (TotalitySettings(base_url="https://new.example.test"), "tenant"),
    ):
        refuse_another_environment(section.NAME, section, ["new"], [])
        refuse_another_environment(section.NAME, section, ["new", "old"], ["old"])
        with pytest.raises(SettingsError, match=rf"is of old, .* new: another environment.*providers\.\w+\.{advice}$"):
            refuse_another_environment(section.NAME, section, ["new"], ["old"])
    refuse_another_environment("payt", PaytSettings(administrations=["new"]), ["new"], ["old"])
    totality = TotalitySettings(base_url="https://new.example.test", tenant="old")
    refuse_another_environment("totality", totality, ["new"], ["old"])
