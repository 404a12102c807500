"""What README and the cookbook print is what the demo's scenario gives: its summary, and the answer to each question."""

import csv
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from flows.commands import answers
from sandbox.worlds import scenarios
from sql.readonly import read_query

ROOT = Path(__file__).parents[2]
README, COOKBOOK = ROOT / "README.md", ROOT / "docs" / "cookbook.md"
NOTEBOOK = ROOT / "docs" / "notebooks" / "morning.py"
HEADLESS = """
import json, runpy, sys
_, cells = runpy.run_path(sys.argv[1])["app"].run()
print(json.dumps({name: cells[name].rows() for name in ("figures", "calls", "ages", "answer")}, default=str))
"""
IS_WRITTEN = "PLANRECON_WRITE" in os.environ
VARYING = re.compile(r"^(known at|reports:|page:)")
"""Lines that name moments, run ids and paths."""
RECIPE = re.compile(r"^## (\d+)\. ([^\n]+)\n(.*?)^```sql\n(.*?)^```\n\n```text\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
"""Number, title, words, SQL and answer of a question."""
GIVEN = re.compile(r"^```csv\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@dataclass
class Demo:
    """The desk of the demo, what its run printed, and the folders of that morning and of the next."""

    desk: object
    printed: str
    first: Path
    second: Path


@pytest.fixture(scope="module")
def demo(open_desk, tmp_path_factory):
    customers, collectors = GIVEN.findall(COOKBOOK.read_text(encoding="utf-8"))
    with open_desk(tmp_path_factory.mktemp("demo"), scenarios.demo()) as standing:
        standing.configure(run={"clock_skew_minutes": 0})  # as the demo does: its clock stands still
        printed, first = standing.run(scenarios.DEMO_AS_OF).text, standing.latest.resolve()
        (standing.folder / "customers.csv").write_text(customers, encoding="utf-8")
        (standing.folder / "collectors.csv").write_text(collectors, encoding="utf-8")
        standing.configure(run={"clock_skew_minutes": 0, "customers_file": "customers.csv"})
        standing.report(scenarios.DEMO_AS_OF + timedelta(days=1))
        yield Demo(standing, printed, first, standing.latest.resolve())


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines() if line.strip() and not VARYING.match(line)]


def answer(demo, title, sql):
    """The rows of a question, of the morning its title names; what is no single SELECT is asked in DuckDB."""
    folder = demo.second if title.endswith("(second morning)") else demo.first
    if sql.startswith("SELECT"):
        return read_query(folder / "read.duckdb", sql)
    placed = sql.replace("reports/latest", str(folder)).replace(
        "collectors.csv", str(demo.desk.folder / "collectors.csv")
    )
    with duckdb.connect() as con:
        attach, select = placed.split(";\n", 1)
        con.execute(attach)
        return con.sql(select).pl()


def test_the_output_in_the_readme_is_what_the_demo_prints(demo):
    printed = README.read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    assert lines(printed) == lines(demo.printed)


def test_the_first_screen_has_the_claim_and_the_two_commands():
    first = README.read_text(encoding="utf-8").splitlines()[:12]
    assert first[0] == "# planrecon"
    assert any(line.startswith("make demo") for line in first)
    assert any(line.startswith("make test") for line in first)


def test_the_cookbook_prints_what_the_demo_answers(demo, capsys):
    """With PLANRECON_WRITE set, as `make docs` does, the answers are written instead."""

    def answered(recipe):
        number, title, words, sql, _ = recipe.groups()
        answers.write(answer(demo, title, sql), "table")
        shown = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
        return f"## {number}. {title}\n{words}```sql\n{sql}```\n\n```text\n{shown}```\n"

    text = COOKBOOK.read_text(encoding="utf-8")
    filled = RECIPE.sub(answered, text)
    if IS_WRITTEN:
        COOKBOOK.write_text(filled, encoding="utf-8")
    else:
        assert text == filled, "docs/cookbook.md is stale; call make docs"


def test_nineteen_of_twenty_questions_are_one_select_without_a_join():
    recipes = RECIPE.findall(COOKBOOK.read_text(encoding="utf-8"))
    plain = [
        sql for _, _, _, sql, _ in recipes if sql.startswith("SELECT") and " JOIN " not in sql and "WITH" not in sql
    ]
    assert [int(number) for number, *_ in recipes] == list(range(1, 21))
    assert len(plain) == 19
    assert all(rows.count("\n") > 1 for *_, rows in recipes)


def of_question(demo, number):
    recipes = RECIPE.findall(COOKBOOK.read_text(encoding="utf-8"))
    [(title, sql)] = [(title, sql) for found, title, _, sql, _ in recipes if found == str(number)]
    return answer(demo, title, sql).rows()


def rows_of(folder, name):
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


@pytest.fixture(scope="module")
def plans(demo):
    return [row for row in rows_of(demo.first, "plans") if row["is_in_force"] == "true"]


def summed(rows, *keys, of):
    """Number of rows and sum of a money column, by `keys`; texts of the CSV and Decimals, no SQL."""
    found = defaultdict(lambda: [0, Decimal(0)])
    for row in rows:
        group = found[tuple(row[key] for key in keys)]
        group[0] += 1
        group[1] += Decimal(row[of])
    return [(*key, *values) for key, values in sorted(found.items())]


def test_next_week_is_the_open_money_of_its_terms(demo, plans):
    of_plans = {(row["provider"], row["plan_id"]) for row in plans}
    first, last = (scenarios.DEMO_AS_OF + timedelta(days=days) for days in (1, 7))
    terms = [
        row
        for row in rows_of(demo.first, "terms")
        if (row["provider"], row["plan_id"]) in of_plans
        and first <= date.fromisoformat(row["due_date"]) <= last
        and Decimal(row["outstanding"]) > 0
    ]
    assert of_question(demo, 2) == summed(terms, "currency", "provider", of="outstanding")


def test_due_today_by_customer_adds_up_to_what_the_plans_say(demo, plans):
    due = [row for row in plans if Decimal(row["due_today"]) > 0]
    wanted = [(*key, money) for *key, _, money in summed(due, "provider", "customer_id", "currency", of="due_today")]
    assert sorted(row[:4] for row in of_question(demo, 3)) == wanted


def test_overdue_for_more_than_thirty_days_is_summed_from_the_plans(demo, plans):
    late = [row for row in plans if int(row["days_past_due"]) > 30]
    assert of_question(demo, 12) == summed(late, "currency", "provider", of="overdue")


def test_plans_that_finish_this_month_are_those_whose_last_term_does(demo, plans):
    last = defaultdict(str)
    for row in rows_of(demo.first, "terms"):
        if row["state"] not in {"VOID", "SUPERSEDED"}:
            key = (row["provider"], row["plan_id"])
            last[key] = max(last[key], row["due_date"])
    keys = {(row["provider"], row["plan_id"]) for row in plans}
    month = f"{scenarios.DEMO_AS_OF:%Y-%m}"
    assert {row[:2] for row in of_question(demo, 13)} == {key for key in keys if last[key].startswith(month)}


def test_last_week_is_the_settled_money_of_its_payments(demo):
    first = scenarios.DEMO_AS_OF - timedelta(days=6)
    paid = [
        row
        for row in rows_of(demo.first, "payments")
        if row["class"] == "received"
        and row["is_money"] == "true"
        and first <= date.fromisoformat(row["effective_date"]) <= scenarios.DEMO_AS_OF
    ]
    assert of_question(demo, 15) == summed(paid, "currency", "provider", of="amount")


def test_the_second_morning_tells_which_terms_were_newly_missed(demo):
    missed = [
        {(row["provider"], row["plan_id"]): row["missed_terms"] for row in rows_of(folder, "plans")}
        for folder in (demo.first, demo.second)
    ]
    wanted = [(*key, missed[0][key], number) for key, number in sorted(missed[1].items()) if number != missed[0][key]]
    assert [(row[0], row[1], row[4], row[5]) for row in of_question(demo, 7)] == wanted


def test_the_notebook_runs_headless_over_the_latest_run(demo, plans):
    told = {**os.environ, "REPORTS_LATEST": str(demo.first), "HOME": str(demo.desk.folder)}
    ran = subprocess.run(
        [sys.executable, "-c", HEADLESS, str(NOTEBOOK)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=told,
        cwd=demo.desk.folder,
    )
    assert ran.returncode == 0, ran.stderr
    shown = json.loads(ran.stdout.splitlines()[-1])
    overdue = [(*row[:2], Decimal(row[6])) for row in shown["figures"]]
    assert overdue == [(*key, money) for *key, _, money in summed(plans, "provider", "currency", of="overdue")]
    calls = {(row["provider"], row["plan_id"]) for row in plans if "CALL_TODAY" in row["work_lists"].split(";")}
    assert {tuple(row[:2]) for row in shown["calls"]} == calls
    assert sum(row[3] for row in shown["answer"]) == len(rows_of(demo.first, "breaks"))
    assert shown["ages"]
