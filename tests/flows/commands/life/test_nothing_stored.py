"""What the commands on stored history say where nothing was ever stored; none of them makes a file."""

import pytest

from flows.commands.cli import execute

COMMANDS = (
    ("explain", "X"),
    ("restate",),
    ("accept", "abc123", "--owner", "anna", "--reason", "agreed"),
    ("quarantine", "replay"),
    ("report",),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_on_stored_history_is_refused_where_there_is_none(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert execute(list(command)) == 2
    told = capsys.readouterr().err
    assert told.startswith("usage: there is no warehouse at")
    assert "call `planrecon run` first" in told
    assert list(tmp_path.iterdir()) == []
