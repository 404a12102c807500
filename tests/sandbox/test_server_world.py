"""A world survives its scenario file digit for digit, and its answers keep every provider's spelling."""

import json
from decimal import Decimal

import pytest

from sandbox.world import Verbatim, World, dumps


def test_decimals_are_written_with_their_own_digits() -> None:
    assert dumps(
        {"a": Decimal("3.0"), "b": Decimal("0.10"), "c": [Decimal("-1234567.8901")], "d": Decimal("1E+3")}
    ) == ('{"a":3.0,"b":0.10,"c":[-1234567.8901],"d":1000}')


def test_verbatim_text_goes_out_without_quotes() -> None:
    assert dumps([Verbatim("1.20e1"), Verbatim('{"half": "an'), "NaN"]) == '[1.20e1,{"half": "an,"NaN"]'


def test_ordinary_text_is_never_laid_bare() -> None:
    texts = ['a"b', "\x00", "back\\slash", "é€", "\u2028"]
    assert json.loads(dumps(texts)) == texts


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError, match="set is not JSON"):
        dumps({1, 2})


def test_a_world_is_the_same_after_its_scenario_file() -> None:
    world = World(clock="2026-07-01T06:00:00Z")
    world.payt.payment_plans.append({"id": "1", "payment_terms": [{"amount_due": "10.00"}]})
    world.payt.deleted["payments"].append({"id": "9", "deleted_at": "2026-06-01T00:00:00Z"})
    world.totality.loans.append({"uuid": "u", "balance": 1250})
    world.totality.holidays.append("2026-07-03")
    world.payiq.setups["token", "reference", "other"] = {"InitialBalance": Decimal("5.10")}
    world.payiq.plans[7] = {"PaymentPlanID": 7, "PaymentAmount": Decimal("2.50")}
    world.payiq.payments["token", "reference", "other"] = [{"ID": 1, "Total": Decimal("1.0")}]

    again = World.from_json(world.to_json())

    assert again == world
    assert again.to_json() == world.to_json()


def test_a_scenario_may_leave_out_what_is_empty() -> None:
    world = World.from_dict({"payt": {"administrations": [{"id": "1"}], "deleted": {"payments": []}}})
    assert world.payt.administrations == [{"id": "1"}]
    assert world.payt.deleted["invoices"] == []
    assert world.payiq.setups == {}


def test_the_clock_is_the_worlds_when_it_has_one() -> None:
    assert World(clock="2026-07-01T06:00:00Z").now().isoformat() == "2026-07-01T06:00:00+00:00"
