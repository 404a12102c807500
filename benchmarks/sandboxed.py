"""Sandboxes in a process of their own, serving a generated world that can move on by a day.

`python -m benchmarks.sandboxed` prints one JSON line and serves. A line on standard input
changes that share of the plans, moves the providers' clock a day on and is answered by the number of
plans changed; the end of standard input ends it.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox import CREDENTIALS
from sandbox.server import serve
from sandbox.world import PROVIDERS, Row, World
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds.generate import generate

AS_OF = date(2026, 6, 30)
SEED = 7


@dataclass(frozen=True, slots=True)
class Serving:
    """A running child: what it said, and a way to change its world."""

    facts: dict[str, Any]
    child: "subprocess.Popen[str]"

    def next_day(self, share: float) -> int:
        """Change that share of the plans a day later; return how many."""
        assert self.child.stdin and self.child.stdout
        self.child.stdin.write(f"{share}\n")
        self.child.stdin.flush()
        return int(self.child.stdout.readline())


@contextlib.contextmanager
def sandboxes(plans: int, folder: Path, providers: Sequence[str] = PROVIDERS) -> Iterator[Serving]:
    """Serve `plans` plans, spread over the providers, while the block runs."""
    command = [sys.executable, "-m", "benchmarks.sandboxed", "--plans", str(plans), "--folder", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, "--providers", *providers], stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout and child.stdin
        try:
            yield Serving(json.loads(child.stdout.readline()), child)
        finally:
            child.stdin.close()  # ends it


def configuration(facts: dict[str, Any], folder: Path, providers: Sequence[str] = PROVIDERS) -> str:
    """Return a `planrecon.toml` for these sandboxes; what a provider allows per second is lifted."""
    keys, urls = facts["credentials"], facts["urls"]
    sections = {
        "payt": f'client_id = "{keys["payt"]["client_id"]}"\nclient_secret = "{keys["payt"]["client_secret"]}"\n'
        "requests_per_second = 1000",
        "totality": f'client_id = "{keys["totality"]["client_id"]}"\n'
        f'client_secret = "{keys["totality"]["client_secret"]}"\ncalendar = "US"',
        "payiq": f'api_key = "{keys["payiq"]["api_key"]}"\nsigning_secret = "{keys["payiq"]["signing_secret"]}"\n'
        f'accounts_file = "{facts["accounts_file"]}"\ncalendar = "US"',
    }
    told = [f'[providers.{name}]\nbase_url = "{urls[name]}"\n{sections[name]}\n' for name in providers]
    here = folder.as_posix()
    head = f'[warehouse]\npath = "{here}/planrecon.duckdb"\nstate_dir = "{here}/state"\n[reports]\ndir = "{here}/reports"\n'
    return head + "".join(told)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plans", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--providers", nargs="+", default=PROVIDERS)
    chosen = parser.parse_args()
    world = generate(seed=SEED, plans=chosen.plans, as_of=AS_OF, providers=chosen.providers)
    with serve(world, rate_limit=None) as sandbox:
        accounts = sandbox.accounts_file(chosen.folder / "accounts.csv")
        facts = {"urls": sandbox.urls, "credentials": CREDENTIALS, "accounts_file": str(accounts)}
        facts["plans"] = {name: count for name, count in _plans(world).items() if count}
        print(json.dumps(facts), flush=True)
        for line in sys.stdin:
            print(move_on(world, float(line)), flush=True)


def _plans(world: World) -> dict[str, int]:
    """Return how many plans each provider has."""
    accounts = [account for setup in world.payiq.setups.values() for account in setup["Accounts"]]
    return {
        "payt": len(world.payt.payment_plans),
        "totality": len(world.totality.payment_plans),
        "payiq": len(accounts),
    }


def move_on(world: World, share: float) -> int:
    """Let a share of the plans pay their next term, at PayIQ an amount, a day after the world's clock."""
    draw = random.Random(f"{SEED} {world.clock}")  # other plans each day
    with world.changing():
        moment = world.now() + timedelta(days=1)
        world.clock = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        stamp = f"{moment - timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}"
        paid = _payt_pays(world, share, stamp, draw) + _totality_pays(world, share, stamp, draw)
        return paid + _payiq_pays(world, share, stamp, draw)


def _some(rows: Sequence[Row], share: float, draw: random.Random) -> list[Row]:
    return draw.sample(rows, round(len(rows) * share)) if rows else []


def _payt_pays(world: World, share: float, stamp: str, draw: random.Random) -> int:
    chosen = _some(world.payt.payment_plans, share, draw)
    for plan in chosen:
        plan["updated_at"] = stamp
        term = next((term for term in plan["payment_terms"] if float(term["amount_due"]) > 0), None)
        if term is not None:
            term |= {"amount_due": "0.00", "payment_date": stamp[:10]}
    return len(chosen)


def _totality_pays(world: World, share: float, stamp: str, draw: random.Random) -> int:
    chosen = {row["uuid"] for row in _some(world.totality.payment_plans, share, draw)}
    model = next((row for row in world.totality.payments if row["status"] == "Completed"), None)
    paid: set[str] = set()
    for plan in world.totality.payment_plans:
        if plan["uuid"] in chosen:
            plan["updatedAt"] = stamp
    for term in world.totality.scheduled_payments if model else ():
        plan_id = term["paymentPlanUuid"]
        if plan_id not in chosen or plan_id in paid or term["paymentUuid"]:
            continue
        paid.add(plan_id)
        number = f"{draw.getrandbits(128):032x}"
        payment = {"uuid": "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))}
        payment |= {"loanUuid": term["loanUuid"], "amount": term["amount"]}
        payment |= dict.fromkeys(("processedAt", "postedAt", "createdAt", "updatedAt"), stamp)
        world.totality.payments.append({**(model or {}), **payment})
        term |= {"updatedAt": stamp, "paymentUuid": payment["uuid"]}
    return len(chosen)


def _payiq_pays(world: World, share: float, stamp: str, draw: random.Random) -> int:
    """Book a payment on some accounts; the setup shows it, as the product assumes."""
    chosen = _some(sorted(world.payiq.setups), share, draw)
    for number, key in enumerate(chosen, 970_000_000):
        payment = payiq.payment(number, key, 1_000, date.fromisoformat(stamp[:10]))
        world.payiq.payments.setdefault(key, []).append(payment)
        world.payiq.setups[key]["Accounts"][0]["UpdateDate"] = stamp
    return len(chosen)


if __name__ == "__main__":
    main()
