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

import sql
from providers import PROVIDERS
from schemas.intake import STAGED, in_shape
from sql.connection import connect
from sql.intake.received import received_types
from sql.intake.staging import staging_texts
from sql.scripts import seed, statements

HERE = Path(__file__).parent / "stg"
CASES = sorted(HERE.glob("*/*/*.yml"))
PLACES = ("page_no", "position", "ordinal")


def filled(columns: dict, rows: list[dict]) -> pl.DataFrame:
    dtypes = received_types(columns)
    full = [
        {column: ({"page_no": 0, "position": at, "ordinal": 0} | row).get(column) for column in dtypes}
        for at, row in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=dtypes, orient="row")


def staged(provider: str, name: str, case: dict) -> pl.DataFrame:
    options = {"timezone": "Europe/Amsterdam", "currency": "EUR", "fetched_on": date(2026, 6, 30)} | case.get(
        "options", {}
    )
    with connect(None) as con:
        for table, columns in PROVIDERS[provider].TABLES.items():
            con.register(table, filled(columns, case["given"].get(table, [])))
        for words in ("status_classes", "rule_words"):
            con.register(words, seed(provider, words))
        con.register("currency_symbols", pl.DataFrame({"symbol": ["$", "¥"], "currency": ["USD", "JPY"]}))
        for option, value in options.items():
            con.execute(f"SET VARIABLE {option} = $value", {"value": value})
        con.execute(statements("stg/macros.sql"))
        for file, text in staging_texts(provider).items():
            con.execute(f"CREATE OR REPLACE TEMP VIEW stg_{provider}__{file} AS {text}")
        rows = con.sql(f"FROM stg_{provider}__{name}").pl()
        return in_shape(rows, name) if name in STAGED else rows


@pytest.mark.fault(29)
@pytest.mark.parametrize("path", CASES, ids=lambda path: "-".join((*path.parts[-3:-1], path.stem)))
def test_the_file_makes_these_rows(path):
    case = yaml.safe_load(path.read_text())
    found = staged(path.parts[-3], path.parent.name, case)
    order = [name for name in PLACES if name in found.columns] or found.columns
    expected = case["expect"]
    assert found.height == len(expected)
    for row, wanted in zip(found.sort(order).iter_rows(named=True), expected, strict=True):
        assert {name: row[name] for name in wanted} == wanted


def test_every_file_has_a_case():
    files = {path.parts[-2:] for path in (Path(sql.__file__).parent / "stg").glob("*/*.sql")}
    assert {(*path.parts[-3:-2], f"{path.parent.name}.sql") for path in CASES} == files


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "America/New_York"])
@pytest.mark.parametrize(
    ("several", "one", "moment"),
    [("days", "civil", "timed"), ("days_or_midnights", "civil_or_midnight", "timed_unless_midnight")],
)
def test_texts_read_together_say_what_each_says_alone(zone, several, one, moment):
    texts = [
        *(None, "", "0001-01-01", "0001-01-01T00:00:00Z", "2026-01-01", "2026-02-30", "1899-12-31", "2999-12-31"),
        *(
            "3000-01-01",
            "2026-1-1",
            " 2026-01-01",
            "20260101",
            "infinity",
            "2026-01-01T23:30:00Z",
            "2026-06-01t22:00:00z",
        ),
        *("2026-01-01 23:30:00+00", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+02:00"),
        *(
            "2026-13-01T00:00:00Z",
            "1899-12-31T23:30:00Z",
            "2999-12-31T23:30:00Z",
            "3500-01-01T10:00:00Z",
            "2026-01-01T10",
        ),
    ]
    with connect(None) as con:
        con.execute(statements("stg/macros.sql"))
        con.execute("SET VARIABLE timezone = $zone", {"zone": zone})
        con.register("given_texts", pl.DataFrame({"w": texts}, schema={"w": pl.String}))
        together = f"SELECT told[1].day, told[1].moment, told[1].fault || 'c' FROM (SELECT {several}([w]) AS told FROM given_texts)"
        alone = f"SELECT {one}(w), {moment}(w), unread('c', w, {one}(w)) FROM given_texts"
        assert con.sql(together).fetchall() == con.sql(alone).fetchall()
