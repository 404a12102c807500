"""The sandbox process tells where it is on one line and never outlives whoever started it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sandbox.server import serve
from sandbox.world import World

ROOT = Path(__file__).parents[2]
Start = Callable[..., tuple[subprocess.Popen[str], dict]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts the process on a scenario file and reads its line."""
    scenario = tmp_path / "scenario.json"
    world = World(clock="2026-07-01T06:00:00Z")
    world.payt.administrations.append({"id": "11", "name": "North"})
    world.payiq.setups["token-1", "REF-1", ""] = {"Accounts": []}
    scenario.write_text(f'{{"world": {world.to_json()}}}', encoding="utf-8")
    started = []

    def run(*arguments: str) -> tuple[subprocess.Popen[str], dict]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--scenario", str(scenario), *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_one_line_names_addresses_credentials_and_accounts(start: Start) -> None:
    process, told = start()
    headers = {"Authorization": f"Bearer {told['credentials']['payt']['token']}"}
    answer = httpx.get(told["urls"]["payt"] + "/v1/administrations", headers=headers, trust_env=False)
    assert answer.json() == {"data": [{"id": "11", "name": "North"}]}
    accounts = Path(told["accounts_file"])
    assert accounts.read_text().splitlines() == ["CustomerToken,ReferenceNumber,OtherData", "token-1,REF-1,"]
    assert told["urls"]["totality"].endswith("/api")
    assert told["urls"]["payiq"].endswith("/PayIQ/")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert process.communicate() == ("", "")
    assert not accounts.exists()


def test_it_ends_with_its_input_when_guarded(start: Start) -> None:
    process, _ = start("--stdin-guard")
    assert process.poll() is None
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    assert process.wait(5) == 0


def test_it_ends_by_signal_while_it_watches_its_input(start: Start) -> None:
    process, _ = start("--stdin-guard")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert process.communicate()[1] == ""


def test_it_ends_when_its_parent_dies(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text('{"world": {}}', encoding="utf-8")
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'sandbox', '--scenario', {str(scenario)!r}],"
        " stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), end='', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = json.loads(process.stdout.readline())["pid"]
        process.kill()
    assert _gone_within(child, seconds=5)


def free_ports() -> int:
    """Return the first of three free ports, below those that the system gives out to others meanwhile."""
    for first in range(20_000 + os.getpid() % 5_000, 30_000, 3):
        with ExitStack() as stack:
            try:
                for port in range(first, first + 3):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
        return first
    raise AssertionError("no three free ports in a row")


def test_ports_can_be_chosen(start: Start) -> None:
    first = free_ports()
    _, told = start("--port", str(first))
    assert told["urls"]["payt"] == f"http://127.0.0.1:{first}"
    assert told["urls"]["payiq"] == f"http://127.0.0.1:{first + 2}/PayIQ/"


def test_a_taken_port_is_an_error_and_leaves_nothing_running() -> None:
    with serve(World()) as sandbox:
        taken = int(sandbox.urls["payiq"].split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="in use"), serve(World(), (0, 0, taken)):
            pass


def test_serving_ends_at_once_even_with_a_request_hanging() -> None:
    from storm import faults

    began = time.monotonic()
    with serve(World()) as sandbox, httpx.Client(trust_env=False) as client:
        sandbox.faults.add(faults.hang())
        with pytest.raises(httpx.ReadTimeout):
            client.get(sandbox.urls["payt"], timeout=0.1)
        client.get(sandbox.urls["totality"])
    assert time.monotonic() - began < 3


def _gone_within(pid: int, *, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False
