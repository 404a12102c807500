"""A command reads its configuration once and hands the settings on."""

from datetime import date

import pytest

from flows import configuration
from flows.commands.cli import execute
from sandbox.worlds.scenarios import golden

COMMANDS = (
    "run --as-of 2026-06-30 --fail-on never",
    "report --as-of 2026-06-29 --fail-on never",
    "breaks",
    "query SELECT+1",
    "query SELECT+count(*)+FROM+v_runs",
    "doctor",
    "verify",
    "plan list",
)


@pytest.fixture(scope="module")
def here(open_desk, tmp_path_factory):
    with open_desk(tmp_path_factory.mktemp("once"), golden()) as desk:
        desk.without("totality", "payiq").run(date(2026, 6, 28))
        yield desk


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_reads_the_configuration_once(here, command, monkeypatch):
    reads = []
    content = configuration._content
    monkeypatch.setattr(configuration, "_content", lambda file: reads.append(file) or content(file))
    arguments = [word.replace("+", " ") for word in command.split()]
    assert execute([*arguments, "--config", str(here.file)]) == 0
    assert reads == [here.file]
