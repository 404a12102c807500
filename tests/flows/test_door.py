"""Whatever breaks, a command ends with one sentence, a stable code and exit 2; nothing leaves as a traceback."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows import tracebacks
from flows.commands import ask, cli
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden

SCRIPT = Path(sys.executable).with_name("planrecon")
PREVIEW = ("schedule", "--first-date", "2026-01-31", "--count", "2", "--total", "10.00")
CODES = "usage|configuration|cannot_write|stored_data_damaged|internal"


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tracebacks._Place, "state_dir", None)


def sentence(said, code):
    """The one line on standard error; it begins with the code and is no traceback."""
    [line] = said.splitlines()
    assert re.match(rf"({code}): \S", line), line
    assert "Traceback" not in said
    return line


def started(*arguments, stdout=subprocess.PIPE, spoilt="", **environment):
    """The console script in a process of its own, perhaps behind a piece of shell that spoils its streams."""
    command = [str(SCRIPT), *arguments]
    if spoilt:
        command = ["sh", "-c", f'"$0" "$@" {spoilt}', *command]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLANRECON_", "PREFECT_"))}
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=clean | environment, check=False
    )


class Panic(BaseException):
    """As a library in another language raises it: no `Exception`."""


@pytest.mark.parametrize(
    "raised",
    [RuntimeError("what"), KeyError("what"), Panic("what"), RecursionError("what"), SystemExit(1), MemoryError()],
)
def test_what_nobody_expected_is_internal_and_its_traceback_lies_below_the_state_folder(
    raised, tmp_path, monkeypatch, capsys
):
    def broken(*_, **__):
        raise raised

    (tmp_path / "planrecon.toml").write_text("[warehouse]\nstate_dir = 'state'\n", encoding="utf-8")
    monkeypatch.setattr(ask, "read_query", broken)
    monkeypatch.setattr(ask, "latest_database", lambda settings: settings.reports.dir)
    assert cli.execute(["query", "select 1"]) == 2
    line = sentence(capsys.readouterr().err, "internal")
    assert type(raised).__name__ in line
    [file] = (tmp_path / "state" / "errors").iterdir()
    assert str(file) in line
    assert "Traceback (most recent call last)" in file.read_text(encoding="utf-8")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_traceback_is_shown_where_it_is_asked_for(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(ask, "latest_database", lambda settings: 1 / 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert cli.execute(["query", "select 1", "--debug"]) == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "Traceback (most recent call last)" in said
    assert said.splitlines()[-1].startswith("internal: ")


def test_a_traceback_goes_to_the_temporary_folder_where_the_state_folder_cannot_take_it(monkeypatch, capsys, tmp_path):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "planrecon.state").write_text("a file stands here", encoding="utf-8")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(ask, "latest_database", lambda settings: 1 / 0)
    assert cli.execute(["query", "select 1"]) == 2
    [file] = (tmp_path / "temporary").rglob("*.txt")
    assert str(file) in sentence(capsys.readouterr().err, "internal")


def test_a_traceback_holds_no_secret(monkeypatch, capsys, tmp_path):
    def broken(settings):
        cli.log.hide(["canary-5x7-secret"])
        raise RuntimeError("refused canary-5x7-secret")

    monkeypatch.setattr(ask, "latest_database", broken)
    assert cli.execute(["query", "select 1", "--debug"]) == 2
    [file] = (tmp_path / "planrecon.state" / "errors").iterdir()
    assert "canary-5x7" not in capsys.readouterr().err + file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["qery", "select 1"], '"query"'),
        (["query"], "--sql"),
        (["query", "x", "--formt", "csv"], "--format"),
        (["query", "x", "--format", "xml"], "json"),
        (["run", "--as-of", "2026-02-30"], "2026-02-30"),
        (["plan", "create", "--provider", "paypal", "--file", "x"], "paypal"),
        (["query", "x", "--log-format", "xml"], "xml"),
        (["run", "--config", "."], "'.'"),
    ],
)
def test_a_wrong_word_is_one_sentence_that_shows_it(arguments, said, capsys):
    assert cli.execute(arguments) == 2
    printed = capsys.readouterr()
    assert said in sentence(printed.err, "usage|configuration")
    assert printed.out == ""


def test_the_last_word_is_a_json_line_with_its_code_where_machines_read(capsys):
    assert cli.execute(["query", "select 1", "--log-format", "json"]) == 2
    told = json.loads(capsys.readouterr().err)
    assert (told["level"], told["code"]) == ("error", "usage")
    assert "planrecon run" in told["message"]


def test_the_options_of_the_session_may_stand_anywhere(capsys):
    for arguments in (["--log-format", "json", "query", "select 1"], ["query", "--log-format=json", "select 1"]):
        assert cli.execute(arguments) == 2
        json.loads(capsys.readouterr().err)
    assert cli.execute(["query", "select 1", "--quiet"]) == 2  # errors are told all the same
    sentence(capsys.readouterr().err, "usage")


@pytest.mark.parametrize(
    ("arguments", "spoilt"),
    [
        (PREVIEW, ">&-"),
        ((*PREVIEW, "--format", "json"), "> /dev/full"),
        (("--help",), "> /dev/full"),
        (("doctor", "--offline"), ">&-"),
    ],
)
def test_standard_output_closed_or_full_is_one_sentence(arguments, spoilt):
    ended = started(*arguments, spoilt=spoilt)
    assert ended.returncode == 2
    assert "standard output" in sentence(ended.stderr, "cannot_write")


def test_a_reader_that_has_seen_enough_is_no_fault():
    ended = started(*PREVIEW, spoilt="| true")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("spoilt", ["2>&-", "2> /dev/full"])
def test_standard_error_closed_or_full_costs_no_answer_and_no_exit_code(spoilt):
    assert started(*PREVIEW, spoilt=spoilt).returncode == 0
    refused = started("query", spoilt=spoilt)
    assert (refused.returncode, refused.stdout) == (2, "")


def test_a_letter_that_standard_output_cannot_say_is_named(tmp_path):
    (tmp_path / "plan.json").write_text(
        '{"first_date": "2026-01-31", "count": 2, "total": "10.00", "closed": ["2026-02-28 Fête"], "holiday_shift": 1}',
        encoding="utf-8",
    )
    asked = ("schedule", "--file", "plan.json", "--format", "csv")
    assert "Fête" in started(*asked, PYTHONIOENCODING="utf-8").stdout
    ended = started(*asked, PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "PYTHONIOENCODING=utf-8" in sentence(ended.stderr, "cannot_write")


@pytest.mark.parametrize("command", ["run", "plan"])
def test_help_is_shown_in_any_encoding(command):
    ended = started(command, "--help", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"planrecon {command}" in ended.stdout


@pytest.mark.slow
def test_a_process_without_a_home_and_a_name_works(desk):
    """As in a container: HOME is not set, and no entry of the system's list of users has this id."""
    desk = desk(golden())
    program = """
import pwd, sys
def unknown(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = unknown
from flows.commands import cli
sys.argv[0] = "planrecon"
cli.main()
"""
    plan = desk.world.totality.payment_plans[0]["uuid"]
    for arguments, code in (
        (("run", "--as-of", str(GOLDEN_AS_OF), "--fail-on", "never"), 0),
        (("doctor",), 0),
        (("plan", "deactivate", plan, "--provider", "totality", "--yes"), 0),
        (("query", "select 1", "--config", "nowhere.toml"), 2),
    ):
        configured = [] if "--config" in arguments else ["--config", str(desk.file)]
        ended = subprocess.run(
            [sys.executable, "-c", program, *arguments, *configured],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
