"""Every file of `stg/` has a folder of cases: input tables and the rows the file makes of them.

`given` holds received tables; what a row leaves out is null, its position its index.
`expect` holds the rows in order of page and position (or of all columns); only the
columns named there are compared.
"""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from schemas.received import RECEIVED
from sql.connection import connect
from sql.scripts import seed, statements
from sql.staging import _STAGES

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("stg_*/*.yml"))
PLACES = ("page_no", "position", "ordinal")


def filled(name: str, rows: list[dict]) -> pl.DataFrame:
    dtypes = RECEIVED[name]
    full = [
        {column: ({"page_no": 0, "position": at, "ordinal": 0} | row).get(column) for column in dtypes}
        for at, row in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=dict(dtypes), orient="row")


def staged(name: str, case: dict) -> pl.DataFrame:
    options = {"timezone": "Europe/Amsterdam", "currency": "EUR", "fetched_on": date(2026, 6, 30)} | case.get(
        "options", {}
    )
    with connect(None) as con:
        for table in RECEIVED:
            con.register(table, filled(table, case["given"].get(table, [])))
        con.register("status_classes", seed("status_classes"))
        con.register("rule_words", seed("rule_words"))
        con.register("currency_symbols", pl.DataFrame({"symbol": ["$", "¥"], "currency": ["USD", "JPY"]}))
        for option, value in options.items():
            con.execute(f"SET VARIABLE {option} = $value", {"value": value})
        con.execute(statements("stg/macros.sql"))
        for stage in _STAGES:
            con.execute(f"CREATE OR REPLACE TEMP VIEW {stage} AS {statements(f'stg/{stage}.sql')}")
        return con.sql(f"SELECT * FROM {name}").pl()


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_file_makes_these_rows(path):
    case = yaml.safe_load(path.read_text())
    found = staged(path.parent.name, case)
    order = [name for name in PLACES if name in found.columns] or found.columns
    expected = case["expect"]
    assert found.height == len(expected)
    for row, wanted in zip(found.sort(order).iter_rows(named=True), expected, strict=True):
        assert {name: row[name] for name in wanted} == wanted


def test_every_file_has_a_case():
    covered = {path.parent.name for path in CASES}
    assert covered == set(_STAGES) == {path.stem for path in (HERE.parents[1] / "sql" / "stg").glob("stg_*.sql")}
