"""Reading under fire: whatever happens while the providers are read, the next quiet run knows exactly what they hold.

Each seed serves a small world and reads it through the real fetch and load, while rows come, change and go between two
pages and answers are cut, dripped, refused, old, misdated or of another shape. The rows of the warehouse are then compared
with the slow answer's own reading of the world; nothing of the pipeline is asked for what is right.

    make chaos
    PYTHONPATH=tests .venv/bin/python -m storm.reading.reads --first 17 --seeds 1
"""

import argparse
import logging
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import stamina
from storm import faults
from storm.chaos import configure
from storm.reading.churn import Churn
from storm.reading.held import KEYS, Verdict, stored, truth

from flows import clock
from flows.configuration import load
from flows.errors import NothingRead
from flows.steps import pipeline
from flows.steps.request import Request
from flows.steps.runners import Direct
from providers.payiq import reading as payiq
from sandbox.assumed import Assumed
from sandbox.fault_script import Faults
from sandbox.server import serve
from sandbox.world import PROVIDERS, World
from sandbox.worlds.generate import generate

AS_OF = date(2026, 6, 30)
PLANS = 12
PAGE = 4
APART = timedelta(hours=3)
HARMED, OUTDATED, MOVED = 0.05, 0.02, 0.2
"""How many of the requests something goes wrong with, how many are answered as of old, how many meet a change."""
LISTS = r"^GET /(api/|PayIQ/Api/|v1/)|Setup"


class Storm:
    """One seed: a world, its sandbox, a folder with a warehouse, and what all rows ever were."""

    def __init__(self, seed, sandbox, folder, verdict):
        self.draw = random.Random(f"reads {seed}")
        self.world, self.script, self.folder, self.verdict = sandbox.world, sandbox.faults, folder, verdict
        self.churn = Churn(self.world, self.draw)
        self.ever = {name: {} for name in KEYS}
        configure(folder, sandbox, bound=None)
        file = folder / "planrecon.toml"
        text = file.read_text()
        for name in ("payt", "payiq"):
            text = text.replace(f"[providers.{name}]", f"[providers.{name}]\npage_size = {PAGE}")
        file.write_text(text)
        self.settings = load(file)
        self.remember()

    def remember(self):
        for name, rows in truth(self.world).items():
            for key, row in rows.items():
                self.ever[name].setdefault(key, set()).add(row)

    def read(self, *, full=False):
        """Fetch and load as a run does; return what it says is not whole, by provider."""
        with self.world.changing():
            self.world.clock = f"{self.world.now() + APART:%Y-%m-%dT%H:%M:%SZ}"
        self.verdict.reads += 1
        told = {}

        def publish(_this, _warehouse, *, failures, fetched):
            told.update(failures)
            return SimpleNamespace(markdown="", breaks=[], notices=None, page=None)

        with patch.object(pipeline, "publish", publish):
            try:
                pipeline.reconcile_portfolio(Request(self.settings, AS_OF, full=full), Direct(1))
            except NothingRead:
                told = dict.fromkeys((name, "") for name in PROVIDERS)
        told = {provider for provider, _ in told}
        self.verdict.incomplete += len(told)
        return told

    def spoil(self, *, moving):
        """Let things go wrong with requests of the next read, and where it is `moving` let rows change between them."""
        old, again = World.from_json(self.world.to_json()), []

        async def act(exchange):
            provider, drawn = exchange.recorded.provider, self.draw.random()
            if not again and drawn < HARMED:
                again[:] = [self.harm()] * self.draw.choice((1, 1, 1, 2, 6))
            if again:
                self.verdict.faults += 1
                await again.pop()(exchange)
            elif moving and drawn < HARMED + OUTDATED:
                await outdated(exchange, old, provider)
            else:
                if moving and drawn < HARMED + OUTDATED + MOVED:
                    self.churn.one(provider, exchange.recorded.path)
                    self.remember()
                await exchange.answer(await exchange.execute())

        self.script.add(act, match=LISTS, times=faults.FOREVER)

    def holds_what_was(self, path):
        """Whatever was missed, no row of the warehouse is one that never was."""
        for name, rows in stored(path)[0].items():
            for row in rows:
                key, rest = row[: KEYS[name]], row[KEYS[name] :]
                if rest not in self.ever[name].get(key, ()):
                    self.verdict.wrong.append(f"{name} {key} is {rest} and never was")

    def harm(self):
        """One thing that goes wrong with an answer."""
        later = self.world.now() + self.draw.choice((-400, -1, 1)) * timedelta(days=1)
        return self.draw.choice(
            (
                faults.status(500), faults.status(503), faults.status(429, retry_after=0), faults.drop(), faults.cut(), faults.cut("chunked"),
                faults.cut("close"), faults.cut_at(b"}", b"}"), faults.garbage(), faults.garbage(b"\xff{}", content_type="application/json"),
                faults.drip(seconds=0.001, size=400), faults.headed({"date": format_datetime(later, usegmt=True)}),
                faults.rewrite(grown), faults.rewrite(retyped),
            )
        )  # fmt: skip


