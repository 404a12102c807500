"""The main job with nothing configured: sandboxes, a configuration that points at them, the flow."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from flows import log
from flows.errors import PlanreconError, UsageError
from sandbox.worlds.scenarios import DEMO_AS_OF

MARK = "planrecon-demo.json"
START_SECONDS = 60.0


@contextlib.contextmanager
def sandboxes(directory: Path, *, port: int = 0, scenario: Path | None = None) -> Iterator[Mapping[str, Any]]:
    """Serve the three provider sandboxes from a child process while the block runs.

    Yields:
        What the child said when it was up: `urls`, `credentials` and `accounts_file`.
    """
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--port",
        str(port),
        "--accounts-file",
        str(directory / "payiq_accounts.csv"),
        "--stdin-guard",
    ]
    if scenario is not None:
        command += ["--scenario", str(scenario)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())  # noqa: S603  our own module
    try:
        line = child.stdout.readline() if child.stdout else ""
        if not line:
            raise PlanreconError(
                f"the sandboxes did not start (exit {child.wait(START_SECONDS)}); see what they said above, and call it again"
            )
        told = json.loads(line)
        if "error" in told:
            raise UsageError(f"the sandboxes did not start: {told['error']}; correct --scenario or --port")
        yield told
    finally:
        _end(child)


def _end(child: subprocess.Popen[str]) -> None:
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def configuration(facts: Mapping[str, Any]) -> str:
    """Return a `planrecon.toml` that points at the sandboxes and keeps everything in its own folder."""
    urls, keys = facts["urls"], facts["credentials"]
    return f"""# Written by planrecon; the credentials are the sandboxes' own and open nothing else.
[run]
clock_skew_minutes = 0  # the sandboxes' clock stands still on the last day they know
[providers.payt]
base_url = "{urls["payt"]}"
client_id = "{keys["payt"]["client_id"]}"
client_secret = "{keys["payt"]["client_secret"]}"
[providers.totality]
base_url = "{urls["totality"]}"
client_id = "{keys["totality"]["client_id"]}"
client_secret = "{keys["totality"]["client_secret"]}"
calendar = "US"
[providers.payiq]
base_url = "{urls["payiq"]}"
api_key = "{keys["payiq"]["api_key"]}"
signing_secret = "{keys["payiq"]["signing_secret"]}"
accounts_file = "{Path(facts["accounts_file"]).name}"
calendar = "US"
"""


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read: it holds credentials."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def run_demo(directory: Path, *, as_of: date | None, fail_on: str | None) -> int:
    """Run the flow itself on Prefect's embedded server against fresh sandboxes and print what it found."""
    _fresh(directory)
    _embedded_prefect(directory)
    with sandboxes(directory) as facts:
        file = directory / "planrecon.toml"
        write_private(file, configuration(facts))
        from flows.commands.run import run_configured

        day = as_of or DEMO_AS_OF
        return run_configured(file, as_of=day, providers=(), as_flow=True, fail_on=fail_on)


def _fresh(directory: Path) -> None:
    """Empty a folder an earlier demo made; refuse any other folder that is not empty."""
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise UsageError(f"{str(directory)!r} is not a folder; give another with --directory")
    if directory.is_dir() and any(directory.iterdir()):
        if not (directory / MARK).is_file():
            raise UsageError(f"{str(directory)!r} holds files that no demo wrote; give another folder with --directory")
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARK).write_text('{"written_by": "planrecon demo"}\n', encoding="utf-8")


def _embedded_prefect(directory: Path) -> None:
    """Keep the embedded server's state below the demo's folder, whatever the user's own Prefect is set to."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    home = directory / "prefect"
    home.mkdir(mode=0o700)
    os.environ.update(
        PREFECT_HOME=str(home.resolve()),
        PREFECT_PROFILES_PATH=str((home / "profiles.toml").resolve()),
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="true",
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="180",
        PREFECT_LOGGING_LEVEL="WARNING",
        PREFECT_LOGGING_TO_API_ENABLED="false",
        PREFECT_SERVER_UI_ENABLED="false",
    )


def serve_sandbox(port: int, scenario: Path | None, directory: Path) -> int:
    """Serve the sandboxes until a signal ends them, and print how to run against them."""
    directory.mkdir(parents=True, exist_ok=True)
    with sandboxes(directory, port=port, scenario=scenario) as facts:
        file = directory / "planrecon.toml"
        write_private(file, configuration(facts))
        for provider, url in facts["urls"].items():
            print(f"{provider:<9}{url}")
        print(f"run against them: planrecon run --config {file} --as-of {DEMO_AS_OF}", flush=True)
        log.LOGGER.info("serving until Ctrl-C or SIGTERM")
        signal.pause()
    return 0
