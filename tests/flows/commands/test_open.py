"""The latest page opens in a browser; where there is none, the sentence says what to do. Shells complete the commands."""

import re
import shlex

import pytest

from flows.commands import cli
from flows.commands.page import open_latest
from flows.errors import UsageError


@pytest.fixture
def reports(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reports"


def kept(reports, run, *, held=False, files=("manifest.json", "report.html")):
    folder = (reports / "held" if held else reports) / "as_of=2026-06-30" / run
    folder.mkdir(parents=True)
    for name in files:
        (folder / name).touch()
    if not held:
        (reports / "latest").symlink_to(folder.relative_to(reports))
    return folder


def test_the_latest_page_is_opened_and_its_path_printed(reports, capsys):
    folder = kept(reports, "20260630T040000")
    opened = []
    assert open_latest(None, browse=lambda url: not opened.append(url)) == 0
    assert opened == [(folder / "report.html").as_uri()]
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{folder / 'report.html'}\n", "")


def test_a_newer_run_that_was_held_is_named_and_an_older_one_is_not(reports, caplog):
    kept(reports, "20260629T040000", held=True)
    kept(reports, "20260630T040000")
    open_latest(None, browse=lambda url: True)
    assert caplog.messages == []
    newer = kept(reports, "20260701T040000", held=True)
    open_latest(None, browse=lambda url: True)
    assert caplog.messages == [
        f"the newest run was held and is not this page: {newer.relative_to(reports.parent) / 'report.html'} says why"
    ]


def test_a_machine_without_a_browser_is_told_the_path(reports, caplog):
    kept(reports, "20260630T040000")
    assert open_latest(None, browse=lambda url: False) == 0
    assert "open that path" in caplog.text


def test_no_page_yet_says_what_to_do(reports, capsys):
    assert cli.execute(["open"]) == 2
    assert "call `planrecon run` first" in capsys.readouterr().err
    held = kept(reports, "20260630T040000", held=True, files=("manifest.json",))
    with pytest.raises(UsageError, match=f"held, {held.relative_to(reports.parent)}/summary.json says why"):
        open_latest(None)
    kept(reports, "20260701T040000", files=("manifest.json",))
    with pytest.raises(UsageError, match="html"):
        open_latest(None)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_each_shell_names_every_command_and_option(shell, tmp_path, capsys):
    script = tmp_path / shell
    assert cli.execute(["--install-completion", "--shell", shell, "--output", str(script)]) == 0
    assert str(script) in capsys.readouterr().out
    text = script.read_text(encoding="utf-8")
    commands = {name for name in cli.app if not name.startswith("-")}
    assert {"run", "breaks", "query", "plan", "open"} <= commands
    assert [word for word in {*commands, "as-of", "severity", "vertical"} if word not in text] == []


def test_the_help_of_every_command_ends_with_an_example_that_the_command_line_takes():
    for name in (name for name in cli.app if not name.startswith("-") and name != "plan"):
        (example,) = re.findall(r"For example: `planrecon (.*?)`", cli.app[name].help, re.MULTILINE)
        words = [word for word in shlex.split(example) if word not in {"--wide", "--vertical"}]
        assert words[0] == name
        cli.app.parse_args(words, exit_on_error=False, print_error=False)


def test_a_shell_we_do_not_know_is_refused_and_so_is_a_place_that_cannot_be_written(tmp_path, capsys):
    assert cli.execute(["--install-completion", "--shell", "tcsh"]) == 2
    assert "zsh" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert cli.execute(["--install-completion", "--shell", "zsh", "--output", str(tmp_path / "file" / "x")]) == 2
    assert "--output" in capsys.readouterr().err
