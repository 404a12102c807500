"""The flow on a real Prefect server: artifacts, deployment, serving, and the demo that starts its own.

One server for the module, on a free port, with its state in a temporary folder.
"""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, date, datetime
from datetime import time as clock_time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from storm import faults

from flows import configuration
from flows.deploy.deployments import register
from flows.errors import UsageError
from flows.steps import waiting
from providers import PROVIDERS
from sandbox.worlds import scenarios
from sql.storage.lock import run_lock

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

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
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
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


@pytest.fixture
def flow_here(server, monkeypatch):
    """The flow, called in this process against the server, without the second that its heartbeat takes."""
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_HOME,
        temporary_settings,
    )

    from flows.reconcile import reconcile

    url, environment = server
    monkeypatch.setenv("PREFECT_API_URL", url)
    changed = {
        PREFECT_API_URL: url,
        PREFECT_HOME: environment["PREFECT_HOME"],
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    }
    with temporary_settings(changed):
        yield lambda desk, **asked: reconcile(str(desk.file), return_state=True, **asked)


def flow_run(url, state):
    return asked(url, f"/flow_runs/{state.state_details.flow_run_id}")


def graph(url, run):
    """The steps of a run, each with the steps it is drawn behind."""
    nodes = asked(url, f"/flow_runs/{run['id']}/graph-v2")["nodes"]
    labels = {id_: node["label"] for id_, node in nodes}
    return {node["label"]: {labels[parent["id"]] for parent in node["parents"]} for _, node in nodes}


def everything_logged(url, run, name=""):
    wanted = {"logs": {"flow_run_id": {"any_": [run["id"]]}}, "limit": 200}
    return [line["message"].strip() for line in asked(url, "/logs/filter", wanted) if name in line["name"]]


def logged(url, run):
    return everything_logged(url, run, "planrecon")


@contextmanager
def receiver():
    """A webhook on loopback: its address, and the texts posted to it so far."""
    texts = []

    class Kept(BaseHTTPRequestHandler):
        def do_POST(self):
            texts.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Kept) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}/", texts
        served.shutdown()


def tell(desk, url, webhook):
    """Deploy with alerts through a webhook, twice, after a block that is not there; return the automations."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock
    from prefect.blocks.system import Secret

    by = clock_time(8, 30)
    with pytest.raises(UsageError, match=r"no notification block 'custom-webhook/evening'.*Blocks"):
        register(desk.file, notify="custom-webhook/evening", by=by)
    block = CustomWebhookNotificationBlock(name="morning", url=webhook, json_data={"text": "{{subject}}|{{body}}"})
    block.save("morning", overwrite=True)
    Secret(value=desk.sections["providers.payt"]["client_secret"]).save("payt-secret", overwrite=True)
    desk.configure(payt={"client_secret": "prefect-secret:payt-secret"})
    with pytest.raises(UsageError, match=r"there are custom-webhook/morning"):
        register(desk.file, notify="custom-webhook/evening", by=by)
    with pytest.raises(UsageError, match=r"--by 06:30 is not an hour behind"):
        register(desk.file, notify="custom-webhook/morning", by=clock_time(6, 30))
    told = []
    for _ in range(2):
        register(desk.file, notify="custom-webhook/morning", by=by)
        told.append({one["name"]: one for one in asked(url, "/automations/filter", {})})
    assert [{name: one["id"] for name, one in each.items()} for each in told[:1]] == [
        {name: one["id"] for name, one in told[1].items()}
    ]
    return told[1]


def no_load(*_, **__):
    raise ZeroDivisionError("a fault that nobody expected")


def events(url, run):
    """Names of the events of a run, once the one of its end is there."""
    wanted = {"filter": {"any_resource": {"id": [f"prefect.flow-run.{run['id']}"]}}}
    end = f"prefect.flow-run.{run['state']['name']}"

    def found():
        names = [one["event"] for one in asked(url, "/events/filter", wanted)["events"]]
        return names if end in names else None

    return until(30, found)


def test_where_an_api_is_configured_a_run_is_a_flow_run_that_shows_what_it_did(server, desk):
    url, environment = server
    desk = desk(scenarios.golden()).configure(reports={"formats": ["csv", "html"]})
    day = scenarios.GOLDEN_AS_OF.isoformat()
    ended = desk.command("run", "--as-of", day, "--fail-on", "never", env=environment, timeout=240)
    assert ended.returncode == 0, ended.stderr
    [run] = asked(url, "/flow_runs/filter", {})
    assert (run["name"], run["state"]["type"]) == (f"reconcile {day}", "COMPLETED")
    sources = {"payt": "payt/1001", "totality": "totality/127.0.0.1", "payiq": "payiq/payiq"}
    steps = {f"list tenants {provider}": set() for provider in sources}
    steps |= {f"pull {source}": {f"list tenants {provider}"} for provider, source in sources.items()}
    steps |= {f"load {source}": {f"pull {source}"} for source in sources.values()}
    steps |= {"compute, check and publish": {f"load {source}" for source in sources.values()}}
    assert graph(url, run) == steps
    lines = until(30, lambda: logged(url, run))
    assert "pulled payt/1001: 11 pages, 0.0 MB" in lines
    found = {one["key"]: one for one in asked(url, "/artifacts/filter", {})}
    assert set(found) == {"planrecon-summary", "planrecon-breaks", "planrecon-digest", "planrecon-page"}
    assert found["planrecon-digest"]["data"].startswith("## breaks since the last published run: ")
    summary = found["planrecon-summary"]["data"].splitlines()
    assert summary[0].startswith(f"## PUBLISHED  as of {day}")
    assert "| payt | EUR | 1 | 1 | 1 | 0.00 | 100.00 | 100.00 | 0.00 | 100.00 |" in summary
    assert f"({(desk.latest / 'report.html').as_uri()})" in found["planrecon-page"]["data"]
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


def test_a_held_a_busy_and_a_failed_run_are_no_green_ones_and_are_told_once(server, desk, flow_here):
    """An alert on failed runs fires where nothing was published, and the state's name says which of the reasons it is."""
    url, _ = server
    desk = desk(scenarios.golden()).configure(reports={"formats": ["csv", "html"]})
    with receiver() as (webhook, told):
        automations = tell(desk, url, webhook)
        assert set(automations) == {"planrecon: a run published nothing", "planrecon: no completed run in the morning"}
        silence = automations["planrecon: no completed run in the morning"]["trigger"]
        assert (silence["posture"], silence["within"]) == ("Proactive", 26.5 * 3600)
        first_line, failed = ends(url, desk, flow_here)
        until(60, lambda: len(told) >= 1 + failed)
        time.sleep(2)
    subjects = [text.partition("|")[0].partition(":")[0] for text in told]
    assert sorted(subjects) == ["planrecon Failed"] * failed + ["planrecon Held"]
    [text] = [text for text in told if text.startswith("planrecon Held: reconcile 2025-06-07|")]
    assert first_line in text
    assert "/report.html" in text
    assert "None" not in text, "a server that does not know its own address has no link to the run"


