"""The commands as a user types them: help, questions in three formats, refusals, the doctor, the sandbox."""

import csv
import io
import json
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from flows.commands import cli
from sandbox.worlds import scenarios

README = Path(__file__).parents[3] / "README.md"
COMMANDS = {
    *(
        "demo",
        "run",
        "report",
        "schedule",
        "breaks",
        "query",
        "sandbox",
        "deploy",
        "serve",
        "doctor",
        "verify",
        "rebuild",
        "explain",
        "restate",
        "accept",
        "quarantine",
        "init",
        "open",
    ),
    *(f"plan {name}" for name in ("create", "update", "approve", "reject", "deactivate")),
    *(f"plan {name}" for name in ("list", "show", "resume", "verify")),
}


@pytest.fixture(scope="module")
def published(open_desk, tmp_path_factory):
    with open_desk(tmp_path_factory.mktemp("commands"), scenarios.demo()) as desk:
        desk.finished = desk.run(scenarios.DEMO_AS_OF)
        yield desk


def offered(app, *above):
    """The commands of an app, those below another one by both words."""
    for name in app:
        if not name.startswith("-"):
            yield from list(offered(app[name], *above, name)) or [" ".join((*above, name))]


def test_the_commands_are_these_and_no_others():
    assert set(offered(cli.app)) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name, capsys):
    assert cli.execute([*name.split(), "--help"]) == 0
    said = capsys.readouterr().out
    assert f"planrecon {name}" in said
    assert all(option in said for option in ("--log-format", "--quiet", "--debug"))


LISTED = (
    "import sys; from flows.commands.cli import execute; execute(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
)
OF_A_RUN = {"prefect", "pandera", "httpx", "stamina", "jinja2", "xlsxwriter", "starlette", "holidays.countries"}


@pytest.mark.parametrize(
    ("asked", "unneeded"),
    [
        (["--help"], {*OF_A_RUN, "polars", "duckdb", "pyarrow", "pydantic", "holidays", "msgspec", "markdown_it"}),
        (["query", "select 1"], OF_A_RUN),
    ],
)
def test_a_command_imports_no_library_that_its_answer_has_no_use_for(published, asked, unneeded):
    ended = published.command(*asked, program=(sys.executable, "-c", LISTED), configured="query" in asked)
    assert ended.stdout
    imported = set(ended.stderr.split())
    assert "cyclopts" in imported
    assert imported & unneeded == set()


