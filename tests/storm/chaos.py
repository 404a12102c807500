"""Changes at the providers under fire: every effect exactly once, and recorded as it was.

Each seed serves a small world, asks for a few changes through the real command, and meanwhile drops answers
before and after the provider acted, delays them, answers 429, 500, 503, 422 or rubbish, kills the command at any
step of the write path or from outside, starts it twice at a time and calls it again as an orchestrator would.
Afterwards the provider's own rows are compared with the log.

    make chaos
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from storm import faults
from storm.forked import Forked
from storm.worlds import ACTS, CHANGES, Act

from sandbox.fault_script import Faults
from sandbox.server import Sandbox, serve

BOUND = 0.5
"""Seconds that the provider may take to execute a request whose connection is gone, where the seed lets it be known."""
LATE = 0.25
ROUNDS = 8
BOUNDARIES = 90
"""About how many a command comes to that asks for few changes."""
REFUSALS = {
    "payt": (422, b'{"code":"unprocessable_entity","message":"not now"}'),
    "totality": (422, b'{"message":"Validation failed","errors":{"x":["not now"]}}'),
    "payiq": (
        200,
        b'{"ErrorCode":"Validation","ErrorNum":2,"ErrorID":"1","Errors":["not now"],"Result":null,"Success":false}',
    ),
}


def harm(rng: random.Random, provider: str) -> faults.Fault:
    """Return one fault of a call with an effect."""
    code, body = REFUSALS[provider]
    return rng.choice(
        [
            faults.drop(),
            faults.drop(execute=True),
            faults.late(LATE),
            faults.delay(0.2),
            faults.status(429, retry_after=0),
            faults.status(500),
            faults.status(503),
            faults.executed_but(500),
            faults.executed_but(503, body=b"<html>sorry</html>"),
            faults.executed_but(201, body=b"{"),
            faults.garbage(),
            faults.garbage(b'{"hello":1}', content_type="application/json", code=201),
            faults.cut(),
            faults.cut("chunked"),
            faults.cut("close", keep=0.3),
            faults.status(code, body=body),
            faults.hang(60),
        ]
    )


def look_harm(rng: random.Random) -> faults.Fault:
    """Return one fault of a call that only reads."""
    return rng.choice(
        [faults.status(500), faults.drop(), faults.cut(), faults.garbage(), faults.status(429, retry_after=0)]
    )


# --- one command in a process of its own


def hurry() -> None:
    """Make the commands of this process wait less, between looks and for answers."""
    from flows.commands.writes import plans
    from providers.base import Connection
    from writes.engine import Patience

    usual, connected = plans.patience, plans.connection_of

    def hurried(*args: Any) -> Patience:
        found = usual(*args)
        return Patience(found.worst_delay, (0.0, 0.02, 0.05), found.most_sends, 0.2, found.valid)

    def impatient(*args: Any, **named: Any) -> Connection:
        return replace(connected(*args, **named), deadline=1.0, read_timeout=1.0, retry_seconds=20.0)

    plans.patience, plans.connection_of = hurried, impatient


def start(argv: list[str], folder: Path, kill_at: int = 0) -> Forked:
    """Start one hurried command; what it says is added to a file in the folder."""
    return Forked(argv, folder / "output.txt", kill_at=kill_at, before=hurry)


def call(argv: list[str], folder: Path, kill_at: int = 0, *, kill_after: float | None = None) -> int:
    """Run one hurried command to its end, or kill it at a boundary or after some seconds; return its exit code."""
    return start(argv, folder, kill_at).ended(within=60, kill_after=kill_after)


# --- one seed


@dataclass(slots=True)
class Verdict:
    """What became of one seed: effects too many, effects lost, records that are wrong, changes left to a person."""

    act: str
    seed: int
    duplicates: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    parked: int = 0
    done: int = 0
    kills: int = 0
    faults: int = 0

    @property
    def is_right(self) -> bool:
        return not (self.duplicates or self.lost or self.wrong)


def run_seed(act: Act, seed: int, folder: Path) -> Verdict:
    """Let one seed happen and judge it."""
    rng = random.Random(f"{act.provider} {act.name} {seed}")
    verdict = Verdict(f"{act.provider} {act.name}", seed)
    script = Faults()
    with serve(act.world(), faults=script, rate_limit=None) as sandbox:
        knows_bound = rng.random() < 0.75
        configure(folder, sandbox, bound=BOUND if knows_bound else None)
        rules = [
            script.add(harm(rng, act.provider), match=act.route, provider=act.provider, after=rng.randrange(2))
            for _ in range(rng.randrange(1, 4))
        ]
        rules += [
            script.add(look_harm(rng), match=r"^GET |Setup", provider=act.provider, after=rng.randrange(12))
            for _ in range(rng.randrange(3))
        ]
        for command in act.commands(folder):
            _until_settled(command, rng, folder, verdict)
        verdict.faults = sum(rule.fired for rule in rules)
        script.clear()
        time.sleep(LATE * 1.5)
        again = [["plan", "resume", "--yes", "--config", str(folder / "planrecon.toml")], *act.commands(folder)]
        for command in (*again, again[0]):
            call(command, folder)
        with sandbox.world.lock:
            _judge(act, sandbox, folder, verdict, knows_bound=knows_bound)
    return verdict


def configure(folder: Path, sandbox: Sandbox, *, bound: float | None) -> None:
    """Write the configuration of a folder that works at the sandbox; `bound` is the longest that a provider may take."""
    keys = sandbox.credentials
    sandbox.accounts_file(folder / "accounts.csv")
    lines = [
        "[warehouse]", f'path = "{folder}/planrecon.duckdb"', f'state_dir = "{folder}/state"',
        "[reports]", f'dir = "{folder}/reports"',
        "[writes]", *([f"worst_delay_seconds = {bound}"] if bound is not None else []),
        "[providers.payt]", f'base_url = "{sandbox.urls["payt"]}"', "requests_per_second = 1000",
        f'client_id = "{keys["payt"]["client_id"]}"', f'client_secret = "{keys["payt"]["client_secret"]}"',
        "[providers.totality]", f'base_url = "{sandbox.urls["totality"]}"',
        f'client_id = "{keys["totality"]["client_id"]}"', f'client_secret = "{keys["totality"]["client_secret"]}"',
        "[providers.payiq]", f'base_url = "{sandbox.urls["payiq"]}"', f'accounts_file = "{folder}/accounts.csv"',
        f'api_key = "{keys["payiq"]["api_key"]}"', f'signing_secret = "{keys["payiq"]["signing_secret"]}"',
    ]  # fmt: skip
    (folder / "planrecon.toml").write_text("\n".join(lines) + "\n")


def _until_settled(command: list[str], rng: random.Random, folder: Path, verdict: Verdict) -> None:
    """Ask, and go on asking as people and orchestrators do, with some of the calls killed."""
    resume = ["plan", "resume", "--yes", "--config", command[-1]]
    for number in range(ROUNDS):
        kill_at = rng.randrange(1, BOUNDARIES) if number < 4 and rng.random() < 0.6 else 0
        asked = command if number == 0 or rng.random() < 0.5 else resume
        twin = start(asked, folder) if rng.random() < 0.15 else None
        outside = rng.random() * 0.3 if number < 3 and rng.random() < 0.2 else None
        code = call(asked, folder, kill_at, kill_after=outside)
        verdict.kills += code == -signal.SIGKILL
        if twin is not None:
            twin.ended(within=60)
        if code == 0 and asked is command:
            return


def _judge(act: Act, sandbox: Sandbox, folder: Path, verdict: Verdict, *, knows_bound: bool) -> None:
    """Compare the provider's rows with the log."""
    from writes.ledger import Ledger

    ledger = Ledger(folder / "state")
    ledger.verify()
    intents = ledger.intents()
    effects = act.effects(sandbox.world)
    others = effects.pop("others")
    verdict.duplicates = sum(max(0, count - 1) for count in effects.values())
    if others > 0:
        verdict.wrong.append(f"{others} effects that nobody asked for")
    verdict.done = sum(one.state == "done" for one in intents)
    open_now = [one for one in intents if one.is_open]
    verdict.parked = sum(one.state == "parked" for one in open_now)
    for one in open_now:
        undecidable = one.state == "parked" and (one.attempts >= 3 or (act.name == "create" and not knows_bound))
        if not undecidable:
            verdict.wrong.append(f"{one.intent_id} is {one.state}: {one.reason}")
    missing = sum(count == 0 for count in effects.values())
    verdict.lost = max(0, missing - verdict.parked)
    happened = sum(map(bool, effects.values()))
    recorded = len({one.draft.key for one in intents if one.state == "done"})
    if recorded != happened:
        verdict.wrong.append(f"{recorded} changes are recorded as done, {happened} happened")
    verdict.wrong += [f"{one.intent_id} differs: {one.differences}" for one in intents if one.differences]


