"""Changes under fire: whatever goes wrong, every effect happens once and is recorded as it was.

Each kind of change is asked for in a few seeded storms: answers dropped before and after the effect, delays, 429, 500,
503, 422, rubbish, commands killed at any step of the write path or from outside, called twice at a time and again.
PLANRECON_CHAOS sets how many storms each kind meets.
"""

import json
import os
import signal

import pytest
from storm.chaos import Verdict, call, configure, context, storm
from storm.worlds import ACTS, CHANGES

from sandbox.server import serve
from writes.intents import DONE
from writes.ledger import Ledger

SEEDS = int(os.environ.pop("PLANRECON_CHAOS", "2"))  # the commands would refuse a key that they do not know
MOST_STEPS = 60
FEWEST_LINES = 5
"""Planned, approved, sending, done, read back."""
ENOUGH = 5
"""From so many storms on, none of them may have been a calm one in all, and a create is killed at every step."""
FIRST_STEPS = {"payt": 1, "payiq": 2}
"""In the suite each provider is killed at every other step, the one between those of the other: they share the engine."""


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


@pytest.mark.fault(49)
@pytest.mark.slow
@pytest.mark.parametrize(
    "act", [one for one in ACTS if one.name == "create" and one.provider != "totality"], ids=lambda act: act.provider
)
def test_a_create_killed_at_any_step_happens_once(act, tmp_path):
    """The steps of the write path in turn, until one lies beyond the last: a new step cannot be missed.

    Requests that only read are steps too, and Totality needs many of them: it meets kills in the storms.
    """
    makers, body = context(), act.bodies()[0]
    killed, asked = 0, range(1, MOST_STEPS)
    if SEEDS < ENOUGH:
        asked = range(FIRST_STEPS[act.provider], MOST_STEPS, 2)
    for step in asked:
        folder = tmp_path / str(step)
        folder.mkdir()
        with serve(act.world(), rate_limit=None) as sandbox:
            configure(folder, sandbox, bound=0.0)
            (folder / "one.json").write_text(json.dumps(body))
            config = ["--config", str(folder / "planrecon.toml")]
            create = [
                "plan",
                "create",
                "--provider",
                act.provider,
                "--file",
                str(folder / "one.json"),
                "--yes",
                *config,
            ]
            code = call(create, folder, makers, step, timeout=60)
            assert code in {0, -signal.SIGKILL}
            killed += code != 0
            assert call(["plan", "resume", "--yes", *config], folder, makers, 0, timeout=60) == 0
            assert call(create, folder, makers, 0, timeout=60) == 0
            effects = act.effects(sandbox.world)
        assert effects.pop("others") <= 0, step
        assert sorted(effects.values()) == [0, 0, 1], step
        ledger = Ledger(folder / "state")
        assert [(one.state, one.differences) for one in ledger.intents()] == [(DONE, ())], step
        assert ledger.verify() >= FEWEST_LINES
        assert not [path for path in ledger.folder.iterdir() if path.suffix != ".jsonl"], step
        if code == 0:
            break
    assert killed >= FEWEST_LINES * 2 // asked.step
    assert code == 0


@pytest.mark.parametrize(
    ("told", "is_right"),
    [({}, True), ({"parked": 1}, True), ({"duplicates": 1}, False), ({"lost": 1}, False), ({"wrong": ["x"]}, False)],
)
def test_a_verdict_is_right_only_without_an_effect_too_many_too_few_or_misrecorded(told, is_right):
    assert Verdict("payt create", 1, **told).is_right is is_right
