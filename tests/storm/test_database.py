"""No load that somebody was told of is lost with the database: not by a kill, a power cut or a full disk.

What DuckDB lost without a word, the commit log knows. PLANRECON_LASTING=30 takes thirty times as many of each.
"""

import contextlib
import logging
import os
import random
import signal
import time

import pytest
from storm.forked import makers
from storm.lasting import START, Power, put_load, write_on

from sql.storage.commit_log import CommitLog
from sql.storage.commits import committed_loads, log_loads, rebuild_order
from sql.storage.recovery import Recovered, recover
from sql.warehouse import Warehouse

TIMES = int(os.environ.pop("PLANRECON_LASTING", "1"))  # the commands would refuse a key that they do not know
KILLS, CUTS, FULL = 20 * TIMES, 20 * TIMES, 6 * TIMES
LOG = logging.getLogger("lasting")
KEPT = 2
"""States after a power cut that are looked at of each seed."""


def recovered(root):
    """What a start finds and what it says is missing: the loads that are here, and those to be loaded again."""
    with recover(root / "planrecon.duckdb", state_dir=root / "state", moment=START) as (warehouse, found):
        return [load.load_no for load in committed_loads(warehouse.con)], found


def made_whole(root, found):
    """Load again what is missing; then a start finds nothing to do, and warehouse and commit log tell the same."""
    with Warehouse.open(root / "planrecon.duckdb", state_dir=root / "state") as warehouse:
        for load in found.replay:
            put_load(warehouse, load.load_no)
        log_loads(warehouse.con, CommitLog(root / "state"))
    here, again = recovered(root)
    assert again == Recovered()
    assert here == [load.load_no for load in rebuild_order(CommitLog(root / "state"))]
    return here


@pytest.mark.slow
@pytest.mark.fault(42)
def test_a_power_cut_costs_no_load_that_was_told_whatever_the_database_lost(disk, tmp_path):
    silent = moved = syncs = 0
    for seed in range(CUTS):
        power = Power(disk(), seed)
        power.work()
        syncs += power.syncs
        for number, cut in enumerate(power.rng.sample(power.cuts, min(KEPT, len(power.cuts)))):
            root = power.disk.after_power_cut(tmp_path / f"cut {seed} {number}", (cut.files, cut.folders))
            here, found = recovered(root)
            what = f"seed {seed}, cut {number}: told {cut.told}, begun {cut.begun}, here {here}, {found}"
            whole = here + [load.load_no for load in found.replay]
            assert whole == list(range(1, len(whole) + 1)), what
            assert cut.told <= len(whole) <= cut.begun, what
            silent += len(here) < cut.told and not found.moved_aside
            moved += bool(found.moved_aside)
            assert made_whole(root, found) == whole, what
    assert syncs > CUTS, "the syncs of the database were not heard"
    assert silent, "no cut made the database lose a load without a word"
    LOG.info("%d seeds: %d silent losses found, %d times a file moved aside", CUTS, silent, moved)


def told_by(root, *, after=None, room=None):
    """Let a process write on until it is killed or the disk is full; return the last load it told of, 0 for none."""
    reader, writer = makers().Pipe(duplex=False)
    child = makers().Process(target=write_on, args=(str(root), writer, room))
    child.start()
    writer.close()
    told = 0
    with contextlib.suppress(EOFError, OSError):  # it is dead, perhaps in the middle of a word
        if after is not None:
            told = reader.recv()
            time.sleep(after)
            child.kill()
        while True:
            told = reader.recv()
    child.join(60)
    assert child.exitcode in {0, -signal.SIGKILL}
    assert (child.exitcode == 0) == (after is None)
    return told


def test_kills_cost_no_load_that_was_told(tmp_path):
    chance, before = random.Random("kills"), 0
    for number in range(KILLS):
        told = told_by(tmp_path, after=chance.random() / 20)
        here, found = recovered(tmp_path)
        assert (found.replay, found.moved_aside) == ((), ()), number
        assert here == list(range(1, len(here) + 1)), number
        assert before < told <= len(here) <= told + 1, number
        before = len(here)


@pytest.mark.fault(41)
def test_a_full_disk_costs_no_load_that_was_told(tmp_path):
    """A limit on the size of files stands for the full disk."""
    for seed in range(FULL):
        chance, root = random.Random(f"full {seed}"), tmp_path / f"disk {seed}"
        with Warehouse.open(root / "planrecon.duckdb", state_dir=root / "state") as warehouse:
            put_load(warehouse, 1)
            log_loads(warehouse.con, CommitLog(root / "state"))
        told = max(
            1, told_by(root, room=chance.choice((100, 5_000, 100_000, 700_000, 2_000_000)) + chance.randrange(5_000))
        )
        here, found = recovered(root)
        whole = here + [load.load_no for load in found.replay]
        assert whole == list(range(1, len(whole) + 1)), seed
        assert told <= len(whole) <= told + 1, seed
        assert made_whole(root, found) == whole
