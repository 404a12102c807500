"""Folders and files that a run cannot use are named before anything is fetched, with what to do; odd names work."""

import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from flows.commands import cli
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden
from sql.connection import connect
from sql.errors import CannotWrite

RUN = ("run", "--as-of", str(GOLDEN_AS_OF), "--fail-on", "never")


@pytest.fixture
def ready(desk):
    """A desk whose requests are counted from here on."""
    desk = desk(golden())
    desk.configure(gates={"change_share": 1}, reports={"formats": ["csv", "html"]})
    return desk


def asked(desk):
    return sum(len(requests) for requests in desk.sandbox.requests.values())


def a_file(path):
    path.write_text("not yours", encoding="utf-8")


def a_link_to_nowhere(path):
    path.symlink_to(path.with_name("nowhere"))


def below_a_file(path):
    path.parent.write_text("not yours", encoding="utf-8")


def a_sqlite_database(path):
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE theirs (id)")
    con.close()


def a_folder(path):
    path.mkdir()


def a_parquet_file(path):
    path.write_bytes(b"PAR1" + bytes(100))


BROKEN = [
    ("reports", "dir", "out", a_file),
    ("reports", "dir", "out", a_link_to_nowhere),
    ("reports", "dir", "file/out", below_a_file),
    ("reports", "dir", "what?", a_folder),
    ("warehouse", "state_dir", "state", a_file),
    ("warehouse", "state_dir", "state", a_link_to_nowhere),
    ("warehouse", "state_dir", "file/state", below_a_file),
    ("warehouse", "path", "w.duckdb", a_folder),
    ("warehouse", "path", "w.duckdb", a_link_to_nowhere),
    ("warehouse", "path", "file/w.duckdb", below_a_file),
    ("warehouse", "path", "w.duckdb", a_sqlite_database),
    ("warehouse", "path", "w.duckdb", a_parquet_file),
    ("warehouse", "path", "w.duckdb", a_file),
]