def test_a_query_is_answered_as_table_csv_and_json(published, capsys):
    sql = "select provider, count(*) as plans from v_plans group by all order by all"
    asked = ["query", sql, "--config", str(published.file)]
    assert cli.execute(asked) == 0
    assert "totality" in capsys.readouterr().out
    assert cli.execute([*asked, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert cli.execute([*asked, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["provider"] for row in found] == ["payiq", "payt", "totality"]
    assert [(row["provider"], int(row["plans"])) for row in rows] == [(row["provider"], row["plans"]) for row in found]
    assert sum(row["plans"] for row in found) == len(published.rows("plans"))


def test_every_command_line_of_the_documents_is_one_that_the_program_takes():
    texts = "".join(
        (README.parent / name).read_text(encoding="utf-8").replace("\\\n", " ")
        for name in ("README.md", "docs/operations.md")
    )
    blocks = "".join(re.findall(r"```sh\n(.+?)```", texts, re.DOTALL))
    lines = re.findall(r"^\.venv/bin/planrecon (.+)$", blocks, re.MULTILINE)
    assert len(lines) > 10
    for line in lines:
        cli.app.parse_args(shlex.split(line, comments=True), print_error=False, exit_on_error=False)


def test_the_questions_of_the_documents_are_answered_and_add_no_currencies_together(published, capsys):
    texts = "".join((README.parent / name).read_text(encoding="utf-8") for name in ("README.md", "docs/operations.md"))
    customers, changes, writes = re.findall(r'planrecon query "([^"]+)"', texts)
    for each in (changes, writes):
        assert cli.execute(["query", each, "--config", str(published.file)]) == 0
    capsys.readouterr()
    assert cli.execute(["query", customers, "--format", "csv", "--config", str(published.file)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    owed = Counter()
    for plan in published.rows("plans"):
        if plan["is_in_force"] == "true":
            owed[plan["provider"], plan["customer_id"], plan["currency"]] += Decimal(plan["overdue"])
    shown = {(row["provider"], row["customer_id"], row["currency"]): Decimal(row["overdue"]) for row in rows}
    assert shown == +owed
    most = [Decimal(row["overdue"]) for row in rows if row["currency"] == "EUR"]
    assert most == sorted(most, reverse=True)


@pytest.mark.parametrize("sql", ["drop view v_plans", "copy v_plans to 'x.csv'", "select 1; select 2", "selec 1"])
def test_a_query_that_is_not_one_select_is_refused(published, capsys, sql):
    assert cli.execute(["query", sql, "--config", str(published.file)]) == 2
    assert capsys.readouterr().out == ""


ODD = {
    "interval 1 month": "1 month",
    "[1, 2]": "[1,2]",
    "[date 'infinity']": '["infinity"]',
    "{'a': 1, 'b': [true]}": '{"a":1,"b":[true]}',
    "{'a': 'nan'::double, 'b': ['-inf'::float], 'c': 'NaN,\"NaN'}": '{"a":null,"b":[null],"c":"NaN,\\"NaN"}',
    "map {'k': 1}": '{"k":1}',
    "'ab\\x00'::blob": "ab\\x00",
    "'infinity'::date": "infinity",
    "'-infinity'::timestamp": "-infinity",
    "date '12026-01-01'": "12026-01-01",
    "'10:00:00+02:00'::timetz": "10:00:00+02",
    "'101'::bit": "101",
    "70141183460469231731687303715884105727::hugeint": "70141183460469231731687303715884105727",
    "'nan'::double": None,
    "['inf'::float][1]": None,
    "null": None,
    "1.50::decimal(9, 2)": "1.50",
}
"""What SQL can say and JSON cannot, with the text it becomes."""


def test_a_query_is_answered_whatever_kind_of_value_it_selects(published, capsys):
    columns = ", ".join(f"{sql} as c{number}" for number, sql in enumerate(ODD))
    asked = ["query", f"select {columns}  -- all of them", "--config", str(published.file), "--format"]
    assert cli.execute([*asked, "json"]) == 0
    [row] = json.loads(capsys.readouterr().out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert list(row.values()) == list(ODD.values())
    assert cli.execute([*asked, "csv", "--raw"]) == 0
    [told] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    known = {name: text for name, text in row.items() if text is not None}
    assert {name: told[name] for name in known} == known
    assert cli.execute([*asked, "table"]) == 0
    assert "70141183460469231731687303715884105727" in capsys.readouterr().out


def test_columns_that_cannot_be_told_apart_are_usage(published, capsys):
    for style in ("table", "csv", "json"):
        asked = ["query", "select 1 as a, 2 as a", "--config", str(published.file), "--format", style]
        assert cli.execute(asked) == 2
        told = capsys.readouterr()
        assert (told.out, "two columns are called 'a'" in told.err) == ("", True)


HOSTILE = "\x1b[2J\u202egnp.exe\x9b31m\r\nnext"
HIDDEN = ("\x1b", "\u202e", "\x9b", "\r")


@pytest.mark.fault(36)
def test_what_an_answer_holds_neither_moves_the_cursor_nor_runs_in_a_spreadsheet(published, capsys):
    text = " || ".join(f"chr({ord(letter)})" for letter in HOSTILE)
    sql = f"select {text} as shown, '=1+1' as \"=name\", ' @x' as spaced, -5 as number, null::varchar as nothing"
    asked = ["query", sql, "--config", str(published.file), "--format"]
    said = "⟨U+001B⟩[2J⟨U+202E⟩gnp.exe⟨U+009B⟩31m⟨U+000D⟩⟨U+000A⟩next"
    assert cli.execute([*asked, "table"]) == 0
    table = capsys.readouterr().out
    assert (said in table, [mark for mark in HIDDEN if mark in table]) == (True, [])
    assert cli.execute([*asked, "csv"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == ["shown,'=name,spaced,number,nothing", f"{said},'=1+1,' @x,-5,"]
    assert cli.execute([*asked, "csv", "--raw"]) == 0
    head, row = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert (head[1], row) == ("=name", [HOSTILE, "=1+1", " @x", "-5", ""])
    assert cli.execute([*asked, "json"]) == 0
    out = capsys.readouterr().out
    assert [mark for mark in HIDDEN if mark in out] == []
    assert json.loads(out) == [{"shown": HOSTILE, "=name": "=1+1", "spaced": " @x", "number": -5, "nothing": None}]


def test_a_number_of_a_foreign_invoice_in_breaks_moves_no_cursor_and_runs_in_no_spreadsheet(desk, capsys):
    desk = desk(scenarios.golden())
    number = "=1+1\x1b[2J\u202e"
    with desk.world.changing():
        desk.world.payt.invoices[0]["invoice_number"] = number
        desk.world.payt.payment_plans[0]["rejected_at"] = "2025-03-01T12:00:00Z"
    desk.run(scenarios.GOLDEN_AS_OF)
    asked = ["breaks", "--code", "STATUS_CONTRADICTION", "--config", str(desk.file), "--format"]

    def answered(*options):
        assert cli.execute([*asked, *options]) == 0
        return capsys.readouterr().out

    shown = "=1+1⟨U+001B⟩[2J⟨U+202E⟩"
    assert shown in answered("table")
    assert {row["reference"] for row in csv.DictReader(io.StringIO(answered("csv")))} == {f"'{shown}"}
    assert {row["reference"] for row in csv.DictReader(io.StringIO(answered("csv", "--raw")))} == {number}
    assert {row["reference"] for row in json.loads(answered("json"))} == {number}
    assert [mark for mark in HIDDEN if mark in answered("table") + answered("csv") + answered("json")] == []


def test_what_an_error_or_the_doctor_repeats_does_not_move_the_cursor(published, capsys):
    cli.execute(["query", f"select 1 from v_{HOSTILE}", "--config", str(published.file)])
    cli.execute(
        ["plan", "approve", HOSTILE, "--provider", "payt", "--tenant", HOSTILE, "--config", str(published.file)]
    )
    cli.execute(["plan", "show", HOSTILE, "--config", str(published.file)])
    cli.execute(["doctor", "--config", f"{HOSTILE}.toml", "--offline"])
    told = capsys.readouterr()
    assert "gnp.exe" in told.err
    assert [mark for mark in HIDDEN if mark in told.out + told.err] == []


def test_breaks_are_listed_by_code_and_state(published, capsys):
    asked = ["breaks", "--config", str(published.file), "--format", "json", "--code", "total_diff"]
    assert cli.execute(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["code"] for row in found} == {"TOTAL_DIFF"}
    wanted = [row for row in published.rows("breaks") if row["code"] == "TOTAL_DIFF"]
    assert sorted(row["fingerprint"] for row in found) == sorted(row["fingerprint"] for row in wanted)
    assert cli.execute([*asked, "--state", "RESOLVED"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_breaks_are_listed_by_severity_provider_and_plan(published, capsys):
    asked = ["breaks", "--config", str(published.file), "--format", "json"]
    rows = [row for row in published.rows("breaks") if row["state"] != "RESOLVED"]
    one = next(row for row in rows if row["severity"] == "high" and row["plan_id"])
    for option, column in (("--severity", "severity"), ("--provider", "provider"), ("--plan", "plan_id")):
        assert cli.execute([*asked, option, one[column]]) == 0
        found = {row["fingerprint"] for row in json.loads(capsys.readouterr().out)}
        assert found == {row["fingerprint"] for row in rows if row[column] == one[column]}
        assert len(found) < len(rows)


@pytest.mark.parametrize(
    ("option", "word", "nearest"),
    [
        ("--code", "BALANCE_DRIFTS", "BALANCE_DRIFT"),
        ("--code", "NOPE", "known are"),
        ("--state", "NEWS", "NEW"),
        ("--severity", "hihg", "high"),
        ("--provider", "totalty", "totality"),
    ],
)
def test_an_unknown_word_of_breaks_is_refused_with_the_nearest(published, capsys, option, word, nearest):
    assert cli.execute(["breaks", "--config", str(published.file), option, word]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"usage: {option} ")
    assert nearest in said.err


@pytest.mark.parametrize("text", ["{", "[]", '{"generate": {"plans": "many"}}', '{"worlds": {}}'])
def test_a_scenario_that_is_none_is_one_sentence(tmp_path, monkeypatch, capfd, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario.json").write_text(text, encoding="utf-8")
    assert cli.execute(["sandbox", "--scenario", "scenario.json"]) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("usage: the sandboxes did not start: ")


def test_no_help_offers_to_give_nothing(capsys):
    for name in COMMANDS:
        assert cli.execute([*name.split(), "--help"]) == 0
        assert "--empty" not in capsys.readouterr().out


def test_nothing_published_is_said_and_exits_2(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.execute(["query", "select 1"]) == 2
    assert "planrecon run" in capsys.readouterr().err


def test_a_report_of_the_same_day_has_the_same_figures(published, capsys):
    assert cli.execute(["report", "--config", str(published.file), "--as-of", "2026-06-30", "--fail-on", "never"]) == 0
    assert capsys.readouterr().out.startswith("PUBLISHED  as of 2026-06-30")
    assert published.tables() == published.tables(published.finished.folder)


def test_a_future_date_is_refused(published, capsys):
    assert cli.execute(["report", "--config", str(published.file), "--as-of", "2999-01-01"]) == 2
    assert "future" in capsys.readouterr().err


def test_an_unknown_option_or_provider_exits_2(published, capsys):
    assert cli.execute(["report", "--as-off", "2026-06-30"]) == 2
    assert cli.execute(["run", "--config", str(published.file), "--provider", "paypal"]) == 2
    assert "payt, totality, payiq" in capsys.readouterr().err


def test_the_doctor_finds_everything_well_and_lists_what_is_assumed_where_asked(published, capsys):
    assert cli.execute(["doctor", "--config", str(published.file)]) == 0
    said = capsys.readouterr().out
    assert not [line for line in said.splitlines() if line.startswith("fix")]
    assert "assumed of" not in said
    assert cli.execute(["doctor", "--offline", "--assumptions", "--config", str(published.file)]) == 0
    assert "assumed of totality" in capsys.readouterr().out


def test_the_doctor_says_what_to_do_about_a_wrong_secret(published, capsys, tmp_path):
    text = published.file.read_text(encoding="utf-8")
    wrong = tmp_path / "planrecon.toml"
    wrong.write_text(text.replace("sandbox-totality-client-secret", "canary-wrong-secret"), encoding="utf-8")
    assert cli.execute(["doctor", "--config", str(wrong)]) == 2
    said = capsys.readouterr()
    assert [line for line in said.out.splitlines() if line.startswith("fix  totality")]
    assert "canary-wrong-secret" not in said.out + said.err


def test_the_sandbox_command_serves_until_it_is_stopped_and_leaves_a_configuration(tmp_path):
    script = Path(sys.executable).with_name("planrecon")
    child = subprocess.Popen(
        [script, "sandbox"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lines = [child.stdout.readline() for _ in range(4)]
    assert lines[3].startswith("run against them: planrecon run --config planrecon-sandbox/planrecon.toml")
    assert (tmp_path / "planrecon-sandbox" / "planrecon.toml").is_file()
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 143
    child.stdout.close()
    child.stderr.close()
