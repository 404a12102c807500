"""The providers read under fire, one seed of it; `make chaos` has sixty. A failing seed is told and fails alone."""

import pytest
from storm.reading.held import Verdict
from storm.reading.reads import run_seed


@pytest.mark.parametrize("seed", [0])
def test_whatever_happens_while_it_reads_the_next_quiet_read_knows_what_the_providers_hold(seed, tmp_path):
    verdict = run_seed(seed, tmp_path)
    assert verdict.is_right, verdict
    assert min(verdict.faults, verdict.changes) > 3, "nothing happened, so this proves nothing"
    assert verdict.rows > 300


@pytest.mark.parametrize("name", ["lost", "doubled", "stale", "ghosts", "wrong"])
def test_a_seed_is_right_only_without_a_row_lost_doubled_stale_left_or_never_there(name):
    assert Verdict().is_right
    assert not Verdict(**{name: ["x"]}).is_right
