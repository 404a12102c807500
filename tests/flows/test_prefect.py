"""The flow on a real Prefect server: artifacts, deployment, serving, and the demo that starts its own.

One server for the module, on a free port, with its state in a temporary folder.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from sandbox import faults, scenarios

pytestmark = pytest.mark.prefect

SCRIPT = Path(sys.executable).with_name("planrecon")
IGNORED = Path(__file__).parents[2] / ".gitignore"
UP_SECONDS = 180


def free_port():
    """A free port below those that the system gives out to others while the server starts."""
    for port in range(30_000 + os.getpid() % 2_000, 32_700):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def asked(url, path, body=None):
    answer = httpx.request("GET" if body is None else "POST", f"{url}{path}", json=body, timeout=30, trust_env=False)
    return answer.raise_for_status().json()


def until(seconds, question):
    """Return the first truthy answer, asking again until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := question():
                return answer
        except httpx.HTTPError:
            pass
        time.sleep(0.25)
    raise AssertionError(f"nothing after {seconds} s")


def running_below(folder):
    """Commands of the processes that were started with the folder in their arguments or their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told:
            found.append((process / "cmdline").read_bytes())
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The API address and the environment of a Prefect server that ends with the module."""
    home, port = tmp_path_factory.mktemp("prefect"), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            until(UP_SECONDS, lambda: asked(environment["PREFECT_API_URL"], "/health"))
            yield environment["PREFECT_API_URL"], environment
        finally:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(60)


def test_where_an_api_is_configured_a_run_is_a_flow_run_with_artifacts(server, desk):
    url, environment = server
    desk = desk(scenarios.golden())
    ended = desk.command(
        "run", "--as-of", scenarios.GOLDEN_AS_OF.isoformat(), "--fail-on", "never", env=environment, timeout=240
    )
    assert ended.returncode == 0, ended.stderr
    runs = asked(url, "/flow_runs/filter", {})
    assert [run["state"]["type"] for run in runs] == ["COMPLETED"]
    tasks = {run["name"].rpartition("-")[0] for run in asked(url, "/task_runs/filter", {})}
    assert {"list tenants", "pull", "compute, check and publish"} <= tasks
    found = {one["key"]: one for one in asked(url, "/artifacts/filter", {})}
    assert set(found) == {"planrecon-summary", "planrecon-breaks"}
    assert "PUBLISHED  as of 2025-06-07" in found["planrecon-summary"]["data"]
    shown = json.loads(found["planrecon-breaks"]["data"])
    assert len(shown) == len([row for row in desk.rows("breaks") if row["state"] != "RESOLVED"])
    home = Path(environment["PREFECT_HOME"])
    secrets = [
        value.encode()
        for keys in desk.sandbox.credentials.values()
        for name, value in keys.items()
        if "secret" in name or name == "api_key"
    ]
    stored = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in stored)
    assert not [path for path in stored if any(secret in path.read_bytes() for secret in secrets)]
    assert desk.is_sound()


def test_deploy_registers_the_daily_schedule(server, desk):
    url, environment = server
    desk = desk(scenarios.golden())
    ended = desk.command("deploy", env=environment, timeout=180)
    assert ended.returncode == 0, ended.stderr
    found = {one["name"]: one for one in asked(url, "/deployments/filter", {})}
    assert set(found) == {"daily", "create", "policy"}
    for name in ("create", "policy"):
        assert found[name]["schedules"] == []
        assert found[name]["parameters"]["send"] is False
    deployment = found["daily"]
    assert deployment["entrypoint"] == "flows/reconcile.py:reconcile"
    assert deployment["parameters"] == {"config": str(desk.file)}
    [schedule] = deployment["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("0 6 * * *", "Europe/Amsterdam")
    assert deployment["concurrency_limit"] == 1 or deployment["global_concurrency_limit"]["limit"] == 1


def test_serve_runs_until_it_is_stopped_and_leaves_the_schedule_active(server, desk):
    url, environment = server
    desk = desk(scenarios.golden())
    child = desk.start("serve", env=environment)

    def is_served():
        """A deployment of an earlier test may be there: ours is the one that names our configuration."""
        found = asked(url, "/deployments/filter", {})
        return len(found) == 3 and all(one["parameters"]["config"] == str(desk.file) for one in found)

    try:
        until(120, lambda: child.poll() is not None or is_served())
        assert child.poll() is None, child.communicate()[1]
    finally:
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=60)
    deployments = asked(url, "/deployments/filter", {})
    assert not [one for one in deployments if one["paused"]], out + err


