"""A Prefect API that is down, foreign or missing costs one sentence; what Prefect keeps for us is private."""

import json
import os
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from flows.commands.cli import execute
from flows.deploy import flow_runs


@pytest.fixture
def nowhere():
    """The URL of an API that nobody serves: its port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://anna:geheim@127.0.0.1:{taken.getsockname()[1]}/api"


@pytest.fixture
def foreign():
    """The URL of a server that is not Prefect."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


@pytest.fixture
def configured(tmp_path):
    file = tmp_path / "planrecon.toml"
    section = {"base_url": "http://127.0.0.1:9", "token": "prefect-secret:payt-token", "tenant": "1001"}
    lines = [f"{key} = {json.dumps(value)}" for key, value in section.items()]
    file.write_text("\n".join(["[providers.payt]", *lines, ""]), encoding="utf-8")
    return file


@pytest.fixture
def asked(configured, monkeypatch, capsys):
    """Run a command with an API configured; return its exit code and everything it printed, line by line."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    def run(url, *command):
        monkeypatch.setenv("PREFECT_API_URL", url)
        with temporary_settings({PREFECT_API_URL: url}):
            code = execute([*command, "--config", str(configured)])
        printed = capsys.readouterr()
        return code, (printed.out + printed.err).splitlines()

    return run


@pytest.mark.parametrize("command", ["run", "deploy", "serve"])
def test_a_prefect_server_that_is_down_is_told_in_one_sentence_with_its_address_and_the_way_on(asked, nowhere, command):
    code, lines = asked(nowhere, command)
    assert (code, len(lines)) == (2, 1)
    [line] = lines
    assert line.startswith("orchestrator_unreachable: ")
    assert nowhere.replace("anna:geheim@", "") in line
    assert "geheim" not in line
    assert ("unset PREFECT_API_URL" if command == "run" else "cron call `planrecon run`") in line


def test_the_doctor_names_the_prefect_server_that_is_down_and_the_secret_that_needs_it(asked, nowhere):
    code, lines = asked(nowhere, "doctor")
    address = nowhere.replace("anna:geheim@", "")
    [prefect] = [line for line in lines if line.startswith("fix  prefect: ")]
    [payt] = [line for line in lines if line.startswith("fix  payt: ")]
    assert code == 2
    assert address in prefect
    assert address in payt
    assert "by its environment variable or a file" in payt


def test_a_server_that_is_not_prefects_is_no_prefect_api(asked, foreign):
    code, [line] = asked(foreign, "run")
    assert code == 2
    assert line.startswith(f"orchestrator_unreachable: the Prefect API at {foreign} cannot be used")


def test_without_a_file_a_deployment_for_workers_takes_absolute_paths_alone(tmp_path, monkeypatch, capsys):
    """A worker starts elsewhere: a relative path would lead it to another log of write-backs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANRECON_PROVIDERS__PAYT__TOKEN", "a-token")
    monkeypatch.setenv("PLANRECON_WAREHOUSE__PATH", str(tmp_path / "planrecon.duckdb"))
    assert execute(["deploy"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("configuration: warehouse.state_dir, reports.dir are relative and there is no")


@pytest.mark.fault(71)
def test_a_database_that_prefect_made_readable_to_all_is_made_private_before_it_is_used(tmp_path, monkeypatch):
    from prefect.settings import PREFECT_HOME, temporary_settings

    from flows.orchestrator import prepare_embedded

    monkeypatch.setattr(os, "environ", dict(os.environ))
    home = tmp_path / "home"
    home.mkdir()
    for name in ("prefect.db", "prefect.db-wal"):
        (home / name).touch(mode=0o644)
    with temporary_settings({PREFECT_HOME: home}):
        prepare_embedded()
    assert {oct(path.stat().st_mode & 0o777) for path in home.iterdir()} == {"0o600"}


@pytest.mark.parametrize("written", [None, b"", b"[]"], ids=["gone", "empty", "no object"])
def test_a_record_of_a_flow_run_that_is_gone_or_torn_costs_the_next_run_nothing(tmp_path, written):
    """Its process may end, or have lost its power, between the listing of the folder and the look into the file."""
    record = tmp_path / "00000000-0000-4000-8000-000000000000.json"
    if written is not None:
        record.write_bytes(written)
    flow_runs._settle(record, {"host": "here", "api": ""})
    assert not record.exists()
