"""A change at a provider that is killed at any boundary, and resumed, happens once and is recorded as it was.

In the suite a create at each provider dies a few times in a row; `make kills` goes through every boundary of each.
"""

import json
import logging
import random
import shutil
import signal

import pytest
from storm.chaos import call, configure
from storm.sweep import SEED, STEP, sweep
from storm.worlds import ACTS

from sandbox.server import serve
from writes.intents import DONE
from writes.ledger import Ledger

KILLED = -signal.SIGKILL
ABOUT = 50
"""Fewer boundaries than a change comes to; in the suite kills are drawn from so many."""
FEWEST_LINES = 5
"""Planned, approved, sending, done, read back."""
CREATES = tuple(act for act in ACTS if act.name == "create")
LOG = logging.getLogger("kills")


def one_change(act, folder):
    """Return the command that asks for the first change of its kind."""
    command = act.commands(folder)[0]
    if act.name == "create":
        (folder / "bodies.json").write_text(json.dumps(act.bodies()[0]))
    elif act.name != "update":
        command = [word for word in command if word not in act.plans[1:]]
    return command


def trial(act, folder, deaths):
    """Let the change die as often as it is told, resume it and ask for it again; return how often it died."""
    folder.mkdir()
    with serve(act.world(), rate_limit=None) as sandbox:
        configure(folder, sandbox, bound=0.0)
        command = one_change(act, folder)
        resume = ["plan", "resume", "--yes", command[-2], command[-1]]
        died = 0
        for number, death in enumerate(deaths):
            at, after = (death, None) if isinstance(death, int) else (0, death)
            code = call(command if number % 2 == 0 else resume, folder, at, kill_after=after)
            assert code in {0, KILLED}, (folder / "output.txt").read_text()
            died += code == KILLED
            if code == 0:
                break
        for words in (resume, command):
            assert call(words, folder) == 0, (folder / "output.txt").read_text()
        effects = act.effects(sandbox.world)
    assert effects.pop("others") <= 0
    assert sorted(effects.values()) == [0, 0, 1]
    ledger = Ledger(folder / "state")
    assert [(one.state, one.differences) for one in ledger.intents()] == [(DONE, ())]
    assert ledger.verify() >= FEWEST_LINES
    assert not [path for path in ledger.folder.iterdir() if path.suffix != ".jsonl"]
    shutil.rmtree(folder)
    return died


@pytest.mark.fault(49)
@pytest.mark.parametrize("act", ACTS if STEP else CREATES, ids=lambda act: f"{act.provider} {act.name}")
def test_a_change_killed_anywhere_again_and_again_happens_once(act, tmp_path):
    name = f"{act.provider} {act.name}"
    if STEP:
        LOG.info("%s", sweep(name, lambda folder, deaths: trial(act, folder, deaths), tmp_path))
    else:
        draw = random.Random(f"{SEED} {name}")
        assert trial(act, tmp_path / "one", [draw.randrange(1, ABOUT) for _ in range(4)])
