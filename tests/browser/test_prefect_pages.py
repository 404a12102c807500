"""What a run leaves in Prefect, as its own pages show it: digest, summary, breaks and the link to the report."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from playwright.sync_api import expect

from sandbox.server import serve
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden

SECONDS = 180


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_up(url):
    try:
        return httpx.get(f"{url}/health", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def orchestrator(tmp_path_factory):
    """The address and the environment of a Prefect server with its pages."""
    port, home = free_port(), tmp_path_factory.mktemp("orchestrator")
    api = f"http://127.0.0.1:{port}/api"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PLANRECON_"))}
    environment |= {"PREFECT_HOME": str(home), "PREFECT_API_URL": api, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    environment |= {"PREFECT_UI_API_URL": api, "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("w", encoding="utf-8") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            end = time.monotonic() + SECONDS
            while not is_up(api):
                assert time.monotonic() < end, (home / "log").read_text(encoding="utf-8")
                time.sleep(0.5)
            yield api, environment
        finally:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(60)


def test_the_artifacts_of_a_run_are_seen_in_its_orchestrator(orchestrator, browser, tmp_path):
    api, environment = orchestrator
    day = GOLDEN_AS_OF.isoformat()
    with serve(golden(), rate_limit=None) as sandbox:
        keys = sandbox.credentials["payt"]
        file = tmp_path / "planrecon.toml"
        file.write_text(
            f'[reports]\nformats = ["csv", "html"]\n[providers.payt]\nbase_url = "{sandbox.urls["payt"]}"\n'
            f'client_id = "{keys["client_id"]}"\nclient_secret = "{keys["client_secret"]}"\n',
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "flows.commands.cli", "run", "--config", str(file), "--as-of", day]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode in {0, 1}, ended.stderr
    found = httpx.post(f"{api}/artifacts/filter", json={}, timeout=30, trust_env=False).json()
    pages = {one["key"]: one["id"] for one in found}
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        shown = {
            "planrecon-digest": re.compile("breaks since the last published run: "),
            "planrecon-summary": re.compile(f"PUBLISHED +as of {day}"),
            "planrecon-page": re.compile(r"report\.html"),
            "planrecon-breaks": re.compile("planrecon-breaks"),
        }
        assert set(pages) == set(shown)
        for key, words in shown.items():
            page.goto(f"{api.removesuffix('/api')}/artifacts/artifact/{pages[key]}")
            expect(page.get_by_text(words).first).to_be_visible(timeout=60_000)
        page.goto(f"{api.removesuffix('/api')}/artifacts/artifact/{pages['planrecon-summary']}")
        expect(page.get_by_role("table").first).to_be_visible(timeout=60_000)
        page.screenshot(path=str(tmp_path / "summary.png"))
    finally:
        context.close()
