"""`init` writes a configuration that doctor has nothing against but the secrets, with what each key means."""

import io
import re
import sys
from pathlib import Path

import pytest

from flows.commands import cli
from flows.commands.template import meaning
from flows.configuration import load
from flows.settings import PaytSettings, RunSettings, Settings, settings_class

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"
FILE = Path("planrecon.toml")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def answered(monkeypatch, *lines):
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_enter_takes_each_default_and_the_rest_is_asked_for(monkeypatch, capsys):
    answered(
        monkeypatch,
        *("y", "y", "n"),  # Payt, Totality, not PayIQ
        *("Europe/Amsterdm", "Europe/Berlin", ""),  # a zone there is none of, the right one, the calendar
        "",  # where Payt is
        *("lender.example", "https://lender.example/api", ""),  # no address, the right one, its calendar
        *("", "data/state", ""),
    )
    assert cli.execute(["init"]) == 0
    printed = capsys.readouterr()
    assert "did you mean 'Europe/Amsterdam'" in printed.err
    assert "write it as https://host/path" in printed.err
    assert "PLANRECON_PROVIDERS__PAYT__TOKEN, or PLANRECON_PROVIDERS__PAYT__CLIENT_ID and " in printed.out
    settings = load()
    assert set(settings.providers.configured()) == {"payt", "totality"}
    assert (settings.run.timezone, settings.run.calendar) == ("Europe/Berlin", "NL")
    totality = settings.providers.configured()["totality"]
    assert (totality.base_url, totality.calendar) == ("https://lender.example/api", "FED")
    assert settings.warehouse.state_dir == Path.cwd() / "data" / "state"


def test_nothing_but_the_secrets_is_left_for_doctor(monkeypatch, capsys):
    asked = [
        "init",
        "--yes",
        "--provider",
        "payt",
        "--provider",
        "payiq",
        "--base-url",
        "payiq=https://b.example/PayIQ/",
    ]
    assert cli.execute(asked) == 0
    said = capsys.readouterr().out
    for name in re.findall(r"PLANRECON_\w+", said):
        monkeypatch.setenv(name, "canary-of-init")
    monkeypatch.delenv("PLANRECON_PROVIDERS__PAYT__TOKEN")
    with Path("payiq_accounts.csv").open("a", encoding="utf-8") as accounts:
        accounts.write("token,1,\n")  # which accounts there are, only a person knows
    assert cli.execute(["doctor", "--offline"]) == 0
    assert "fix" not in capsys.readouterr().out


def test_the_file_is_private_and_holds_no_secret_and_every_default_as_a_comment(monkeypatch):
    monkeypatch.setenv("PLANRECON_PROVIDERS__PAYT__TOKEN", "canary-5x7")
    assert cli.execute(["init", "--yes", "--provider", "payt"]) == 0
    text = FILE.read_text(encoding="utf-8")
    assert FILE.stat().st_mode & 0o777 == 0o600
    assert "canary" not in text
    assert "# grace_days = 0" in text
    before = load().model_dump()
    FILE.write_text(re.sub(r"(?m)^# (\w+ = )", r"\1", text), encoding="utf-8")
    assert load().model_dump() == before  # a default taken out of its comment changes nothing


def test_a_file_that_is_there_stays_unless_force_is_given(capsys):
    FILE.write_text("[run]\n", encoding="utf-8")
    assert cli.execute(["init", "--yes", "--provider", "payt"]) == 2
    assert "--force" in capsys.readouterr().err
    assert FILE.read_text(encoding="utf-8") == "[run]\n"
    assert cli.execute(["init", "--yes", "--provider", "payt", "--force"]) == 0
    assert "[providers.payt]" in FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--provider NAME"),
        (["--provider", "payt"], "nobody answers"),
        (["--yes"], "no provider is wanted"),
        (["--yes", "--provider", "totality"], "--base-url totality=https://"),
        (["--yes", "--provider", "pyat"], "did you mean payt"),
        (["--yes", "--provider", "payt", "--timezone", "Amsterdam"], "did you mean 'Europe/Amsterdam'"),
        (["--yes", "--provider", "payt", "--calendar", "XX"], "XX"),
        (["--yes", "--provider", "payt", "--config", "gone/planrecon.toml"], "no folder"),
        (["--yes", "--provider", "payt", "--force", "--config", "."], "is a folder"),
    ],
)
@pytest.mark.parametrize("stdin", [None, io.StringIO("")], ids=["closed", "empty"])
def test_what_is_missing_or_wrong_is_one_sentence_and_nothing_is_written(arguments, said, stdin, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", stdin)
    assert cli.execute(["init", *arguments]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("usage: ")
    assert said in last
    assert not FILE.exists()


def described(model, prefix=""):
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
        sections = [kind for kind in kinds if isinstance(kind, type) and hasattr(kind, "model_fields")]
        for section in sections:
            yield from described(section, "" if prefix.startswith("providers") else f"{name}.")
        if not sections and meaning(model, name):
            yield f"{prefix.removeprefix('providers.')}{name}", meaning(model, name)


def test_what_a_key_means_is_told_in_the_same_words_in_the_documents():
    rows = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            key, _, text = (cell.strip() for cell in line.strip("|").split("|"))
            rows[key.strip("`")] = text
    told = dict(described(settings_class()))
    assert {"run.timezone", "warehouse.path", "base_url"} <= told.keys()
    assert {key: text for key, text in told.items() if not rows.get(key, "").startswith(text)} == {}
    assert meaning(PaytSettings, "base_url")
    assert meaning(RunSettings, "residual") == ""
    assert "run" in Settings.model_fields
