"""The files for a service and a container: what they name is there, and nobody is root."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from flows.commands.cli import app

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "docs" / "deploy"
NOBODY_ELSE = 10001


def instructions():
    text = "\n".join(line for line in (PLACE / "Containerfile").read_text().splitlines() if not line.startswith("#"))
    joined = text.replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def unit(name):
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string((PLACE / name).read_text())
    return parser


def test_the_container_copies_what_there_is_runs_as_nobody_and_names_what_it_starts():
    steps = instructions()
    copied = [source for word, rest in steps if word == "COPY" for source in rest.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(built["packages"]) | {"prefect.yaml", "requirements.lock", "pyproject.toml"} <= set(copied)
    [base] = [rest for word, rest in steps if word == "FROM"]
    assert re.fullmatch(r"\S+:\d+\.\d+\S+", base), "a version, not latest"
    words = [word for word, _ in steps]
    users = [rest for word, rest in steps if word == "USER"]
    assert users == [f"{NOBODY_ELSE}:{NOBODY_ELSE}"]
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in {"RUN", "COPY"})
    assert "ADD" not in words
    assert "--require-hashes" in next(rest for word, rest in steps if word == "RUN")
    started = json.loads(dict(steps)["CMD"])
    asked = json.loads(dict(steps)["HEALTHCHECK"].partition("CMD ")[2])
    for command in (started, asked):
        assert command[0].startswith("/opt/planrecon/.venv/bin/")
    assert "--with-healthcheck" in started
    compile(asked[2], "HEALTHCHECK", "exec")


def test_the_service_counts_open_breaks_as_a_good_end_and_every_other_code_as_a_failure():
    service = unit("planrecon.service")["Service"]
    assert service["SuccessExitStatus"] == "1"
    assert service["User"] not in {"", "root", "0"}
    assert (service["Type"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("oneshot", "strict", "yes")
    program, *arguments = shlex.split(service["ExecStart"])
    assert Path(program).name == "planrecon"
    assert arguments[-2:] == ["--log-format", "json"], "which belongs to every command"
    command, bound, _ = app.parse_args(arguments[:-2], exit_on_error=False, print_error=False)
    assert command.__name__ == "run"
    assert bound.arguments["config"].is_absolute()
    timer = unit("planrecon.timer")["Timer"]
    assert timer["OnCalendar"].endswith("06:00:00 Europe/Amsterdam")
    assert timer["Persistent"] == "true"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path):
    for name in ("planrecon.service", "planrecon.timer"):
        text = (PLACE / name).read_text().replace("/opt/planrecon/.venv/bin/planrecon", "/bin/true")
        (tmp_path / name).write_text(text)
    units = [tmp_path / "planrecon.service", tmp_path / "planrecon.timer"]
    told = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in told.stderr.splitlines() if "planrecon" in line]
    assert (told.returncode, ours) == (0, []), told.stderr
