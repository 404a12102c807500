"""The page of the demo's scenario in a real Chromium: one run and one browser for all tests of this folder.

No plain run of pytest comes here (`norecursedirs`); `make test-browser` does. Where no Chromium is installed
the run ends as failed: a page nobody looked at is not a page that passed.
"""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from flows.commands.demo import configuration
from flows.configuration import load
from flows.steps.pipeline import reconcile_portfolio
from flows.steps.request import Request
from flows.steps.runners import Direct
from sandbox.server import serve
from sandbox.worlds.scenarios import DEMO_AS_OF, demo

NAMES = ("chromium", "chromium-browser", "google-chrome")
PHONE, DESK = 390, 1280
HEIGHT = 900


def installed():
    """The path of the browser; none ends the whole run as failed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.exit("no Chromium on PATH; install one: apt-get install --no-install-recommends chromium", returncode=2)
    return found


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory):
    """Where the demo's scenario was run; its sandboxes are served as long as the tests last."""
    folder = tmp_path_factory.mktemp("demo")
    with serve(demo(), rate_limit=None) as sandbox:
        accounts = sandbox.accounts_file(folder / "payiq_accounts.csv")
        told = {"urls": sandbox.urls, "credentials": sandbox.credentials, "accounts_file": accounts}
        file = folder / "planrecon.toml"
        file.write_text(configuration(told), encoding="utf-8")
        reconcile_portfolio(Request(load(file), DEMO_AS_OF), Direct())
        yield folder


@pytest.fixture(scope="session")
def run_folder(demo_folder):
    """The published run of the demo's scenario."""
    return (demo_folder / "reports" / "latest").resolve()


@dataclass
class Window:
    """A page as a reader has it, and what the browser complained of or asked the network for."""

    page: object
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self):
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        return self


@pytest.fixture(scope="session")
def opened(browser):
    """A context manager that opens a file at a width, in a colour scheme, with or without scripts."""

    @contextmanager
    def window(file: Path, width=DESK, scheme="light", *, scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, java_script_enabled=scripts
        )
        shown = Window(context.new_page()).listen()
        shown.page.goto(file.as_uri())
        yield shown
        context.close()

    return window


@pytest.fixture(scope="session")
def report(run_folder):
    return run_folder / "report.html"