STUBBORN = """
import sys
from prefect import flow
from flows.writing import create_plans

@flow(retries=2, retry_delay_seconds=0)
def stubborn(file, config):
    state = create_plans(file, "payt", config=config, send=True, return_state=True)
    print(state.name, flush=True)
    raise RuntimeError("once more")

stubborn(sys.argv[1], sys.argv[2], return_state=True)
"""


@pytest.mark.parametrize(("executes", "ends", "made"), [(True, "Sent", 1), (False, "NeedsAPerson", 0)])
def test_an_orchestrator_that_retries_and_repeats_a_create_sends_it_once(server, desk, executes, ends, made):
    """Its answer is lost; where the provider acted the look finds the plan, else nobody knows and nobody sends again."""
    url, environment = server
    desk = desk(scenarios.demo())
    file = desk.folder / "plans.json"
    terms = [{"amount": 610.00, "due_date": "2026-12-01"}, {"amount": 500.01, "due_date": "2027-01-01"}]
    body = {"administration_id": "1001", "terms": terms, "invoice_numbers": ["F2603025"]}
    body["cc_email_address"] = "canary@example.com"
    file.write_text(json.dumps(body), encoding="utf-8")
    known = len(desk.world.payt.payment_plans)
    desk.sandbox.faults.add(faults.drop(execute=executes), match="POST /v1/payment_plans")
    ended = subprocess.run(
        [sys.executable, "-c", STUBBORN, str(file), str(desk.file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.stdout.split() == [ends] * 3, ended.stderr
    posts = [one for one in desk.sandbox.requests["payt"] if (one.method, one.path) == ("POST", "/v1/payment_plans")]
    assert len(posts) == 1
    assert len(desk.world.payt.payment_plans) - known == made
    shown = [one["data"] for one in asked(url, "/artifacts/filter", {}) if one["key"] == "planrecon-writes"]
    assert any("create a plan at payt/1001: 2 terms, 1110.01 EUR" in text for text in shown)
    stored = [path for path in Path(environment["PREFECT_HOME"]).rglob("*") if path.is_file()]
    assert not [path for path in stored if b"canary@" in path.read_bytes()]


def test_without_an_api_deploy_says_what_to_set(tmp_path, desk):
    desk = desk(scenarios.golden())
    ended = desk.command("deploy", env={"PREFECT_HOME": str(tmp_path / "home")}, timeout=120)
    assert ended.returncode == 2
    assert "PREFECT_API_URL" in ended.stderr


def test_the_demo_runs_the_flow_from_nothing_and_leaves_nothing_running(tmp_path):
    """No configuration, no server, no account; its state lies below its own folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PLANRECON_"))}
    environment["HOME"] = str(tmp_path / "nobody")
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", checkout], check=True)
    (checkout / ".gitignore").write_bytes(IGNORED.read_bytes())
    ended = subprocess.run(
        [SCRIPT, "demo"], cwd=checkout, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert ended.returncode in {0, 1}, ended.stderr
    assert ended.stdout.startswith("PUBLISHED  as of 2026-06-30")
    assert "nanobind" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["checkout"]
    assert (checkout / "planrecon-demo" / "reports" / "latest" / "report.html").is_file()
    status = ["git", "-C", checkout, "status", "--porcelain", "--untracked-files=all"]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == "?? .gitignore\n"
    assert running_below(tmp_path) == []
