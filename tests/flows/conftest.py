"""A desk to work at: three served sandboxes, a configuration that points at them, runs and commands on it.

Everything goes the real way: HTTP on loopback, a DuckDB file, report files on disk. `run` and `report` call
the pipeline in this process; `command` starts the installed console script.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path

import holidays
import pytest
import stamina
from oracles.kept import kept_rows
from oracles.model import Options
from oracles.outcomes import plan_rows
from oracles.read import read
from oracles.replay import Rules
from oracles.truth import KEYS, differences, truth
from promises.sentences import CODES, misshapen

from flows.commands import cli
from flows.configuration import load
from flows.steps.pipeline import reconcile_portfolio, report_portfolio
from flows.steps.request import Request
from flows.steps.runners import Direct
from reports.manifest import verify
from reports.publish import run_folders
from sandbox.server import serve
from sql.readonly import read_query
from sql.storage.commit_log import CommitLog
from sql.storage.verification import Stored
from sql.storage.verification import verify as verification

SCRIPT = Path(sys.executable).with_name("planrecon")
TABLES = ("plans", "terms", "payments", "aging", "aging_terms")
"""Reports whose bytes depend on the facts, the settings and the date alone."""


def clean_environment():
    """The environment without anything that configures planrecon or Prefect."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PLANRECON_", "PREFECT_"))}


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(clean_environment()):
            patch.delenv(name)
        yield


LAST = re.compile(r"([a-z_]+): (\S.*)")


def in_form(code, text, exit_code):
    """Hold the last words of a command that failed to what they must be, whatever the test is about."""
    assert list(misshapen(code, text, exit_code)) == [], f"{code}: {text}"


@pytest.fixture(scope="session", autouse=True)
def _last_words_in_form() -> Iterator[None]:
    say = cli._say

    def said(text, exit_code=cli.USAGE, *, code=""):
        in_form(code, text, exit_code)
        return say(text, exit_code, code=code)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_say", said)
        yield


def _anywhere(value, desk):
    """A setting without what is another one at every desk: where it lies, and the ports of its providers."""
    return re.sub(r"127\.0\.0\.1:\d+", "", value.replace(str(desk.folder), "")) if isinstance(value, str) else value