def set_aside(url, run):
    """Providers of whose snapshots the server has been told so far that they were set aside."""
    return {line.split("/")[0] for line in everything_logged(url, run) if "set aside" in line}


def ends(url, desk, flow_here):
    """Let runs end in every way; return the first line of the one that was held and how many failed."""
    held = flow_here(desk, as_of=scenarios.GOLDEN_AS_OF, providers=["payt"])  # of the others nothing was ever fetched
    run = flow_run(url, held)
    first_line = held.result(raise_on_failure=False).first_line
    assert (run["state"]["type"], run["state"]["name"]) == ("FAILED", "Held")
    assert run["state"]["message"].startswith("HELD  as of 2025-06-07")
    assert "prefect.flow-run.Held" in events(url, run)
    assert held.result(raise_on_failure=False).exit_code == 3

    reads, content = [], configuration._content
    with (
        run_lock(desk.state_dir, run_id="another", started_at=datetime(2026, 6, 30, tzinfo=UTC)),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(configuration, "_content", lambda file: reads.append(file) or content(file))
        busy = flow_run(url, flow_here(desk))
    assert re.fullmatch(r"reconcile 20\d\d-\d\d-\d\d", busy["name"])
    assert reads == [desk.file]  # for the day in its name and for the run
    assert (busy["state"]["type"], busy["state"]["name"]) == ("CANCELLED", "Busy")
    assert f"held by process {os.getpid()}" in busy["state"]["message"]

    failed = flow_run(url, flow_here(desk, as_of=date(9000, 1, 1)))
    assert (failed["state"]["type"], failed["state"]["name"]) == ("FAILED", "Failed")
    assert "9000-01-01 lies in the future" in failed["state"]["message"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "load_snapshot", no_load)
        failed = flow_run(url, flow_here(desk, as_of=scenarios.GOLDEN_AS_OF))
    assert failed["state"]["type"] == "FAILED"
    until(30, lambda: set_aside(url, failed) >= set(PROVIDERS))
    assert not [line for line in everything_logged(url, failed) if "Traceback" in line]

    clean = flow_run(url, flow_here(desk, as_of=scenarios.GOLDEN_AS_OF, fail_on="low"))
    assert (clean["state"]["type"], clean["state"]["name"]) == ("COMPLETED", "Completed")

    with desk.world.changing():
        rejected = {"rejected_at": "2025-06-07T12:00:00Z", "updated_at": "2025-06-07T12:00:00Z"}
        desk.world.payt.payment_plans[0] |= rejected
    broken = flow_run(url, flow_here(desk, as_of=scenarios.GOLDEN_AS_OF, full=True))
    assert (broken["state"]["type"], broken["state"]["name"]) == ("COMPLETED", "CompletedWithBreaks")
    assert "prefect.flow-run.CompletedWithBreaks" in events(url, broken)
    return first_line, 2


def in_prefect(url, run_id):
    """Type and name of the state that the server knows."""
    state = asked(url, f"/flow_runs/{run_id}")["state"]
    return state["type"], state["name"]


@pytest.mark.fault(61)
@pytest.mark.fault(65)
def test_a_run_started_twice_is_busy_and_one_that_was_killed_is_crashed_once_the_next_one_looks(
    server, desk, flow_here
):
    """Nothing is said of a process that lives, of another machine's, of another API's, or of a run that was begun again."""
    url, environment = server
    desk = desk(scenarios.golden())
    asking = desk.sandbox.faults.add(faults.hang(), provider="payt")
    child = desk.start("run", env=environment)
    try:
        until(120, lambda: asking.fired or child.poll() is not None)
        [path] = (desk.state_dir / "flow_runs").iterdir()
        second = flow_run(url, flow_here(desk))
        assert (second["state"]["type"], second["state"]["name"]) == ("CANCELLED", "Busy")
        assert f"held by process {child.pid}" in second["state"]["message"]
        assert [path] == list((desk.state_dir / "flow_runs").iterdir())
        assert in_prefect(url, path.stem) == ("RUNNING", "Running")
    finally:
        child.kill()
        child.communicate(timeout=60)

    def another(**changed):
        """A flow run that is `Running`, and the record of it."""
        state = {"type": "RUNNING", "name": "Running"}
        run = asked(url, "/flow_runs/", {"flow_id": second["flow_id"], "state": state})
        record = path.with_stem(run["id"])
        record.write_text(json.dumps(json.loads(path.read_text()) | {"state_id": run["state_id"]} | changed))
        return record

    living, begun_again = another(), another(state_id="00000000-0000-4000-8000-000000000000")
    abroad = [another(host="elsewhere"), another(api="http://192.0.2.1/api")]
    unknown, torn = path.with_stem("00000000-0000-4000-8000-000000000000"), path.with_stem("torn")
    unknown.write_text(path.read_text())
    torn.touch()
    with living.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert flow_here(desk, as_of=scenarios.GOLDEN_AS_OF).name == "Completed"
    killed = asked(url, f"/flow_runs/{path.stem}")["state"]
    assert (killed["type"], killed["name"]) == ("CRASHED", "Crashed")
    assert f"process {child.pid} on {socket.gethostname()} was killed" in killed["message"]
    assert {in_prefect(url, one.stem) for one in [living, begun_again, *abroad]} == {("RUNNING", "Running")}
    assert in_prefect(url, second["id"]) == ("CANCELLED", "Busy")
    assert sorted(path.parent.iterdir()) == sorted([living, *abroad])
    assert desk.is_sound()


@pytest.mark.fault(61)
def test_a_flow_run_that_prefect_takes_for_dead_and_starts_again_is_busy_while_its_first_process_lives(
    server, desk, flow_here
):
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow
    from prefect.states import Crashed, Scheduled

    from flows.reconcile import reconcile

    url, _ = server
    desk = desk(scenarios.golden())
    again = []

    def start_again():
        [path] = (desk.state_dir / "flow_runs").iterdir()
        with get_client(sync_client=True) as client:
            for state in (Crashed(), Scheduled()):
                client.set_flow_run_state(path.stem, state)
            same = client.read_flow_run(path.stem)
        again.append(run_flow(reconcile, same, {"config": str(desk.file)}, return_type="state"))
        again.append(in_prefect(url, path.stem))
        assert [path] == list(path.parent.iterdir())

    context = copy_context()
    with ThreadPoolExecutor(1) as other:
        starting = faults.before(lambda: other.submit(context.run, start_again).result())
        desk.sandbox.faults.add(starting, provider="payt")
        first = flow_here(desk, as_of=scenarios.GOLDEN_AS_OF)
    assert again[0].name == "Busy"
    assert again[1] == ("CANCELLED", "Busy")
    assert first.name == "Completed"
    assert in_prefect(url, first.state_details.flow_run_id) == ("COMPLETED", "Completed")
    assert list((desk.state_dir / "flow_runs").iterdir()) == []
    assert desk.query("SELECT state FROM v_runs") == [("PUBLISHED",)]


def test_one_deployment_runs_where_it_was_last_sent_in_a_worker_or_in_the_serving_process(server, desk, tmp_path):
    """From another folder than the configuration's: whatever a run leaves lies beside the configuration."""
    url, environment = server
    desk = desk(scenarios.golden())
    desk.configure(
        warehouse={"path": "planrecon.duckdb", "state_dir": "planrecon.state"},
        reports={"dir": "reports"},
        payiq={"accounts_file": "payiq_accounts.csv"},
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def deployed():
        return asked(url, "/deployments/name/reconcile/daily")

    def ordered():
        body = {"parameters": {"as_of": scenarios.GOLDEN_AS_OF.isoformat()}}
        return until(60, lambda: asked(url, f"/deployments/{deployed()['id']}/create_flow_run", body))["id"]

    def ended(run_id):
        run = asked(url, f"/flow_runs/{run_id}")
        return run if run["state"]["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None

    assert desk.command("deploy", env=environment, timeout=180).returncode == 0
    assert deployed()["work_pool_name"] == "planrecon"

    child = desk.start("serve", env=environment, cwd=elsewhere)
    try:
        until(120, lambda: child.poll() is not None or deployed()["work_pool_name"] is None)
        assert child.poll() is None, child.communicate()[1]
        run_id = ordered()
        served = until(120, lambda: ended(run_id))
    finally:
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, "Traceback" in out + err) == (143, False), out + err
    assert err.splitlines()[-1].startswith("stopped by SIGTERM")
    assert (served["name"], served["state"]["name"]) == ("reconcile 2025-06-07", "Completed"), served["state"]
    assert Path(deployed()["path"]).is_dir()
    assert not [one for one in asked(url, "/deployments/filter", {}) if one["paused"]], out + err

    assert desk.command("deploy", env=environment, timeout=180).returncode == 0
    assert deployed()["work_pool_name"] == "planrecon"
    run_id = ordered()
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "planrecon", "--run-once"]
    worker = subprocess.run(
        command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    worked = until(60, lambda: ended(run_id))
    assert worked["state"]["name"] == "Completed", worked["state"]["message"] + worker.stdout + worker.stderr
    assert list(elsewhere.iterdir()) == []
    assert desk.query("SELECT state FROM v_runs") == [("PUBLISHED",)] * 2
    assert desk.is_sound()


def test_deploy_registers_the_daily_schedule_and_a_form_with_menus(server, desk):
    url, environment = server
    desk = desk(scenarios.golden())
    ended = desk.command("deploy", env=environment, timeout=180)
    assert ended.returncode == 0, ended.stderr
    found = {one["name"]: one for one in asked(url, "/deployments/filter", {})}
    assert set(found) == {"daily", "hourly", "weekly", "create", "policy"}
    assert (found["hourly"]["parameters"]["refresh"], found["weekly"]["parameters"]["full"]) == (True, True)
    assert len(found["hourly"]["schedules"]) == len(found["weekly"]["schedules"]) == 1
    for name in ("create", "policy"):
        assert found[name]["schedules"] == []
        assert found[name]["parameters"]["send"] is False
        assert found[name]["parameter_openapi_schema"]["properties"]["provider"]["enum"] == list(PROVIDERS)
    deployment = found["daily"]
    assert deployment["entrypoint"] == "flows/reconcile.py:reconcile"
    assert deployment["parameters"] == {"config": str(desk.file)}
    [schedule] = deployment["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("0 6 * * *", "Europe/Amsterdam")
    assert deployment["concurrency_limit"] == 1 or deployment["global_concurrency_limit"]["limit"] == 1
    form = deployment["parameter_openapi_schema"]["properties"]
    assert form["providers"]["anyOf"][0]["items"]["enum"] == list(PROVIDERS)
    assert form["fail_on"]["anyOf"][0]["enum"] == ["low", "medium", "high", "critical", "never"]


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


@pytest.mark.fault(58)
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
    kept = [path for path in (checkout / "planrecon-demo" / "prefect").rglob("*") if path.is_file()]
    assert "prefect.db" in {path.name for path in kept}
    assert not [path for path in kept if path.stat().st_mode & 0o077]
    status = ["git", "-C", checkout, "status", "--porcelain", "--untracked-files=all"]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == "?? .gitignore\n"
    assert running_below(tmp_path) == []
