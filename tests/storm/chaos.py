"""Changes at the providers under fire: every effect exactly once, and recorded as it was.

Each seed serves a small world, asks for a few changes through the real command, and meanwhile drops answers
before and after the provider acted, delays them, answers 429, 500, 503, 422 or rubbish, kills the command at any
step of the write path or from outside, starts it twice at a time and calls it again as an orchestrator would.
Afterwards the provider's own rows are compared with the log.

    make chaos
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storm import faults
from storm.worlds import ACTS, CHANGES, Act

from sandbox.fault_script import Faults
from sandbox.server import Sandbox, serve

BOUND = 0.5
"""Seconds that the provider may take to execute a request whose connection is gone, where the seed lets it be known."""
LATE = 0.25
ROUNDS = 8
PRELOAD = [
    "flows.commands.cli",
    "flows.commands.writes.plans",
    "flows.commands.writes.intents",
    "flows.commands.writes.agreed",
    "providers.payt.writing",
    "providers.totality.writing",
    "providers.payiq.writing",
    # what the first request and the name of `obey` would import in every process
    "httpcore",
    "anyio",
    "h2.connection",
    "sandbox.server",
]


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


def obey(argv: list[str], output: str, kill_at: int) -> None:
    """Run one command in this process, which ends with its exit code, or by its own hand at a step of the write path."""
    sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    import flows.commands.cli
    import flows.commands.writes.plans
    from providers.base import Connection
    from providers.http.transport import Transport
    from writes import ledger
    from writes.engine import Patience

    passed = 0

    def step() -> None:
        nonlocal passed
        passed += 1
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: Any, name: str) -> None:
        inner = getattr(owner, name)

        def wrapped(*args: Any, **named: Any) -> Any:
            step()
            result = inner(*args, **named)
            step()
            return result

        setattr(owner, name, wrapped)

    around(ledger.Ledger, "_append")
    around(ledger.Ledger, "_forget")
    around(ledger, "write_atomic")
    around(Transport, "send")
    usual = flows.commands.writes.plans.patience

    def hurried(*args: Any) -> Patience:
        found = usual(*args)
        return Patience(found.worst_delay, (0.0, 0.02, 0.05), found.most_sends, 0.2, found.valid)

    flows.commands.writes.plans.patience = hurried
    connected = flows.commands.writes.plans.connection_of

    def impatient(*args: Any, **named: Any) -> Connection:
        from dataclasses import replace

        return replace(connected(*args, **named), deadline=1.0, read_timeout=1.0, retry_seconds=20.0)

    flows.commands.writes.plans.connection_of = impatient
    code = flows.commands.cli.execute(argv)
    sys.stdout.flush()
    os._exit(code)


def context() -> Any:
    """Return the way processes are made: from one that has imported everything once."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOAD)
    return made


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


def run_seed(act: Act, seed: int, folder: Path, makers: Any) -> Verdict:
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
            _until_settled(command, rng, folder, makers, verdict)
        verdict.faults = sum(rule.fired for rule in rules)
        script.clear()
        time.sleep(LATE * 1.5)
        again = [["plan", "resume", "--yes", "--config", str(folder / "planrecon.toml")], *act.commands(folder)]
        for command in (*again, again[0]):
            call(command, folder, makers, 0, timeout=60)
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


def _until_settled(command: list[str], rng: random.Random, folder: Path, makers: Any, verdict: Verdict) -> None:
    """Ask, and go on asking as people and orchestrators do, with some of the calls killed."""
    resume = ["plan", "resume", "--yes", "--config", command[-1]]
    for number in range(ROUNDS):
        kill_at = rng.randrange(1, 30) if number < 4 and rng.random() < 0.6 else 0
        asked = command if number == 0 or rng.random() < 0.5 else resume
        twin = _start(asked, folder, makers, 0) if rng.random() < 0.15 else None
        outside = rng.random() * 0.3 if number < 3 and rng.random() < 0.2 else None
        code = call(asked, folder, makers, kill_at, timeout=60, kill_after=outside)
        verdict.kills += code == -signal.SIGKILL
        if twin is not None:
            twin.join(60)
        if code == 0 and asked is command:
            return


def _start(argv: list[str], folder: Path, makers: Any, kill_at: int) -> Any:
    child = makers.Process(target=obey, args=(argv, str(folder / "output.txt"), kill_at))
    child.start()
    return child


def call(
    argv: list[str], folder: Path, makers: Any, kill_at: int, *, timeout: float, kill_after: float | None = None
) -> int:
    """Run one command to its end, or kill it at a step or after some seconds; return its exit code."""
    child = _start(argv, folder, makers, kill_at)
    if kill_after is not None:
        child.join(kill_after)
        if child.exitcode is None:
            child.kill()
    child.join(timeout)
    if child.exitcode is None:
        child.kill()
        child.join()
        raise TimeoutError(f"{' '.join(argv)} took more than {timeout} s; see {folder}")
    return int(child.exitcode)


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
    makers = context()
    for act in acts:
        for seed in range(first, first + seeds):
            with tempfile.TemporaryDirectory(prefix="planrecon-chaos-", dir=keep) as name:
                verdict = run_seed(act, seed, Path(name), makers)
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
