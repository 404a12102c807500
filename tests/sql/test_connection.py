"""A connection can do what we need and nothing else, and says who is in the way."""

import os
import stat
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sql.connection import Limits, connect, explained, quoted, transaction
from sql.errors import Busy, CannotWrite, Damaged, WrongVersion

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.duckdb"


def hold(path: Path, *, read_only: bool = False) -> subprocess.Popen[str]:
    script = f"""
        import sys, duckdb
        with duckdb.connect({str(path)!r}, read_only={read_only}) as con:
            print("held", flush=True)
            sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{outside}/secret.csv')",
        "SELECT * FROM '{outside}/secret.csv'",
        "SELECT * FROM read_text('{inside}/../outside/secret.csv')",
        "SELECT * FROM read_text('{inside}/link/secret.csv')",
        "COPY (SELECT 1) TO '{outside}/written.csv'",
        "ATTACH '{outside}/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '64GB'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SELECT * FROM frame_of_the_caller",
        "SELECT getenv('HOME')",
    ],
)
def test_what_sql_must_not_do_is_refused(path, tmp_path, statement):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_text("a\n1\n")
    (inside / "link").symlink_to(outside)
    frame_of_the_caller = pl.DataFrame({"a": [1]})
    with connect(path, folders=[inside]) as con, pytest.raises(duckdb.Error):
        con.sql(statement.format(inside=inside, outside=outside)).fetchall()
    assert sorted(item.name for item in outside.iterdir()) == ["secret.csv"]
    assert frame_of_the_caller.height == 1


def test_the_named_folders_can_be_read_and_written(path, tmp_path):
    folder = tmp_path / "it's here"
    folder.mkdir()
    with connect(path, folders=[folder]) as con:
        con.execute("COPY (SELECT 7 AS a) TO '" + str(folder / "x.parquet").replace("'", "''") + "'")
        assert con.sql(f"SELECT a FROM read_parquet({quoted(str(folder / 'x.parquet'))})").fetchall() == [(7,)]


def test_limits_are_ours_and_moments_come_back_in_utc(path, tmp_path):
    limits = Limits(memory="256MB", spill="1GB", threads=1)
    with connect(path, spill=tmp_path / "spill", limits=limits) as con:
        setting = {
            row[0]: row[1]
            for row in con.sql(
                "SELECT name, value FROM duckdb_settings() "
                "WHERE name IN ('memory_limit', 'max_temp_directory_size', 'threads', 'TimeZone', 'temp_directory')"
            ).fetchall()
        }
        moment = con.sql("SELECT TIMESTAMPTZ '2026-06-30 08:00:00+02' AS at").pl()
    assert setting["memory_limit"] == "244.1 MiB"
    assert setting["max_temp_directory_size"] == "953.6 MiB"
    assert (setting["threads"], setting["TimeZone"]) == ("1", "UTC")
    assert setting["temp_directory"] == str(tmp_path / "spill")
    assert moment.schema["at"] == pl.Datetime("us", "UTC")
    assert moment["at"].to_list() == [datetime(2026, 6, 30, 6, 0, tzinfo=UTC)]


@pytest.mark.fault(46)
def test_work_beyond_the_limits_is_an_error_and_nothing_of_it_is_stored(path, tmp_path):
    limits = Limits(memory="32MB", spill="1MB", threads=1)
    with connect(path, spill=tmp_path / "spill", limits=limits) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS a")
        with pytest.raises((duckdb.OutOfMemoryException, CannotWrite)), transaction(con):
            con.execute(
                "INSERT INTO t SELECT 2; CREATE TABLE u AS SELECT hash(range)::VARCHAR AS a FROM range(3e6::INT) ORDER BY a"
            )
        assert con.sql("SELECT a FROM t").fetchall() == [(1,)]
    with connect(path, limits=limits) as con:
        assert con.sql("SHOW TABLES").fetchall() == [("t",)]


@pytest.mark.fault(71)
def test_file_log_and_spill_are_private_under_an_open_umask(path, tmp_path):
    before = os.umask(0o022)
    try:
        with connect(path, spill=tmp_path / "spill") as con:
            con.execute("CREATE TABLE t AS SELECT 1 AS a")
            for name in ("some.duckdb", "some.duckdb.wal"):
                assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
            assert stat.S_IMODE((tmp_path / "spill").stat().st_mode) == 0o700
    finally:
        os.umask(before)


@pytest.mark.fault(62)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_held_file_names_the_process_that_holds_it(path, read_only):
    with connect(path) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS a")
    with hold(path) as other:
        with pytest.raises(Busy) as caught, connect(path, read_only=read_only):
            pytest.fail("two writers at once")
        assert caught.value.pid == other.pid
        assert str(other.pid) in str(caught.value)
        assert str(path) in str(caught.value)
        other.kill()


def test_waiting_for_the_holder_to_end_succeeds(path):
    with connect(path) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS a")
    with hold(path) as other:

        def pause() -> None:
            other.kill()
            other.wait(10)

        with connect(path, tries=2, pause=pause) as con:
            assert con.sql("SELECT a FROM t").fetchall() == [(1,)]


@pytest.mark.fault(62)
def test_waiting_ends_after_the_given_tries(path):
    pauses = []
    with connect(path) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS a")
    with hold(path, read_only=True) as other:
        with pytest.raises(Busy), connect(path, tries=3, pause=lambda: pauses.append(1)):
            pytest.fail("a writer beside a reader")
        other.kill()
    assert len(pauses) == 2


@pytest.mark.fault(45)
@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_not_a_plain_file_is_refused(path, kind):
    make = {"link": lambda: path.symlink_to("elsewhere"), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}
    make[kind]()
    with pytest.raises(CannotWrite, match="plain file"), connect(path):
        pytest.fail("opened it")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CannotWrite, match="nowhere"), connect(tmp_path / "nowhere" / "x.duckdb"):
        pytest.fail("opened it")


@pytest.mark.fault(69)
def test_a_path_that_the_database_would_misread_is_refused(tmp_path):
    (tmp_path / "what?").mkdir()
    with pytest.raises(CannotWrite, match="question mark"), connect(tmp_path / "what?" / "x.duckdb"):
        pytest.fail("opened it")


def test_a_failure_inside_a_transaction_undoes_all_of_it(path):
    with connect(path) as con:
        con.execute("CREATE TABLE t (a BIGINT)")
        with pytest.raises(duckdb.ConversionException), transaction(con):
            con.execute("INSERT INTO t SELECT 1; INSERT INTO t SELECT 'no number'")
        with pytest.raises(KeyError), transaction(con):  # an error of ours, after which the database would commit
            raise KeyError(con.execute("INSERT INTO t VALUES (3)"))
        with transaction(con):
            con.execute("INSERT INTO t VALUES (2)")
        assert con.sql("SELECT a FROM t").fetchall() == [(2,)]


def test_an_error_of_a_statement_is_not_called_damage(path):
    with connect(path) as con, pytest.raises(duckdb.CatalogException):
        con.sql("SELECT * FROM corrupt_database_file_checksum")
    with connect(path) as con, pytest.raises(duckdb.ConversionException):
        con.sql("SELECT 'Corrupt'::BIGINT").fetchall()


@pytest.mark.fault(47)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IO Error: Trying to read a database file with version number 999, but we can only read 64", WrongVersion),
        ('IO Error: Could not write file "x": No space left on device', CannotWrite),
        ('Failure while replaying WAL file "x.wal": Corrupt WAL file: entry at byte position 8', Damaged),
        ("Corrupt database file: computed checksum 1 does not match stored checksum 2 in block", Damaged),
        ('IO Error: Could not set lock on file "x": Conflicting lock is held in python (PID 77)', Busy),
    ],
)
def test_what_the_database_says_about_its_file_gets_its_class(text, expected):
    assert type(explained(duckdb.OperationalError(text), Path("x.duckdb"))) is expected
    assert explained(duckdb.OperationalError("something else"), Path("x.duckdb")) is None
