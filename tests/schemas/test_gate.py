"""A gate lets through exactly what pandera would, and says with pandera's words what is wrong."""

import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

import schemas
from schemas.columns import COLUMNS
from schemas.intake import in_shape
from schemas.refusal import faults
from schemas.results import TERM_POSITIONS
from schemas.table import GateError, Table, sorted_by

ROWS = 4


def tables() -> list[Table]:
    modules = [importlib.import_module(f"schemas.{found.name}") for found in pkgutil.iter_modules(schemas.__path__)]
    found = {id(thing): thing for module in modules for thing in vars(module).values() if isinstance(thing, Table)}
    return sorted(found.values(), key=lambda table: table.name)


TABLES = tables()
BY_NAME = [pytest.param(table, id=table.name) for table in TABLES]


def values(name: str) -> list[object]:
    """Different sound values of one column."""
    column = COLUMNS[name]
    low = column.at_least if column.at_least is not None else 0
    high = column.at_most if column.at_most is not None else low + ROWS
    sound_values = {
        pl.Int64(): [min(low + row, high) for row in range(ROWS)],
        pl.String(): [f"{name} {row}" for row in range(ROWS)],
        pl.Date(): [date(2026, 6, 1) + timedelta(days=row) for row in range(ROWS)],
        pl.Boolean(): [row % 2 == 0 for row in range(ROWS)],
        pl.Datetime("us", "UTC"): [datetime(2026, 6, 1 + row, tzinfo=UTC) for row in range(ROWS)],
    }
    if column.values:
        return [column.values[row % len(column.values)] for row in range(ROWS)]
    return list(sound_values.get(column.dtype, [[] for _ in range(ROWS)]))


def sound(table: Table) -> pl.DataFrame:
    return pl.DataFrame({name: values(name) for name in table.columns}, schema=dict(table.dtypes))


def with_first(frame: pl.DataFrame, name: str, value: object) -> pl.DataFrame:
    return frame.with_columns(pl.Series(name, [value, *frame[name].to_list()[1:]], dtype=frame.schema[name]))


def variants(table: Table) -> Iterator[tuple[str, pl.DataFrame]]:
    """Frames that differ from a sound one in one thing, sound or not."""
    frame = sound(table)
    yield "sound", frame
    yield "no rows", frame.clear()
    yield "columns in another order", frame.select(reversed(frame.columns))
    yield "a row twice", pl.concat([frame, frame.head(1)])
    yield "rows in another order", frame.reverse()
    yield "a column too many", frame.with_columns(unheard_of=pl.lit(1))
    for name in (table.columns[0], table.columns[-1]):
        yield f"{name} missing", frame.drop(name)
        yield f"{name} null everywhere", frame.with_columns(pl.lit(None, COLUMNS[name].dtype).alias(name))
        other = pl.Int32() if COLUMNS[name].dtype == pl.Int64() else pl.Int64()
        yield f"{name} of another type", frame.with_columns(pl.lit(None, other).alias(name))
    nullable = [name for name in table.columns if table.is_nullable(name)]
    yield "null where allowed", frame.with_columns(with_first(frame, name, None)[name] for name in nullable)
    large = [name for name in table.sums if COLUMNS[name].at_most is not None]
    yield "large sums", frame.with_columns(with_first(frame, name, COLUMNS[name].at_most + 1)[name] for name in large)
    for name in table.columns:
        column = COLUMNS[name]
        if name not in nullable:
            yield f"{name} null", with_first(frame, name, None)
        if column.values:
            yield f"{name} unknown", with_first(frame, name, "unheard of")
        if column.at_least is not None:
            yield f"{name} too small", with_first(frame, name, column.at_least - 1)
        if column.at_most is not None and name not in large:
            yield f"{name} too large", with_first(frame, name, column.at_most + 1)


def is_fault(table: Table, what: str) -> bool:
    name, _, fault = what.partition(" ")
    return (
        fault in {"missing", "of another type", "unknown", "too small", "too large"}
        or what == "a column too many"
        or (what == "a row twice" and bool(table.key))
        or (fault.startswith("null") and not table.is_nullable(name))
    )


@pytest.mark.parametrize("table", BY_NAME)
def test_a_gate_accepts_sound_frames_as_they_are_and_nothing_that_pandera_would_refuse(table: Table) -> None:
    for what, frame in variants(table):
        if is_fault(table, what):
            with pytest.raises(GateError):
                table.gate(frame)
        else:
            assert table.gate(frame).equals(frame.select(table.columns)), what
            assert faults(table, frame) == [], what


