"""A portfolio that lives: every day is right by a second answer, and every day's report stands for ever."""

import json
import os
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from oracles.model import Options
from oracles.truth import KEYS, describe, differences
from storm import faults
from storm.month import Month

from flows import clock
from flows.commands.cli import execute
from flows.steps.publish import Finished
from schemas.reports import REPORTS

pytestmark = pytest.mark.slow  # all of them look at the same days

DAYS = int(os.environ.get("PLANRECON_MONTH", "6"))
ASKED = 1 if DAYS > 10 else 2
"""In the suite every other day is made again and restated."""
DOWN = frozenset({2, 11, 12, 23})
"""Days, counted from 0, on which one provider does not answer."""
OPEN = {"NEW", "ONGOING", "CHANGED", "REOPENED", "NOT_EVALUATED"}
BY_SCHEDULE = {"AMOUNT_DIFF", "DUE_DATE_DIFF", "TERM_MISSING", "TERM_EXTRA", "AMBIGUOUS_PAIR", "PLAN_MUTATED"}
UNJUDGED = BY_SCHEDULE | {"POLICY_VIOLATION", "DUPLICATE_PAYMENT"}
"""Codes that the second answer does not find, or finds by another reading."""


@dataclass(frozen=True)
class Day:
    """One day as it was reported, and what the second answer says of it."""

    day: date
    run: Finished
    reports: dict[str, list[dict[str, str]]]
    files: dict[str, bytes]
    wanted: dict[str, list[dict[str, Any]]]
    unread: str


@pytest.fixture(scope="module")
def lived(open_desk, closed, tmp_path_factory):
    """Days that passed one by one: the desk, the month, and each day as it was reported."""
    month, options = Month(), Options(holidays=closed)
    with pytest.MonkeyPatch.context() as patch, open_desk(tmp_path_factory.mktemp("month"), month.world) as desk:
        patch.setattr(clock, "now", month.tick)
        patch.setattr(clock, "today", lambda _zone: month.day)
        days: list[Day] = []
        for number in range(DAYS):
            unread = ("totality", "payt", "payiq")[number % 3] if number in DOWN else ""
            if unread:
                desk.sandbox.faults.add(faults.status(403), provider=unread, times=faults.FOREVER)
            run = desk.run(month.day)
            desk.sandbox.faults.clear()
            reports = {name: desk.rows(name, run.folder) for name in REPORTS if REPORTS[name].has_csv}
            wanted = describe(month.facts(options), month.day, options)
            days.append(Day(month.day, run, reports, _files(run.folder), wanted, unread))
            month.pass_day()
        yield desk, month, days


def _files(folder: Path) -> dict[str, bytes]:
    tables = (path for path in folder.iterdir() if path.suffix in {".csv", ".parquet"})
    return {path.name: path.read_bytes() for path in sorted(tables)}


def test_every_day_is_right_by_the_second_answer(lived):
    _, month, days = lived
    wrong = []
    for day in days:
        for name, rows in day.wanted.items():
            given = [row for row in day.reports[name] if row["provider"] != day.unread]
            asked = [row for row in rows if row["provider"] != day.unread]
            if name == "breaks":
                given = [row for row in given if row["code"] not in UNJUDGED and row["state"] != "RESOLVED"]
                asked = [{column: row[column] for column in KEYS["breaks"]} for row in asked]
                asked = [row for row in asked if row["code"] not in UNJUDGED]
            if name.startswith("aging") and day.unread:
                asked = [row for row in asked if row["provider"] != day.unread]
            wrong += [f"{day.day}: {told}" for told in differences(name, asked, given)]
    assert not wrong, [*wrong, *month.told]


def test_the_days_hold_what_a_portfolio_goes_through(lived):
    _, month, days = lived
    words = Counter(told.split()[-1] for told in month.told)
    assert words["pays"] >= 2 * DAYS
    assert {"returned", "back", "replaced", "moved", "deleted"} <= set(words)
    outcomes = {row["outcome"] for day in days for row in day.reports["plans"]}
    assert outcomes >= {"ON_TRACK", "AT_RISK", "BROKEN", "KEPT", "SUPERSEDED", "CANCELLED"}
    assert {day.run.state for day in days} == {"PUBLISHED"}


