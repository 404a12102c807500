"""Whatever ended the last process, the next start knows what is missing and loses nothing."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from schemas.results import BREAK_REGISTER
from sql.connection import connect
from sql.errors import Busy, CannotWrite, Damaged
from sql.runs import Run, find_runs, read_register, report_frames
from sql.storage import commits
from sql.storage.archive import Archive
from sql.storage.commit_log import CommitLog
from sql.storage.commits import end_run, log_loads, rebuild_order, restore_runs
from sql.storage.landing import Landing
from sql.storage.recovery import Recovered, recover, remove_stale
from sql.warehouse import SUSPECT, Warehouse

START = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[3]


class Place:
    def __init__(self, root: Path) -> None:
        self.path, self.state_dir = root / "planrecon.duckdb", root / "state"
        self.log = root / "planrecon.duckdb.wal"

    def open(self):
        return Warehouse.open(self.path, state_dir=self.state_dir)

    def recover(self, **options) -> Recovered:
        with recover(self.path, state_dir=self.state_dir, moment=START, **options) as (_, recovered):
            return recovered

    @property
    def commit_log(self) -> CommitLog:
        return CommitLog(self.state_dir)

    def loads(self) -> list[int]:
        with self.open() as warehouse:
            return [load.load_no for load in commits.committed_loads(warehouse.con)]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def put_load(warehouse: Warehouse, number: int) -> None:
    at = START + timedelta(minutes=number)
    with warehouse.transaction():
        warehouse.con.execute(
            "INSERT INTO meta.loads VALUES ($no, $id, 'payt', '17', $snapshot, 'FULL', true, $at, $at::DATE, $at, 1)",
            {"no": number, "id": f"l{number}", "snapshot": f"s{number}", "at": at},
        )


def load_anew(place: Place, recovered: Recovered) -> None:
    with place.open() as warehouse:
        for load in recovered.replay:
            put_load(warehouse, load.load_no)
        log_loads(warehouse.con, place.commit_log)


WRITER = """
    import os, signal, sys
    from datetime import datetime, timedelta, UTC
    from pathlib import Path
    from sql.storage.commits import committed_loads, log_loads
    from sql.warehouse import Warehouse
    from sql.storage.commit_log import CommitLog
    root, last, told = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with Warehouse.open(root / "planrecon.duckdb", state_dir=root / "state") as warehouse:
        first = len(committed_loads(warehouse.con)) + 1
        for number in range(first, last + 1):
            at = datetime(2026, 6, 30, 6, tzinfo=UTC) + timedelta(minutes=number)
            with warehouse.transaction():
                warehouse.con.execute(
                    "INSERT INTO meta.loads VALUES ($no, $id, 'payt', '17', $snapshot, 'FULL', true, $at, $at::DATE, $at, 1)",
                    {"no": number, "id": f"l{number}", "snapshot": f"s{number}", "at": at},
                )
            if number <= told:
                log_loads(warehouse.con, CommitLog(root / "state"))
            print(number, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def write_and_die(place: Place, last: int, *, told: int) -> None:
    """Commit loads up to `last`, tell the commit log of those up to `told`, and be killed with the log open."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(place.path.parent), str(last), str(told)]
    ended = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_the_first_start_finds_nothing_to_do(place):
    assert place.recover() == Recovered()
    assert place.loads() == []


def test_a_commit_that_nobody_was_told_of_is_told_at_the_next_start(place):
    write_and_die(place, 3, told=2)
    found = place.recover()
    assert found.logged_late == ("load 3",)
    assert found.replay == ()
    assert [load.load_no for load in rebuild_order(place.commit_log)] == [1, 2, 3]
    assert place.recover() == Recovered()


def test_kills_at_random_moments_lose_no_load_and_tell_each_once(place):
    chance = random.Random(7)
    for _ in range(3):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(place.path.parent), "100000", "100000"]
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as writer:
            acknowledged = int(writer.stdout.readline() or 0)
            time.sleep(chance.random() / 20)
            writer.kill()
            acknowledged = int((writer.stdout.read().split() or [acknowledged])[-1])
        place.recover()
        told = [load.load_no for load in rebuild_order(place.commit_log)]
        assert told == place.loads() == list(range(1, len(told) + 1))
        assert len(told) >= acknowledged > 0


@pytest.mark.fault(42)
def test_every_cut_of_the_log_shows_exactly_the_loads_to_do_again(place):
    write_and_die(place, 6, told=6)
    main, log = place.path.read_bytes(), place.log.read_bytes()
    chance = random.Random(11)
    seen = set()
    for length in [0, *(chance.randrange(len(log)) for _ in range(5)), len(log)]:
        place.path.write_bytes(main)
        place.log.write_bytes(log[:length])
        found = place.recover()
        kept = place.loads()
        seen.add(len(kept))
        assert kept + [load.load_no for load in found.replay] == [1, 2, 3, 4, 5, 6]
        assert [load.loaded_at for load in found.replay] == [
            START + timedelta(minutes=load.load_no) for load in found.replay
        ]
    assert len(seen) > 2, "the cuts must differ in what they lose"


@pytest.mark.fault(43)
def test_loads_of_a_log_that_cannot_be_replayed_are_done_again(place):
    write_and_die(place, 4, told=4)
    log = place.log.read_bytes()
    log = log[: len(log) // 2] + bytes(len(log) - len(log) // 2)
    place.log.write_bytes(log)

    found = place.recover()

    # where the zeros begin at the end of a record, DuckDB takes the log for a shorter one: the commit log still knows
    for aside in found.moved_aside:
        assert aside.name.startswith("planrecon.duckdb.wal.20260630T060000Z.")
        assert aside.read_bytes() == log
    assert place.loads() + [load.load_no for load in found.replay] == [1, 2, 3, 4]
    assert found.replay
    load_anew(place, found)
    assert place.recover() == Recovered()
    assert place.loads() == [1, 2, 3, 4]


def test_a_flipped_bit_anywhere_in_the_log_loses_no_load_unseen(place):
    write_and_die(place, 4, told=4)
    main, log = place.path.read_bytes(), place.log.read_bytes()
    chance = random.Random(13)
    for byte in (chance.randrange(len(log)) for _ in range(5)):
        place.path.write_bytes(main)
        place.log.write_bytes(log[:byte] + bytes([log[byte] ^ 8]) + log[byte + 1 :])
        found = place.recover()
        assert place.loads() + [load.load_no for load in found.replay] == [1, 2, 3, 4]


@pytest.mark.fault(42)
def test_a_log_that_is_gone_does_not_hide_its_loads(place):
    write_and_die(place, 2, told=2)
    place.log.unlink()
    assert [load.load_no for load in place.recover().replay] == [1, 2]
    with connect(place.path) as con:
        assert con.sql("SELECT count(*) FROM meta.loads").fetchall() == [(0,)]


@pytest.mark.fault(43)
def test_a_log_of_an_older_file_is_moved_aside(place):
    write_and_die(place, 3, told=3)
    old = place.log.read_bytes()
    with place.open() as warehouse:
        put_load(warehouse, 4)
        warehouse.con.execute("CHECKPOINT")
    place.log.write_bytes(old)

    found = place.recover()

    assert len(found.moved_aside) == 1
    assert found.replay == ()
    assert place.loads() == [1, 2, 3, 4]


@pytest.mark.fault(44)
def test_a_flipped_bit_is_found_after_a_run_met_it_and_everything_is_rebuilt(place):
    with place.open() as warehouse:
        for number in (1, 2, 3):
            put_load(warehouse, number)
        log_loads(warehouse.con, place.commit_log)
        archive = Archive(place.state_dir)
        end_run(warehouse.con, RUN, {}, register("f1"), commit_log=place.commit_log, archive=archive)
        end_run(warehouse.con, SECOND, {}, register("f2"), commit_log=place.commit_log, archive=archive)
        runs = find_runs(warehouse.con)
        warehouse.con.execute("CREATE TABLE core.wide AS SELECT range AS a, hash(range) AS b FROM range(300_000)")
    spoil(place.path, behind=1_000_000)
    spoiled = place.path.read_bytes()
    assert place.recover().moved_aside == ()  # the damage lies where a start does not look
    with pytest.raises(Damaged), place.open() as warehouse:
        warehouse.con.sql("SELECT bit_xor(b) FROM core.wide").fetchall()

    found = place.recover()

    assert [path.read_bytes() == spoiled for path in found.moved_aside] == [True]
    assert [load.load_no for load in found.replay] == [1, 2, 3]
    assert found.restored == ("r1", "r2")
    assert not (place.state_dir / SUSPECT).exists()
    with place.open() as warehouse:
        assert find_runs(warehouse.con) == runs
        assert read_register(warehouse.con)["fingerprint"].to_list() == ["f2"]
    load_anew(place, found)
    assert place.recover() == Recovered()


def test_a_deep_start_reads_every_block(place):
    with place.open() as warehouse:
        put_load(warehouse, 1)
        log_loads(warehouse.con, place.commit_log)
        warehouse.con.execute("CREATE TABLE core.wide AS SELECT range AS a, hash(range) AS b FROM range(300_000)")
    spoil(place.path, behind=1_000_000)
    assert [path.name[:17] for path in place.recover(deep=True).moved_aside] == ["planrecon.duckdb."]


def test_a_warehouse_that_is_gone_is_rebuilt_from_landing_and_commit_log(place):
    landing = Landing(place.state_dir / "landing")
    with place.open() as warehouse:
        for number in (1, 2):
            snapshot = landing.snapshot("payt", "17", opened_at=START + timedelta(minutes=number))
            with snapshot.sweep("payments", tenant_id="17", since=None) as writer:
                writer.seal(complete=True)
            snapshot.finish()
            put_load(warehouse, number)
            warehouse.con.execute(
                "UPDATE meta.loads SET snapshot_id = $id WHERE load_no = $no", {"id": snapshot.id, "no": number}
            )
            log_loads(warehouse.con, place.commit_log)
    place.path.unlink()

    found = place.recover()

    assert [(load.load_no, load.load_id, load.loaded_at) for load in found.replay] == [
        (1, "l1", START + timedelta(minutes=1)),
        (2, "l2", START + timedelta(minutes=2)),
    ]
    assert [list(landing.pages(load.snapshot_id)) for load in found.replay] == [[], []]


@pytest.mark.fault(41)
def test_a_disk_that_fills_up_during_a_load_keeps_all_earlier_loads(place):
    """A limit on the size of files stands for the full disk."""
    write_and_die(place, 2, told=2)
    script = f"""
        import resource, signal
        from pathlib import Path
        from sql.errors import CannotWrite
        from sql.warehouse import Warehouse
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        root = Path({str(place.path.parent)!r})
        try:
            with Warehouse.open(root / "planrecon.duckdb", state_dir=root / "state") as warehouse:
                size = (root / "planrecon.duckdb").stat().st_size + 2_000_000
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
                with warehouse.transaction():
                    warehouse.con.execute("CREATE TABLE core.wide AS SELECT range AS a, hash(range) AS b FROM range(2_000_000)")
        except CannotWrite as error:
            print(error.code, error)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stderr == ""
    assert ended.stdout.startswith(f"cannot_write cannot write {place.path}")
    assert place.recover() == Recovered()
    assert place.loads() == [1, 2]


def test_a_commit_log_that_was_moved_away_is_told_again_from_the_warehouse(place):
    with place.open() as warehouse:
        for number in (1, 2):
            put_load(warehouse, number)
        log_loads(warehouse.con, place.commit_log)
        end(place, warehouse)
    told = place.commit_log.path.read_bytes()
    place.commit_log.path.unlink()
    assert place.recover().logged_late == ("load 1", "load 2", "run r1")
    assert place.commit_log.path.read_bytes() == told


def test_a_warehouse_of_another_state_folder_is_refused(place):
    write_and_die(place, 2, told=2)
    with place.open() as warehouse:
        warehouse.con.execute("UPDATE meta.loads SET load_id = 'other' WHERE load_no = 2")
    with pytest.raises(Damaged, match="configure the pair"):
        place.recover()


def test_a_file_that_is_not_ours_is_never_moved(place):
    place.path.write_bytes(b"a,b\n1,2\n" * 1000)
    with pytest.raises(CannotWrite, match="not a DuckDB file"):
        place.recover()
    assert place.path.read_bytes() == b"a,b\n1,2\n" * 1000


def test_an_empty_file_is_moved_aside(place):
    place.path.touch()
    assert [path.stat().st_size for path in place.recover().moved_aside] == [0]
    assert place.loads() == []


def test_a_warehouse_that_is_held_is_left_alone(place):
    write_and_die(place, 1, told=1)
    holder = f"import duckdb, sys\nwith duckdb.connect({str(place.path)!r}) as con: print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=str(other.pid)):
            place.recover()
        other.kill()


def test_only_our_own_leavings_are_removed_and_no_link_is_followed(place, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "keep").touch()
    for folder in (
        "state/runs",
        "state/landing/payt/.20260630T060000000000Z-0123456789ab.planrecon-tmp",
        "state/spill",
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    ours = [
        tmp_path / "state" / ".suspect.planrecon-tmp",
        tmp_path / "state" / "runs" / ".r1.zip.planrecon-tmp",
        tmp_path / "state" / "spill" / "duckdb_temp_storage-0.tmp",
    ]
    for path in ours:
        path.touch()
    (tmp_path / "state" / ".link.planrecon-tmp").symlink_to(victim)
    (tmp_path / "state" / "notes.txt").touch()

    removed = remove_stale(place.path, place.state_dir)

    draft = tmp_path / "state/landing/payt/.20260630T060000000000Z-0123456789ab.planrecon-tmp"
    assert sorted(removed) == sorted([*ours, draft])
    assert (victim / "keep").exists()
    assert (tmp_path / "state" / "notes.txt").exists()
    assert (tmp_path / "state" / ".link.planrecon-tmp").is_symlink()


RUN = Run(
    run_id="r1",
    run_key="k",
    as_of=date(2026, 6, 30),
    known_load=1,
    known_at=START,
    started_at=START,
    ended_at=START,
    state="PUBLISHED",
    exit_code=0,
    moves_breaks=True,
    summary={"breaks": 1},
)
SECOND = replace(RUN, run_id="r2")


@pytest.mark.parametrize("killed_in", ["keep", "record", "tell", "nothing"])
def test_a_run_that_was_killed_while_it_ended_ends_the_same_when_ended_again(place, monkeypatch, killed_in):
    class Killed(BaseException):
        pass

    def die(*args, **kwargs):
        raise Killed

    with place.open() as warehouse, monkeypatch.context() as patch:
        if killed_in == "keep":
            patch.setattr(Archive, "keep", die)
        if killed_in == "record":
            patch.setattr(commits, "record_run", die)
        if killed_in == "tell":
            patch.setattr(commits, "_log_run", die)
        with contextlib.suppress(Killed):
            end(place, warehouse)
    place.recover()
    with place.open() as warehouse:
        if killed_in in {"keep", "record"}:
            assert find_runs(warehouse.con) == []
        end(place, warehouse)
        assert find_runs(warehouse.con) == [replace(RUN, run_no=1)]
    told = [line.facts for line in place.commit_log.read("run")]
    assert [(facts["run_id"], facts["run_no"]) for facts in told] == [("r1", 1)]
    assert place.recover() == Recovered()


def test_a_run_whose_archive_is_damaged_is_named_as_lost(place):
    with place.open() as warehouse:
        end(place, warehouse)
    place.path.unlink()
    spoil(place.state_dir / "runs" / "r1.zip", behind=50)
    assert place.recover().lost == ("r1",)


def test_an_archived_run_comes_back_cell_by_cell(place, tmp_path):
    frame = pl.DataFrame({"bucket": ["1-30"], "as_of": [date(2026, 6, 30)]})
    frame.write_parquet(tmp_path / "aging.parquet")
    archive = Archive(place.state_dir)
    sha256 = archive.keep(RUN, report_frames(tmp_path), register("f1", "f2"))
    kept = archive.read("r1", sha256)
    assert kept.run == RUN
    assert kept.frames["aging"].equals(frame)
    assert kept.register.equals(register("f1", "f2"))
    assert archive.keep(RUN, report_frames(tmp_path), register("f1", "f2")) == sha256


@pytest.mark.fault(47)
def test_a_run_of_a_version_whose_reports_had_fewer_columns_and_others_comes_back(place):
    earlier = pl.DataFrame({"bucket": ["1-30"], "plans": [2]})
    with place.open() as warehouse:
        kept = Archive(place.state_dir).keep(RUN, {"aging": earlier, "given_up": earlier}, None)
        facts = {"run_id": "r1", "run_no": 1, "as_of": "2026-06-30", "state": RUN.state, "archive": kept}
        place.commit_log.append("run", facts)
        assert restore_runs(warehouse.con, place.commit_log, Archive(place.state_dir)) == (["r1"], [])
        found = warehouse.con.sql("SELECT run_id, bucket, plans, overdue, bucket_no FROM out.aging").fetchall()
    assert found == [("r1", "1-30", 2, None, None)]


@pytest.mark.parametrize("run_id", ["../r1", "", "a/b", ".hidden", "a" * 101])
def test_a_run_id_that_could_leave_the_folder_is_refused(place, run_id):
    with pytest.raises(ValueError, match="cannot name a run"):
        Archive(place.state_dir).keep(replace(RUN, run_id=run_id), {}, None)


@pytest.mark.fault(71)
def test_recovery_leaves_no_file_that_others_can_read(place):
    before = os.umask(0o022)
    try:
        write_and_die(place, 1, told=1)
        place.recover()
        with place.open() as warehouse:
            end(place, warehouse)
    finally:
        os.umask(before)
    for path in (place.path, *place.state_dir.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def end(place: Place, warehouse: Warehouse) -> Run:
    return end_run(
        warehouse.con, RUN, {}, register("f1"), commit_log=place.commit_log, archive=Archive(place.state_dir)
    )


def register(*fingerprints: str) -> pl.DataFrame:
    filled = {
        "side": "ours",
        "kind": "real",
        "declared_severity": "low",
        "least_severity": None,
        "break_state": "NEW",
        "is_open": True,
        "reopened": 0,
        "first_seen": date(2026, 6, 1),
        "last_seen": date(2026, 6, 30),
    }
    text = {name: name for name, dtype in BREAK_REGISTER.dtypes.items() if dtype == pl.String()}
    rows = [{**text, **filled, "fingerprint": fingerprint} for fingerprint in fingerprints]
    return pl.DataFrame(rows, schema=dict(BREAK_REGISTER.dtypes))


def spoil(path: Path, *, behind: int) -> None:
    """Flip one bit in the middle of what lies behind a byte."""
    body = bytearray(path.read_bytes())
    assert len(body) > behind
    body[(behind + len(body)) // 2] ^= 16
    path.write_bytes(body)