def storm(seeds: int, acts: tuple[Act, ...] = ACTS, *, first: int = 0, keep: Path | None = None) -> Iterator[Verdict]:
    """Yield the verdict of every seed of every kind of change."""
    for act in acts:
        for seed in range(first, first + seeds):
            with tempfile.TemporaryDirectory(prefix="planrecon-chaos-", dir=keep) as name:
                verdict = run_seed(act, seed, Path(name))
                if not verdict.is_right:
                    for file in (Path(name) / "output.txt", Path(name) / "state/intents/audit.jsonl"):
                        print(file.read_text()[-6000:] if file.exists() else f"no {file}", file=sys.stderr)
            yield verdict


def main() -> int:
    """Run the storm and print a line per kind of change; 1 where anything was not exactly right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", default="", help="provider and operation, for example 'payt create'")
    asked = parser.parse_args()
    acts = tuple(act for act in ACTS if asked.only in f"{act.provider} {act.name}")
    print(
        f"{'change':<22} {'seeds':>5} {'asked':>6} {'done':>6} {'kills':>6} {'faults':>7} {'twice':>6} {'lost':>5} {'wrong':>6} {'parked':>7}  seconds"
    )
    bad = 0
    for act in acts:
        began = time.monotonic()
        found = list(storm(asked.seeds, (act,), first=asked.first))
        bad += sum(not one.is_right for one in found)
        for one in found:
            if not one.is_right:
                print(f"  seed {one.seed}: {one.duplicates} twice, {one.lost} lost, {'; '.join(one.wrong)}")
        total = [sum(getattr(one, name) for one in found) for name in ("done", "kills", "faults", "duplicates", "lost")]
        print(
            f"{act.provider + ' ' + act.name:<22} {len(found):>5} {len(found) * CHANGES:>6} {total[0]:>6} {total[1]:>6} {total[2]:>7} "
            f"{total[3]:>6} {total[4]:>5} {sum(len(one.wrong) for one in found):>6} {sum(one.parked for one in found):>7}  {time.monotonic() - began:>7.0f}",
            flush=True,
        )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