def test_open_breaks_add_up_from_day_to_day(lived):
    _, _, days = lived
    before: dict[str, str] = {}
    for day in days:
        state = {row["fingerprint"]: row["state"] for row in day.reports["breaks"]}
        count = Counter(state.values())
        were_open = sum(word in OPEN for word in before.values())
        expired = sum(word == "REOPENED" and before.get(key) == "ACCEPTED" for key, word in state.items())
        moved = count["NEW"] + count["REOPENED"] - count["RESOLVED"]
        assert sum(word in OPEN for word in state.values()) == were_open + moved - count["ACCEPTED"], day.day
        assert expired == 0
        before = state


def test_kept_terms_add_up_and_rates_follow_from_them(lived):
    _, _, days = lived
    for day in days:
        assert {row["window_days"] for row in day.reports["kept"]} == {"7", "30", "90", "365"}
        for row in day.reports["kept"]:
            evaluated, kept = int(row["evaluated"]), int(row["kept"])
            assert evaluated == kept + int(row["partly_kept"]) + int(row["broken"])
            rate = "" if not evaluated else str(Decimal(kept * 10**6 * 2 + evaluated) // (evaluated * 2))
            assert row["kept_rate_count"].replace(".", "").lstrip("0") == rate.lstrip("0")
            assert int(row["firm_kept"]) <= kept


def test_every_days_report_can_be_made_again_to_the_byte(lived):
    desk, _, days = lived
    for day in days[:-1:ASKED]:
        known_at = desk.query(f"SELECT known_at FROM v_runs WHERE run_id = '{day.run.run_id}'")[0][0]
        again = _files(desk.report(day.day, known_at=known_at).folder)
        differ = [name for name, content in day.files.items() if again[name] != content]
        assert not differ, f"{day.day}: {differ}"


MONEY = ("amount_due", "overdue", "received", "outstanding", "pending")
COUNTS = ("days_past_due", "missed_terms")


def test_every_restatement_is_explained_to_the_minor_unit(lived, capsys):
    desk, _, days = lived
    causes: Counter[str] = Counter()
    for day in days[:-1:ASKED]:
        told = _restated(desk, day, capsys)
        causes.update(row["entity"] for row in told if row["level"] == "CAUSE")
        of_plans = {_plan(row): row for row in told if row["level"] == "PLAN" and row["figure"] != "outcome"}
        assert _sums(told, "CAUSE", _plan) == {key: Decimal(row["difference"]) for key, row in of_plans.items()}
        totals = {_total(row): Decimal(row["difference"]) for row in told if row["level"] == "TOTAL"}
        moved = _sums([row for row in told if row["figure"] in MONEY], "PLAN", _total)
        assert moved.items() <= totals.items()
        before, now = _figures(day.reports["plans"]), _figures(desk.rows("plans", desk.report(day.day).folder))
        differ = {key for key in before | now if before.get(key, 0) != now.get(key, 0)}
        assert differ == {key for key in of_plans if key[-1] in MONEY + COUNTS}, day.day
        for key in differ:
            old, new = Decimal(of_plans[key]["old"]), Decimal(of_plans[key]["new"])
            assert (old, new) == (before.get(key, 0), now.get(key, 0))
    assert causes["payments"] > 0, causes


def _restated(desk, day: Day, capsys) -> list[dict[str, Any]]:
    known_at = desk.query(f"SELECT known_at::VARCHAR FROM v_runs WHERE run_id = '{day.run.run_id}'")[0][0]
    moment = known_at.replace(" ", "T")
    moment = moment + ":00" if moment.endswith("+00") else moment
    capsys.readouterr()
    asked = ["restate", "--as-of", str(day.day), "--from", moment, "--format", "json", "--config", str(desk.file)]
    assert execute(asked) == 0
    return list(json.loads(capsys.readouterr().out))


def _plan(row: dict[str, Any]) -> tuple[str, ...]:
    return row["provider"], row["tenant_id"], row["plan_id"], row["figure"]


def _total(row: dict[str, Any]) -> tuple[str, ...]:
    return row["provider"], row["tenant_id"], row["currency"], row["figure"]


def _sums(told, level: str, key) -> dict[tuple[str, ...], Decimal]:
    """The differences of the rows of one level, added up by `key`."""
    sums: dict[tuple[str, ...], Decimal] = {}
    for row in told:
        if row["level"] == level and row["figure"] != "outcome":
            sums[key(row)] = sums.get(key(row), Decimal(0)) + Decimal(row["difference"])
    return sums


def _figures(plans) -> dict[tuple[str, ...], Decimal]:
    return {
        (row["provider"], row["tenant_id"], row["plan_id"], figure): Decimal(row[figure])
        for row in plans
        for figure in MONEY + COUNTS
        if row[figure] != ""
    }