def test_the_refusal_names_every_fault_at_once() -> None:
    table = next(table for table in TABLES if table.name == "plans")
    frame = sound(table).with_columns(plan_id=pl.lit(None, pl.String), basis=pl.lit("GUESS"))
    with pytest.raises(GateError) as refused:
        table.gate(frame)
    assert "plan_id" in str(refused.value)
    assert "basis" in str(refused.value)


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("name", "value"),
    [("PANDERA_VALIDATION_ENABLED", word) for word in ("False", "0", "no", "off", "")]
    + [("PANDERA_VALIDATION_DEPTH", "SCHEMA_ONLY")],
)
def test_a_gate_holds_whatever_the_environment_tells_pandera(name: str, value: str) -> None:
    """In a process of its own: pandera reads its environment once, when it is imported."""
    program = """
import polars as pl
from schemas.results import PLAN_POSITIONS as table
from schemas.table import GateError
row = {name: [None] for name in table.columns}
try:
    table.gate(pl.DataFrame(row, schema=dict(table.dtypes)))
except GateError as refused:
    assert "plan_id: not_nullable (1 time)" in str(refused), refused
else:
    raise SystemExit("the gate is open")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {name: value}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.fault(67)
def test_a_refusal_shows_no_value() -> None:
    """What stands in a row may be a person's."""
    table = next(table for table in TABLES if table.name == "plans")
    with pytest.raises(GateError) as refused:
        table.gate(sound(table).with_columns(basis=pl.lit("Mrs Jones")))
    assert "Mrs Jones" not in str(refused.value)
    assert "basis: isin(" in str(refused.value)


def test_a_staged_frame_gets_the_columns_its_provider_says_nothing_of_and_may_have_no_others():
    frame = pl.DataFrame({"plan_id": ["1"]})
    assert in_shape(frame, "plan_accounts").to_dicts() == [{"plan_id": "1", "account_id": None}]
    with pytest.raises(GateError, match="plan_accounts are refused: acount_id"):
        in_shape(frame.with_columns(acount_id=pl.lit("2")), "plan_accounts")
    with pytest.raises(GateError, match="refused: plan_id"):
        in_shape(pl.DataFrame({"plan_id": [1]}), "plan_accounts")


def test_what_becomes_of_a_staged_row_is_said_of_every_row():
    tier = pl.DataFrame({"page_no": [0, 0], "position": [3, 3], "ordinal": [0, 1], "minimum": ["5", None]})
    assert in_shape(tier, "tiers")["ordinal"].to_list() == [0, 1]
    with pytest.raises(GateError, match="tiers are refused: ordinal: not said of every row"):
        in_shape(tier.drop("ordinal"), "tiers")
    with pytest.raises(GateError, match="tiers are refused: position: not said of every row"):
        in_shape(tier.with_columns(position=pl.Series([3, None])), "tiers")


@pytest.mark.parametrize(
    "keys",
    [
        [3, 1, 2],
        [1, 2, 3],
        [4, 5, 6, 1, 2, 3],
        [4, 5, 6, 1, 2, 3, 7, 8, 9],
        [5, 9, 1, 6, 2, 7],
        [1, 4, 2, 5],
        [2, 2, 1, 1],
        [*range(20, 0, -1)],
        [],
    ],
)
def test_a_frame_is_put_in_order_of_its_key_whatever_order_it_came_in(keys):
    frame = pl.DataFrame({"key": keys, "told": [str(key) for key in keys]}, schema={"key": pl.Int64, "told": pl.String})
    assert sorted_by(frame, "key").rows() == [(key, str(key)) for key in sorted(keys)]


def test_a_gate_looks_at_the_columns_alone_that_are_named_as_changed() -> None:
    name = "expected_amount_minor"
    frame = with_first(sound(TERM_POSITIONS), name, COLUMNS[name].at_most + 1)
    with pytest.raises(GateError, match=f"{name}: "):
        TERM_POSITIONS.gate(frame, changed=["expected_due_date", name])
    assert TERM_POSITIONS.gate(frame, changed=["expected_due_date"]).equals(frame)
    with pytest.raises(GateError, match="column_in_schema"):
        TERM_POSITIONS.gate(frame.with_columns(unheard_of=1), changed=["expected_due_date"])
