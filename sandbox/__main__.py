"""The sandbox as a process: `python -m sandbox`.

Prints one JSON line with addresses, credentials and the PayIQ accounts file,
then serves until SIGTERM, Ctrl-C, the end of standard input with
`--stdin-guard`, or the death of the process that started it.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.server import serve
from sandbox.world import World

AS_OF = date(2026, 6, 30)
WATCH_SECONDS = 0.25


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the chosen world until told to stop, and return the exit code."""
    chosen = _parser().parse_args(argv)
    ports = (chosen.port, chosen.port + 1, chosen.port + 2) if chosen.port else (0, 0, 0)
    stop = _stop_signals()
    parent = os.getppid()
    world = load(chosen.scenario, seed=chosen.seed, plans=chosen.plans, as_of=chosen.as_of)
    with (
        tempfile.TemporaryDirectory(prefix="planrecon-sandbox-") as folder,
        serve(world, ports, rate_limit=chosen.rate_limit or None) as sandbox,
    ):
        accounts = sandbox.accounts_file(chosen.accounts_file or Path(folder) / "payiq_accounts.csv")
        described = {"urls": sandbox.urls, "credentials": sandbox.credentials, "accounts_file": str(accounts)}
        sys.stdout.write(json.dumps(described | {"pid": os.getpid(), "clock": world.clock}) + "\n")
        sys.stdout.flush()
        if chosen.stdin_guard:
            threading.Thread(target=_until_end_of_input, args=(stop,), daemon=True).start()
        while not stop.wait(WATCH_SECONDS) and os.getppid() == parent:
            pass
    return 0


def load(scenario: str | None, *, seed: int, plans: int | None, as_of: date) -> World:
    """Return the world a scenario names: a file, `demo` or `golden`; else one generated, or the demo.

    A file holds `{"world": …}`, or `{"generate": {"seed", "plans", "as_of"}}`.
    """
    from sandbox.worlds import scenarios  # noqa: PLC0415 - generators are large, and a server alone needs none

    if scenario == "golden":
        return scenarios.golden()
    if scenario == "demo" or (scenario is None and plans is None):
        return scenarios.demo()
    if scenario is None:
        return scenarios.generate(seed=seed, plans=plans or 0, as_of=as_of)
    text = Path(scenario).read_text(encoding="utf-8")
    described: dict[str, Any] = json.loads(text, parse_float=Decimal)
    if "world" in described:
        return World.from_dict(described["world"])
    if "generate" not in described:
        raise ValueError(f'{scenario}: neither "world" nor "generate" is in it')
    wanted = {"seed": seed, "plans": plans or 100, "as_of": as_of.isoformat()} | described["generate"]
    return scenarios.generate(**wanted | {"as_of": date.fromisoformat(wanted["as_of"])})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The three providers on loopback.")
    parser.add_argument("--port", type=int, default=0, help="Payt's port; the others follow it; 0 for free ones")
    parser.add_argument("--scenario", help="a scenario file, or demo, or golden; without it and --plans the demo")
    parser.add_argument("--plans", type=int, help="plans per provider of a generated world")
    parser.add_argument("--seed", type=int, default=7, help="seed of a generated world")
    parser.add_argument("--as-of", type=date.fromisoformat, default=AS_OF, help="day a generated world is meant for")
    parser.add_argument("--accounts-file", type=Path, help="where to write the PayIQ accounts; else a temporary file")
    parser.add_argument("--rate-limit", type=int, default=10, help="Payt's requests per second and token; 0 lifts it")
    parser.add_argument("--stdin-guard", action="store_true", help="stop when standard input ends")
    return parser


def _stop_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _until_end_of_input(stop: threading.Event) -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    stop.set()


def told() -> int:
    """Serve, or say in one JSON line why that cannot be; whoever started this process reads it."""
    try:
        return main()
    except Exception as error:  # noqa: BLE001  a scenario may be wrong in any way, and a traceback is no answer
        sys.stdout.write(json.dumps({"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}) + "\n")
        sys.stdout.flush()
        return 2


if __name__ == "__main__":
    sys.exit(told())