@pytest.mark.fault(45)
@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case[1]} {case[2]} {case[3].__name__}")
def test_what_cannot_be_written_is_said_before_anything_is_fetched(ready, capsys, case):
    section, key, name, broken = case
    ready.configure(**{section: {key: name}})
    broken(ready.folder / name)
    before = {path: path.read_bytes() for path in ready.folder.iterdir() if path.is_file()}
    assert cli.execute([*RUN, "--config", str(ready.file)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("cannot_write: ")
    assert str(ready.folder / name).removesuffix("/out").removesuffix("/state").removesuffix("/w.duckdb") in line
    assert asked(ready) == 0
    assert {path: path.read_bytes() for path in before} == before, "somebody else's file is touched"


@pytest.mark.parametrize("name", ["latest", f"as_of={GOLDEN_AS_OF}"])
def test_a_file_where_a_run_leaves_its_folder_is_said_before_anything_is_fetched(ready, capsys, name):
    ready.reports.mkdir()
    a_file(ready.reports / name)
    assert cli.execute([*RUN, "--config", str(ready.file)]) == 2
    assert f"cannot_write: {ready.reports / name}" in capsys.readouterr().err
    assert asked(ready) == 0


@pytest.mark.parametrize("name", ["landing", "runs"])
def test_a_file_in_the_state_folder_is_said_before_anything_is_fetched(ready, capsys, name):
    ready.state_dir.mkdir()
    a_file(ready.state_dir / name)
    assert cli.execute([*RUN, "--config", str(ready.file)]) == 2
    assert f"cannot_write: warehouse.state_dir: {ready.state_dir / name}" in capsys.readouterr().err
    assert asked(ready) == 0


def as_an_ordinary_user(*arguments):
    """The console script without the power to write where permissions say no, which root has."""
    drop = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
    script = str(Path(sys.executable).with_name("planrecon"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLANRECON_", "PREFECT_"))}
    return subprocess.run(
        [sys.executable, "-c", drop, script, *arguments], capture_output=True, text=True, env=clean, check=False
    )


@pytest.mark.fault(45)
@pytest.mark.parametrize(("section", "key", "name"), [each[:3] for each in BROKEN if each[3] is a_file])
def test_a_folder_that_is_read_only_is_said_before_anything_is_fetched(ready, section, key, name):
    place = ready.folder / "locked"
    place.mkdir()
    ready.configure(**{section: {key: f"locked/{name}"}})
    place.chmod(0o555)
    try:
        ended = as_an_ordinary_user(*RUN, "--config", str(ready.file))
    finally:
        place.chmod(0o755)
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert line.startswith("cannot_write: ")
    assert str(place) in line
    assert "permissions" in line
    assert asked(ready) == 0


@pytest.mark.slow
@pytest.mark.fault(69)
def test_a_name_that_looks_like_a_pattern_is_only_a_name(ready, capsys):
    name = """Reports [finance] {a,b} * it's 100% "ours" ré;ports"""
    ready.without("payt", "payiq")
    ready.configure(reports={"dir": name}, warehouse={"path": f"{name} w/planrecon.duckdb", "state_dir": f"{name} s"})
    before = ["run", "--as-of", str(GOLDEN_AS_OF - timedelta(days=1)), *RUN[3:]]
    for command in (before, RUN, RUN):  # later ones look back on what the first one wrote
        assert cli.execute([*command, "--config", str(ready.file)]) == 0
    assert cli.execute(["report", *RUN[1:], "--config", str(ready.file)]) == 0
    assert cli.execute(["verify", "--config", str(ready.file)]) == 0
    # what the name would mean as a pattern lies beside it: DuckDB would take that before the name itself
    shutil.copytree(ready.folder / name, ready.folder / name.replace("[finance]", "f").replace("*", "x"), symlinks=True)
    capsys.readouterr()
    counted = ["query", "select count(*) as n from v_plans", "--format", "csv", "--config", str(ready.file)]
    assert cli.execute(counted) == 0
    assert capsys.readouterr().out == "n\n1\n"
    assert len(list((ready.folder / name).glob(f"as_of={GOLDEN_AS_OF}/*/report.html"))) == 3


def test_the_doctor_sees_what_a_run_would_stumble_over(ready, capsys):
    for section, key, name, broken in BROKEN[:3]:
        ready.configure(**{section: {key: name}})
        broken(ready.folder / name)
        assert cli.execute(["doctor", "--offline", "--config", str(ready.file)]) == 2
        assert "fix  reports: " in capsys.readouterr().out
        for path in (ready.folder / "out", ready.folder / "file"):
            path.unlink(missing_ok=True)


def test_no_extension_is_looked_for_before_the_database_is_locked_down(tmp_path):
    a_sqlite_database(tmp_path / "theirs.db")
    with pytest.raises(CannotWrite, match="is an SQLite database, not a DuckDB file"), connect(tmp_path / "theirs.db"):
        pass
    with connect(None) as con:
        [(value,)] = con.sql(
            "SELECT DISTINCT value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', "
            "'autoload_known_extensions', 'allow_community_extensions', 'python_enable_replacements')"
        ).fetchall()
    assert value == "false"


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    "command",
    [
        "schedule --first-date 2025-01-31 --count 4 --total 1000.00",
        "plan create --provider payt --file missing.json",
        "plan approve 1 --provider payt",
        "plan reject --where policy",
        "plan deactivate 1 --provider totality",
        "plan update 1 --provider payiq --file missing.json",
        "plan list",
        "plan show 1",
        "plan resume",
        "plan resume 1 --as refused --reason seen",
        "plan verify",
    ],
)
def test_no_plan_is_touched_or_laid_out_where_validation_is_switched_off(tmp_path, capsys, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PANDERA_VALIDATION_ENABLED", "off")
    assert cli.execute(command.split()) == 2
    assert capsys.readouterr().err.startswith("configuration: PANDERA_VALIDATION_ENABLED is 'off'")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(72)
@pytest.mark.parametrize("command", [RUN, ("report", *RUN[1:])])
def test_nothing_is_computed_where_validation_is_switched_off(ready, capsys, monkeypatch, command):
    if command[0] == "report":
        ready.without("payt", "payiq").run(GOLDEN_AS_OF)
    before = asked(ready)
    for value in ("False", "0", "no", "off", "", "TRUE"):
        monkeypatch.setenv("PANDERA_VALIDATION_ENABLED", value)
        assert cli.execute([*command, "--config", str(ready.file)]) == 2
        assert capsys.readouterr().err.startswith(f"configuration: PANDERA_VALIDATION_ENABLED is {value!r}")
        assert asked(ready) == before
