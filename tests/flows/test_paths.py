"""Where a relative path of a configuration leads: from the folder of its file, whoever asks from wherever."""

import os
from pathlib import Path

import pytest

from flows.commands import cli
from flows.commands.demo import configuration
from flows.configuration import load
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden

DAY = ("--as-of", str(GOLDEN_AS_OF), "--fail-on", "never")


@pytest.fixture
def relative(desk, tmp_path, monkeypatch):
    """A desk whose every path is relative, and a working directory somewhere else."""
    desk = desk(golden())
    secret = desk.sections["providers.payt"]["client_secret"]
    (desk.folder / "secrets").mkdir()
    (desk.folder / "secrets" / "payt").write_text(secret, encoding="utf-8")
    desk.configure(
        warehouse={"path": "w/planrecon.duckdb", "state_dir": None},  # the default is a relative path as well
        reports={"dir": "out"},
        payiq={"accounts_file": "payiq_accounts.csv"},
        payt={"client_secret": None, "client_secret_file": "secrets/payt"},
        gates={"change_share": 1},
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return desk


def test_every_command_finds_the_same_places_from_another_folder(relative, capsys):
    """Relative accounts, secrets, warehouse, state and reports; the file named by a relative path too."""
    file = os.path.relpath(relative.file)
    asked = ("--config", file)
    assert cli.execute(["doctor", *asked]) == 0
    assert cli.execute(["run", *DAY, *asked]) == 0
    assert cli.execute(["report", *DAY, *asked]) == 0
    assert cli.execute(["breaks", *asked]) == 0
    capsys.readouterr()
    assert cli.execute(["query", "select count(distinct provider) as n from v_plans", "--format", "csv", *asked]) == 0
    assert capsys.readouterr().out == "n\n3\n"
    assert cli.execute(["plan", "list", *asked]) == 0
    assert cli.execute(["plan", "verify", *asked]) == 0
    assert list(Path.cwd().iterdir()) == []
    made = {path.name for path in relative.folder.iterdir()}
    assert made == {"planrecon.toml", "payiq_accounts.csv", "secrets", "w", "planrecon.state", "out"}
    assert {path.name for path in (relative.folder / "w").iterdir()} == {"planrecon.duckdb"}


def test_a_write_back_is_logged_beside_the_configuration_too(relative):
    plan = relative.world.totality.payment_plans[0]["uuid"]
    ended = cli.execute(
        ["plan", "deactivate", plan, "--provider", "totality", "--yes", "--config", os.path.relpath(relative.file)]
    )
    assert ended == 0
    assert (relative.folder / "planrecon.state" / "intents" / "audit.jsonl").is_file()
    assert list(Path.cwd().iterdir()) == []


def test_a_path_of_the_environment_stands_in_for_that_of_the_file(tmp_path, monkeypatch):
    file = tmp_path / "conf" / "planrecon.toml"
    file.parent.mkdir()
    file.write_text("[warehouse]\npath = 'a.duckdb'\n", encoding="utf-8")
    monkeypatch.setenv("PLANRECON_WAREHOUSE__PATH", "b.duckdb")
    monkeypatch.setenv("PLANRECON_REPORTS__DIR", "/srv/reports")
    monkeypatch.setenv("PLANRECON_PROVIDERS__PAYT__TOKEN_FILE", "payt.token")
    settings = load(file)
    assert settings.warehouse.path == file.parent / "b.duckdb"
    assert settings.reports.dir == Path("/srv/reports")
    assert settings.providers.payt is not None
    assert settings.providers.payt.token_file == file.parent / "payt.token"


def test_a_linked_file_counts_where_it_is_named_not_where_the_link_leads(tmp_path):
    """As a container mounts a configuration: the file is a link into a folder that nobody may write."""
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "planrecon.toml").write_text("", encoding="utf-8")
    (tmp_path / "planrecon.toml").symlink_to(tmp_path / "mounted" / "planrecon.toml")
    assert load(tmp_path / "planrecon.toml").reports.dir == tmp_path / "reports"


def test_the_configuration_of_the_sandbox_can_be_moved_with_its_folder():
    names, keys = ("payt", "totality", "payiq"), ("client_id", "client_secret", "api_key", "signing_secret")
    facts = {
        "urls": dict.fromkeys(names, "http://127.0.0.1:1"),
        "credentials": {name: dict.fromkeys(keys, "secret") for name in names},
        "accounts_file": "/some/where/payiq_accounts.csv",
    }
    text = configuration(facts)
    assert "/some/where" not in text
    assert 'accounts_file = "payiq_accounts.csv"' in text
