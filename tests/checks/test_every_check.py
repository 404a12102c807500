"""One runner for every case file: `<check>.yml` stands beside `<check>.py` by name.

A file gives one `row` that is clean, and what to change for each case. Keys:
    row             the row of the table the check looks at; what is not said is filled with a harmless value
    frames          rows of other tables, by table name
    as_of, options  the date and the options, where a case depends on them
    breaks          case -> change: the row is broken, once
    times           case of `breaks` -> how many rows of it are broken, where not one
    clean           case -> change: the rule was asked and holds
    not_applicable  case -> change: the rule cannot be asked
    says            case of `breaks` -> what the break says, column by column
A change may hold `rows`: several rows, each a change of `row`; and `frames`: other rows for this case.
"""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from checks.base import Check, discover, run
from schemas.columns import COLUMNS
from schemas.core import ACCOUNTS, ORPHANS, OWN_CUSTOMERS, PLAN_ACCOUNTS, PLAN_FACTS, POLICIES, TERM_CHANGES
from schemas.options import Options
from schemas.results import PAYMENT_POSITIONS, PLAN_POSITIONS, TERM_POSITIONS
from schemas.schedules import DIFFERENCES, PLAN_RULES
from schemas.table import Table
from schemas.writes import AGREEMENTS

HERE = Path(__file__).parent
CHECKS = {check.name: check for check in discover()}
TABLES = {
    table.name: table
    for table in (
        *(TERM_POSITIONS, PLAN_POSITIONS, PAYMENT_POSITIONS, ACCOUNTS, PLAN_ACCOUNTS, ORPHANS),
        *(POLICIES, PLAN_FACTS, TERM_CHANGES, DIFFERENCES, PLAN_RULES, AGREEMENTS, OWN_CUSTOMERS),
    )
}
ENTITIES = ("plans", "terms", "payments", "accounts", "policies")
EXPECTED = {"breaks": (1, 0), "clean": (0, 0), "not_applicable": (0, None)}


def filler(table: Table, name: str) -> Any:
    """Return null where the table allows it, else the plainest value of the column's type."""
    column = COLUMNS[name]
    if table.is_nullable(name):
        return None
    if column.values:
        return column.values[0]
    plain: dict[Any, Any] = {pl.Boolean: False, pl.Int64: 0, pl.Date: date(2026, 1, 1), pl.String: f"a {name}"}
    return plain[column.dtype.base_type()]


def frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of `table`; what its gate would refuse is a mistake in the case file.

    The gate itself takes longer than all checks together, so its rules on single values are asked here by hand.
    """
    if not rows:
        return table.empty()
    for row in rows:
        assert set(row) <= set(table.columns), f"{set(row) - set(table.columns)} not in {table.name}"
    always = {
        "provider": "one",
        "tenant_id": "t",
        "currency": "EUR",
        "is_money": True,
        "is_reversal_amount_known": True,
    }
    full = [
        {name: row[name] if name in row else always.get(name, filler(table, name)) for name in table.columns}
        for row in rows
    ]
    for row in full:
        for name, value in row.items():
            assert value is not None or table.is_nullable(name), name
            assert value is None or not COLUMNS[name].values or value in COLUMNS[name].values, (name, value)
    return pl.DataFrame(full, schema=dict(table.dtypes))


def completeness(*, complete: bool = True) -> pl.DataFrame:
    """Return one row per entity of the one tenant of the case files."""
    return pl.DataFrame(
        {
            "provider": "one",
            "tenant_id": "t",
            "entity": list(ENTITIES),
            "complete": complete,
            "fresh_at": None,
        }
    )


def frames_of(check: Check, case_file: dict[str, Any], change: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """Return every table, empty unless the case file or the change fills it."""
    given = {**case_file.get("frames", {}), **change.get("frames", {})}
    row = case_file["row"]
    changes = change.get("rows") or [{k: v for k, v in change.items() if k != "frames"}]
    given[check.over.name] = [{**row, **one} for one in changes]
    return {name: frame(table, given.get(name, [])) for name, table in TABLES.items()} | {
        "completeness": completeness()
    }


@cache
def read(name: str) -> dict[str, Any]:
    return yaml.load((HERE / f"{name}.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yml")):
        content = read(path.stem)
        for group in EXPECTED:
            for case in content.get(group, {}):
                yield pytest.param(path.stem, group, case, id=f"{path.stem}-{group}-{case}")


def answer(check: Check, case_file: dict[str, Any], change: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    options = {"one": Options(**case_file.get("options", {}))}
    as_of = case_file.get("as_of", date(2026, 6, 30))
    return run([check], frames_of(check, case_file, change), as_of=as_of, options=options)


@pytest.mark.fault(33, 34)
@pytest.mark.parametrize(("name", "group", "case"), list(cases()))
def test_the_case_is_judged_as_its_file_says(name: str, group: str, case: str) -> None:
    check, case_file = CHECKS[name], read(name)
    change = case_file[group][case] or {}
    breaks, results = answer(check, case_file, change)
    result = results.select(pl.col("examined", "not_applicable", "breaks").sum()).row(0, named=True)
    assert result["examined"] > 0
    if group == "not_applicable":
        assert result["not_applicable"] == result["examined"]
        assert breaks.is_empty()
        return
    assert result["not_applicable"] < result["examined"]
    wanted = case_file.get("times", {}).get(case, EXPECTED[group][0])
    assert breaks.height == wanted == result["breaks"]
    if group == "breaks":
        row = breaks.row(0, named=True)
        assert row["code"] == check.code
        for column, value in (case_file.get("says", {}).get(case) or {}).items():
            assert row[column] == value, column


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_check_has_a_case_file_with_each_kind_of_case(name: str) -> None:
    case_file = read(name)
    wanted = {"breaks", "clean", "not_applicable"}
    if CHECKS[name].applies.meta.eq(pl.lit(value=True)):
        wanted.discard("not_applicable")
    if name == "orphan_payment":
        wanted.discard("clean")  # a row is there only because something is wrong
    assert {group for group in wanted if not case_file.get(group)} == set()
    assert set(case_file.get("says", {})) <= set(case_file["breaks"])
    assert case_file.get("says"), "no case says what its break tells the clerk"


def test_every_case_file_belongs_to_a_check() -> None:
    assert {path.stem for path in HERE.glob("*.yml")} == set(CHECKS)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_check_explains_itself(name: str) -> None:
    doc = importlib.import_module(f"checks.{name}").__doc__ or ""
    first, *_ = doc.splitlines()
    assert first.endswith(".")
    assert [word for word in ("Means:", "Causes:", "Action:") if f"\n{word} " not in doc] == []


def test_no_two_checks_share_code_and_reason_unless_they_look_at_different_things() -> None:
    """A payment and a term may both be dated ahead: the same rule, asked of each."""
    identities = [(check.code, check.reason, check.over.name) for check in CHECKS.values()]
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_break_is_real_unless_time_can_mend_it_and_difference_has_a_currency(name: str) -> None:
    case_file = read(name)
    for change in case_file["breaks"].values():
        breaks, _ = answer(CHECKS[name], case_file, change or {})
        row = breaks.row(0, named=True)
        assert row["kind"] in {"real", "timing"}
        assert (row["difference_minor"] is None) == (row["break_currency"] is None)
        assert row["explanation"].endswith(".")
        assert "unknown" not in row["explanation"]


def test_a_check_that_examines_nothing_still_reports_every_tenant_fetched() -> None:
    frames = {name: table.empty() for name, table in TABLES.items()} | {"completeness": completeness()}
    breaks, results = run(tuple(CHECKS.values()), frames, as_of=date(2026, 6, 30))
    assert breaks.is_empty()
    assert sorted(results["check"].to_list()) == sorted(CHECKS)
    assert results.select(pl.col("examined", "not_applicable", "breaks").sum()).row(0) == (0, 0, 0)
    assert results["is_evaluated"].all()


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_an_incomplete_fetch_forbids_conclusions_from_absence_only(name: str) -> None:
    check, case_file = CHECKS[name], read(name)
    case, change = next(iter(case_file["breaks"].items()))
    frames = frames_of(check, case_file, change or {}) | {"completeness": completeness(complete=False)}
    options = {"one": Options(**case_file.get("options", {}))}
    breaks, results = run([check], frames, as_of=case_file.get("as_of", date(2026, 6, 30)), options=options)
    assert not results["is_evaluated"].any()
    wanted = case_file.get("times", {}).get(case, 1)
    assert breaks.height == (0 if check.from_absence else wanted) == results["breaks"].sum()


def test_the_runner_fills_every_table_of_every_check() -> None:
    assert {check.over.name for check in CHECKS.values()} <= set(TABLES)
    assert replace(CHECKS["total_diff"], name="x").name == "x"