async def outdated(exchange, old, provider):
    """Answer as the provider was before the read began, as a cache does."""
    world = exchange.world
    with world.changing():
        new = getattr(world, provider)
        setattr(world, provider, getattr(old, provider))
    try:
        answer = await exchange.execute()
    finally:
        with world.changing():
            setattr(world, provider, new)
    await exchange.answer(answer)


def each_row(page):
    rows = page if isinstance(page, list) else page.get("data", page.get("Result")) if isinstance(page, dict) else None
    return [row for row in (rows if isinstance(rows, list) else [rows]) if isinstance(row, dict)]


def grown(page):
    """A field that nobody knew."""
    for row in each_row(page):
        row["brandNew"] = {"since": "today"}
    return page


def retyped(page):
    """A field of another type than ever."""
    for row in each_row(page):
        for name in ("total_amount", "amount", "Total", "created_at", "status", "DayDue"):
            if name in row:
                row[name] = [row[name]]
    return page


@contextmanager
def at_the_clock_of(world):
    """The machine's clock goes with the providers', retries do not wait, and requests come one by one: so seeds repeat."""
    with (
        patch.object(payiq, "ThreadPoolExecutor", lambda _workers, **named: ThreadPoolExecutor(1, **named)),
        patch.object(clock, "now", world.now),
        patch.object(clock, "today", lambda _zone: AS_OF),
        stamina.set_testing(True, attempts=3, cap=True),
    ):
        yield


def run_seed(seed, folder):
    """Let one seed happen: a read of everything and one of what changed under fire, then a quiet one of each."""
    verdict = Verdict(seed)
    world, path = generate(seed=seed, plans=PLANS, as_of=AS_OF), folder / "planrecon.duckdb"
    serving = serve(world, faults=Faults(), rate_limit=None, assumed=Assumed(totality_page_size=PAGE))
    with at_the_clock_of(world), serving as sandbox:
        storm = Storm(seed, sandbox, folder, verdict)
        for moving in (True, storm.draw.random() < 0.5):
            storm.spoil(moving=moving)
            told = storm.read()
            storm.script.clear()
            storm.holds_what_was(path)
            if not (moving or told):
                verdict.compare(world, path, when="under fire, said to be whole", is_full=False)
            storm.churn.some(12)
            storm.remember()
        for full in (False, True):
            if storm.read(full=full):
                verdict.wrong.append(f"the quiet read, full {full}, is not whole")
            verdict.compare(world, path, when="quiet, full" if full else "quiet", is_full=full)
        verdict.changes = len(storm.churn.told)
    return verdict


def storm(seeds, first=0, keep=None):
    """Yield the verdict of every seed."""
    for seed in range(first, first + seeds):
        with tempfile.TemporaryDirectory(prefix="planrecon-reads-", dir=keep) as name:
            yield run_seed(seed, Path(name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, whole, bad = time.process_time(), Verdict(), 0
    for one in storm(asked.seeds, asked.first):
        whole.add(one)
        bad += not one.is_right
        print(
            f"seed {one.seed}: {one.changes} changes, {one.faults} faults, {'right' if one.is_right else 'WRONG'}",
            flush=True,
        )
        for name in ("lost", "doubled", "stale", "ghosts", "wrong"):
            for line in getattr(one, name)[:5]:
                print(f"seed {one.seed}: {name}: {line}", file=sys.stderr)
    print(
        f"{asked.seeds} seeds, {whole.reads} reads, {whole.changes} changes, {whole.faults} faults, {whole.incomplete} lists of a provider said "
        f"to be incomplete: of {whole.rows:,} rows {len(whole.lost)} lost, {len(whole.doubled)} doubled, {len(whole.stale)} stale, "
        f"{len(whole.ghosts)} ghosts, {len(whole.wrong)} wrong; {bad} seeds bad; {time.process_time() - began:.0f} CPU s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
