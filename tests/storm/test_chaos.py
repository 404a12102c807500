"""Changes under fire: whatever goes wrong, every effect happens once and is recorded as it was.

Each kind of change is asked for in a few seeded storms: answers dropped before and after the effect, delays, 429, 500,
503, 422, rubbish, commands killed at any boundary or from outside, called twice at a time and again.
PLANRECON_CHAOS sets how many storms each kind meets.
"""

import os

import pytest
from storm.chaos import Verdict, storm
from storm.worlds import ACTS, CHANGES

SEEDS = int(os.environ.pop("PLANRECON_CHAOS", "2"))  # the commands would refuse a key that they do not know
ENOUGH = 5
"""From so many storms on, none of them may have been a calm one in all."""


@pytest.mark.fault(48, 51)
@pytest.mark.slow
@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.provider} {act.name}")
def test_every_change_happens_once_and_is_recorded_as_it_was(act, tmp_path):
    found = list(storm(SEEDS, (act,), keep=tmp_path))
    assert len(found) == SEEDS
    assert [one for one in found if not one.is_right] == []
    assert sum(one.done + one.parked for one in found) <= SEEDS * CHANGES
    assert sum(one.done for one in found) > 0
    if SEEDS >= ENOUGH:
        assert sum(one.faults for one in found) > 0, "no request met a fault"


@pytest.mark.parametrize(
    ("told", "is_right"),
    [({}, True), ({"parked": 1}, True), ({"duplicates": 1}, False), ({"lost": 1}, False), ({"wrong": ["x"]}, False)],
)
def test_a_verdict_is_right_only_without_an_effect_too_many_too_few_or_misrecorded(told, is_right):
    assert Verdict("payt create", 1, **told).is_right is is_right
