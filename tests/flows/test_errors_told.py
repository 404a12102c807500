"""An error says what is wrong, where, with which value, and what to do next, in one line behind its code; nothing is printed else.

Each is really provoked by a command. What else the suite provokes is held to the same form by `conftest.py`.
"""

import fcntl
import json
import re

import pytest

from flows.commands import cli
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden

SCHEDULE = ("schedule", "--first-date", "2026-01-31", "--count", "2", "--total", "10.00")
CREATE = ("plan", "create", "--provider", "payt", "--file", "changes.json")
PAYT = '[providers.payt]\nbase_url = "http://127.0.0.1:1"\nclient_id = "x"\nclient_secret = "x"\n'
PAUSED = '[run]\npauses_file = "p.csv"\n'
ALONE = {
    "no run yet": ("", ("query", "select 1"), "usage", "nothing is published", "reports'", "planrecon run"),
    "another file": ("", ("run", "--config", "nowhere.toml"), "configuration", "does not exist", "'nowhere.toml'", "give its path"),
    "a folder as file": ("", ("run", "--config", "."), "configuration", "is a folder", "'.'", "give the file"),
    "no TOML": ("[run", ("run",), "configuration", "no TOML", "planrecon.toml", "correct that line"),
    "an unknown key": ("[run]\ntimezon = 1", ("run",), "configuration", "unknown key", "'run.timezon' in planrecon.toml", "did you mean 'timezone'?"),
    "an unknown zone": ('[run]\ntimezone = "Europe/Amsterdm"', ("run",), "configuration", "no.* time zone", "'run.timezone' in planrecon.toml", "'Europe/Amsterdam'"),
    "a zone like nothing": ('[run]\ntimezone = "?"', ("run",), "configuration", "no.* time zone", "'run.timezone' in planrecon.toml", "write it as Europe/Amsterdam"),
    "a tolerance": ('[run]\ntolerance = "5"', ("run",), "configuration", "unknown", "'run.tolerance' in planrecon.toml: tolerance '5'", "use one of"),
    "no provider": ("", ("run",), "configuration", "no provider is configured", "section", "add a "),
    "another provider": (PAYT, ("run", "--provider", "payiq"), "configuration", "not configured", "'payiq'", "add its section, or name one of payt"),
    "a pause without a provider": (PAYT + PAUSED, ("run",), "configuration", "none of ours", "p.csv' line 2: provider 'stripe'", "use one of payt"),
    "an unreachable provider": (PAYT, ("run", "--as-of", "2026-01-31"), "provider_unreachable", "payt", r"\(POST ", "Check the network"),
    "a database that is a text": ("[warehouse]\npath = 'a.txt'\n" + PAYT, ("run",), "cannot_write", "is a text file", "a.txt", "configure another path"),
    "an as-of date to come": (PAYT, ("run", "--as-of", "2999-01-01"), "usage", "lies in the future", "2999-01-01", "or an earlier one"),
    "an unknown command": ("", ("qery",), "usage", "Unknown command", '"qery"', "Did you mean"),
    "an unknown currency": ("", (*SCHEDULE, "--currency", "XYZ"), "usage", "no ISO 4217 code", "--currency 'XYZ'", "give for example EUR"),
    "half a cent": ("", (*SCHEDULE[:-1], "10.005"), "usage", "a fraction of the smallest unit", "--total '10.005'", "EUR has 2 places, give no more"),
    "an unknown frequency": ("", (*SCHEDULE, "--frequency", "dayly"), "usage", "dayly", "--frequency", "monthly"),
    "an unknown calendar": ("", (*SCHEDULE, "--calendar", "XX"), "usage", "unknown", "--calendar: calendar 'XX'", "use FED"),
    "a plan in no JSON": ("", ("schedule", "--file", "p.csv"), "usage", "cannot be read as JSON", "'p.csv'", "correct it"),
    "a plan that is a list": ("", ("schedule", "--file", "list.json"), "usage", "holds no JSON object", "'list.json'", "write one, as"),
    "no first date": ("", ("schedule", "--count", "2", "--total", "1"), "usage", "is missing", "--first-date", "give it"),
    "changes that are not there": (PAYT, ("plan", "create", "--provider", "payt", "--file", "no.json"), "usage", "", "no.json", "give|correct"),
    "no changes": (PAYT, (*CREATE[:-1], "list.json"), "usage", "holds no change", "'list.json'", "write a JSON object"),
    "an unknown field": (PAYT, CREATE, "usage", "'amout' is not a field of this call", "'changes.json' entry 1: payt", "Correct the file"),
    "a plan nobody can change so": (PAYT, ("plan", "update", "7", "--provider", "payt", "--file", "changes.json"), "usage", "no call to update a plan", "payt", "approve, reject"),
    "an unknown intent": (PAYT, ("plan", "show", "f00"), "usage", "there is none", "'f00'", "`planrecon plan list`"),
    "an unknown state": ("", ("breaks", "--state", "opn"), "usage", "unknown", "--state 'OPN'", "known are"),
    "no warehouse": (PAYT, ("report",), "usage", "no warehouse", "planrecon.duckdb'", "planrecon run"),
    "no landing": (PAYT, ("rebuild",), "usage", "no landing", "state'", "restore"),
    "two layouts": ("", ("query", "x", "--wide", "--vertical"), "usage", "two layouts", "--wide and --vertical", "give one"),
}  # fmt: skip
"""Name: the configuration, the command, its code, then patterns of what is wrong, where with its value, and what to do."""


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.usefixtures("impatient")
def test_an_error_is_one_line_with_what_where_and_what_to_do(name, tmp_path, monkeypatch, capsys):
    configuration, arguments, code, *patterns = ALONE[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "planrecon.toml").write_text(configuration, encoding="utf-8")
    (tmp_path / "a.txt").write_text("nothing but words, as many as a head of a file has " * 9, encoding="utf-8")
    (tmp_path / "p.csv").write_text("provider,tenant_id,plan_id,start,end\nstripe,,1,2026-01-01,\n", encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    (tmp_path / "changes.json").write_text('{"administration_id": "1", "amout": 1}', encoding="utf-8")
    assert cli.execute(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    holds(printed.err, code, patterns)


def holds(said, code, patterns):
    """Hold the last line that was printed to its code, and to each pattern behind it."""
    *before, last = said.splitlines()
    assert last.startswith(f"{code}: "), said
    assert not [pattern for pattern in patterns if not re.search(pattern, last)], last
    assert "Traceback" not in "".join(before)


@pytest.fixture
def stored(desk, capsys):
    found = desk(golden())
    found.begin(GOLDEN_AS_OF)
    capsys.readouterr()
    return found


def fails(desk, capsys, code, *patterns, asked, ends=2):
    assert cli.execute([*asked, "--config", str(desk.file)]) == ends
    holds(capsys.readouterr().err, code, patterns)


def test_errors_over_stored_data_say_what_where_and_what_to_do(stored, capsys):
    lock = stored.state_dir / "run.lock"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        fails(stored, capsys, "busy", "is held by", str(lock), "wait until it ends", asked=["report"], ends=5)
    fails(
        stored,
        capsys,
        "usage",
        "no plan is called",
        "'no-such'",
        "nearest|`planrecon query",
        asked=["explain", "no-such"],
    )
    fails(
        stored, capsys, "usage", "cannot be answered", "no_such", "correct it", asked=["query", "select * from no_such"]
    )
    fails(stored, capsys, "usage", "one SELECT", "DROP", "give one", asked=["query", "drop table x"])
    fails(stored, capsys, "usage", "there is none", "row 'f00'", "quarantine list", asked=["quarantine", "show", "f00"])
    owner = ["--owner", "anna", "--reason", "x"]
    fails(stored, capsys, "usage", "no published run", "a break", "planrecon run", asked=["accept", "f00", *owner])
    (stored.latest / "aging.csv").write_bytes(b"changed")
    stored.damaged("a report is changed")
    fails(
        stored, capsys, "stored_data_damaged", "not as written", "1 thing", "do what each line says", asked=["verify"]
    )


def test_errors_of_a_provider_say_what_where_and_what_to_do(stored, capsys):
    stored.without("totality", "payiq").configure(payt={"client_secret": "canary-wrong"})
    asked = ["run", "--as-of", str(GOLDEN_AS_OF)]
    fails(stored, capsys, "not_permitted", "payt", r"\(POST .*status 4", "Check client_id", asked=asked)
    fails(
        stored,
        capsys,
        "not_permitted",
        "payt",
        r"\(POST .*status 4",
        "Check client_id",
        asked=["plan", "approve", "7", "--provider", "payt"],
    )


def test_the_same_words_stand_in_the_json_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.execute(["run", "--config", "nowhere.toml", "--log-format", "json"]) == 2
    told = json.loads(capsys.readouterr().err)
    assert (told["code"], told["level"]) == ("configuration", "error")
    assert "give its path" in told["message"]