@dataclass
class Desk:
    """One folder with its configuration, and the sandbox it points at; first runs that were made before lie in `begun`."""

    folder: Path
    sandbox: object
    begun: Path
    sections: dict = field(default_factory=dict)
    damage: str = ""

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        urls, keys = self.sandbox.urls, self.sandbox.credentials
        accounts = self.sandbox.accounts_file(self.folder / "payiq_accounts.csv")
        self.sections = {
            "run": {},
            "gates": {},
            "warehouse": {"path": f"{self.folder}/planrecon.duckdb", "state_dir": f"{self.folder}/planrecon.state"},
            "reports": {"dir": f"{self.folder}/reports", "formats": ["csv"]},
            "providers.payt": {
                "base_url": urls["payt"],
                "client_id": keys["payt"]["client_id"],
                "client_secret": keys["payt"]["client_secret"],
                "requests_per_second": 1000,
            },
            "providers.totality": {
                "base_url": urls["totality"],
                "client_id": keys["totality"]["client_id"],
                "client_secret": keys["totality"]["client_secret"],
                "calendar": "US",
            },
            "providers.payiq": {
                "base_url": urls["payiq"],
                "api_key": keys["payiq"]["api_key"],
                "signing_secret": keys["payiq"]["signing_secret"],
                "accounts_file": str(accounts),
                "calendar": "US",
            },
        }
        self.configure()

    @property
    def file(self):
        return self.folder / "planrecon.toml"

    @property
    def world(self):
        return self.sandbox.world

    @property
    def reports(self):
        return self.folder / "reports"

    @property
    def latest(self):
        return (self.reports / "latest").resolve()

    @property
    def state_dir(self):
        return self.folder / "planrecon.state"

    def configure(self, **sections):
        """Set keys, `None` removes one; a section is named by its last word: run=…, gates=…, payt=…."""
        for name, keys in sections.items():
            path = f"providers.{name}" if f"providers.{name}" in self.sections else name
            merged = self.sections.setdefault(path, {}) | keys
            self.sections[path] = {key: value for key, value in merged.items() if value is not None}
        lines = []
        for name, keys in self.sections.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self

    def without(self, *providers):
        for name in providers:
            del self.sections[f"providers.{name}"]
        return self.configure()

    def run(self, as_of, **asked):
        return reconcile_portfolio(Request(load(self.file), as_of, **asked), Direct())

    def begin(self, as_of):
        """Let the desk stand as it does after its first run, and return the folder that was published.

        Where this process made the same first run before (world, settings and date), its files are copied. For
        tests whose subject comes after it: no provider is asked then, and the run happened a while ago.
        """
        settings = {
            name: {key: _anywhere(value, self) for key, value in keys.items()} for name, keys in self.sections.items()
        }
        same = repr((as_of, settings, replace(self.world, version=0), self.sandbox.assumed))
        before = self.begun / hashlib.sha256(same.encode()).hexdigest()
        if not before.exists():
            assert self.run(as_of).state == "PUBLISHED"
            shutil.copytree(self.folder, before, symlinks=True)
        else:
            shutil.copytree(before, self.folder, symlinks=True, dirs_exist_ok=True)
            self.configure()
        return self.latest

    def report(self, as_of, **asked):
        return report_portfolio(Request(load(self.file), as_of, **asked))

    def rows(self, name, folder=None):
        """The rows of a CSV report, of the published run unless a folder is given."""
        with ((folder or self.latest) / f"{name}.csv").open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    def query(self, sql, folder=None):
        return read_query((folder or self.latest) / "read.duckdb", sql).rows()

    def tables(self, folder=None, names=TABLES):
        """The bytes of the reports that must come out the same, CSV and Parquet."""
        place = folder or self.latest
        return {
            f"{name}.{kind}": (place / f"{name}.{kind}").read_bytes() for name in names for kind in ("csv", "parquet")
        }

    def command(self, *arguments, configured=True, timeout=120, **options):
        """Run the console script to its end; `--config` is appended unless told otherwise."""
        child = self.start(*arguments, configured=configured, **options)
        try:
            out, err = child.communicate(timeout=timeout)
        except BaseException:
            child.kill()
            child.communicate()
            raise
        if (last := LAST.fullmatch(err.splitlines()[-1] if err else "")) and last[1] in CODES:
            in_form(last[1], last[2], child.returncode)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

    def start(self, *arguments, configured=True, env=None, program=(str(SCRIPT),), **options):
        """Start the console script in the desk's folder; its output is kept as text."""
        return subprocess.Popen(
            [*program, *arguments, *(["--config", str(self.file)] if configured else [])],
            cwd=options.pop("cwd", self.folder),
            env=clean_environment() | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def leftovers(self):
        """Names below the folder that only a crash leaves behind."""
        marks = (".tmp", ".planrecon-tmp", ".part", ".wal")
        found = [path for path in self.folder.rglob("*") if path.name.startswith(".") or path.name.endswith(marks)]
        spilled = list((self.state_dir / "spill").glob("*"))
        return sorted(str(path.relative_to(self.folder)) for path in found + spilled)

    def damaged(self, why):
        """Say that the test damages what is stored, and how: it is not verified when the desk closes."""
        self.damage = why
        return self

    def verified(self):
        """The faults that `planrecon verify` would tell of all but the older run folders; none where nothing was loaded."""
        kept = {"state_dir": "planrecon.state"} | self.sections["warehouse"]
        places = [self.folder / each for each in (kept["path"], kept["state_dir"], self.sections["reports"]["dir"])]
        if not (places[1] / "commits.jsonl").is_file():
            return []
        stored = Stored(*places[:2], (places[2] / "latest").resolve())
        return [fault for place in verification(stored) for fault in place.faults]

    def is_sound(self):
        """Every run folder is whole, the pointer is valid, the commit log's chain holds, nothing is left lying."""
        for folder in run_folders(self.reports):
            verify(folder)
        CommitLog(self.state_dir).verify()
        assert (self.reports / "latest").is_symlink()
        assert self.leftovers() == []
        return True


@pytest.fixture(scope="session")
def open_desk(tmp_path_factory):
    """A context manager that serves a world and yields a desk in the given folder, whose store must add up at the end."""

    begun = tmp_path_factory.mktemp("begun")

    @contextmanager
    def opened(folder, world, **serving):
        with serve(world, **({"rate_limit": None} | serving)) as sandbox:
            desk = Desk(folder, sandbox, begun)
            yield desk
        assert desk.damage or desk.verified() == []

    return opened


@pytest.fixture
def desk(open_desk, tmp_path):
    """Open desks on worlds for one test; the folder is the test's own."""
    with ExitStack() as opened:
        yield lambda world, name="desk", **serving: opened.enter_context(open_desk(tmp_path / name, world, **serving))


UNTOLD = {"AMOUNT_DIFF", "DUE_DATE_DIFF", "TERM_MISSING", "TERM_EXTRA", "AMBIGUOUS_PAIR"}


def is_told(row):
    """Tell whether the slow answer knows the rule: it makes no schedules and reads no policies."""
    is_policy = row["code"] == "POLICY_VIOLATION" and row["reason"] not in {
        "STOPPED_ACCOUNT",
        "TWO_ACTIVE_PLANS",
        "EQUAL_PLANS",
    }
    return row["code"] not in UNTOLD and not is_policy


@cache
def closed_days(country):
    return frozenset(holidays.country_holidays(country, years=range(2023, 2029)))


@pytest.fixture(scope="session")
def closed():
    """The closed days of each provider's calendar on a desk."""
    return {"payt": closed_days("NL"), "totality": closed_days("US"), "payiq": closed_days("US")}


@pytest.fixture(scope="session")
def compare(closed):
    """Every difference between a run folder and the slow answer on the desk's world.

    Of breaks only what identifies them: wording and severity are the product's own.
    """

    def compared(desk, folder, day, *, closed_days=(), **options):
        own = {date.fromisoformat(each[:10]) for each in closed_days}
        holidays = {name: days | own for name, days in closed.items()}
        wanted = truth(desk.world, day, Options(holidays=holidays, **options))
        wanted["breaks"] = [{name: row[name] for name in KEYS["breaks"]} for row in wanted["breaks"]]
        found = []
        for name, rows in wanted.items():
            given = desk.rows(name, folder)
            if name == "breaks":
                given = [row for row in given if is_told(row) and row["state"] != "RESOLVED"]
            found += differences(name, rows, given)
        return found

    return compared


@pytest.fixture(scope="session")
def compare_replay(closed):
    """Every difference between a run folder and the slow answer in how plans went and which terms were kept."""

    def compared(desk, folder, day, rules=None, **options):
        chosen, rules = Options(holidays=closed, **options), rules or Rules()
        facts = read(desk.world, chosen)
        plans = differences("plans", plan_rows(facts, day, chosen, rules), desk.rows("plans", folder))
        return plans + differences("kept", kept_rows(facts, day, chosen, rules), desk.rows("kept", folder))

    return compared


@pytest.fixture
def impatient() -> Iterator[None]:
    """Retries of this process do not wait, so that a provider that is down costs no time."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
