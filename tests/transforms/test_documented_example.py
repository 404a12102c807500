"""The table of the worked example in the documents is what the program computes; its figures are held elsewhere by hand."""

import os
import re
from datetime import date
from pathlib import Path

from schemas.currencies import written
from schemas.options import Options

CONVENTIONS = Path(__file__).parents[2] / "docs" / "conventions.md"
TABLE = re.compile(r"^\| as of \|.*\n(?:\|.*\n)+", re.MULTILINE)
DAYS = (
    *("2025-03-01", "2025-04-01", "2025-04-02", "2025-04-05", "2025-04-30", "2025-05-01"),
    *("2025-05-02", "2025-05-09", "2025-05-10", "2025-06-01", "2025-06-06", "2025-06-07"),
)
MONEY = ("amount_due", "overdue", "overdue_past_grace", "outstanding")
COUNTS = ("days_past_due", "mba_months", "ots_months", "bucket")


def cells(golden, day):
    found = golden.at(date.fromisoformat(day), Options(grace_days=5))
    plan = found.plans.row(0, named=True)
    amounts = [written(plan[f"{name}_minor"], "EUR") for name in MONEY]
    return [day, *amounts, *(str(plan[name]) for name in COUNTS), *found.terms["state"]]


def test_the_worked_example_in_the_documents_is_what_is_computed(golden) -> None:
    """With PLANRECON_WRITE set, as `make docs` does, the table is written instead."""
    heads = ["as of", *(f"`{name}`" for name in (*MONEY, *COUNTS)), "March", "April", "May", "June"]
    rows = [heads, ["---"] * len(heads), *(cells(golden, day) for day in DAYS)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    text = CONVENTIONS.read_text(encoding="utf-8")
    filled = TABLE.sub(lambda _: table, text)
    if "PLANRECON_WRITE" in os.environ:
        CONVENTIONS.write_text(filled, encoding="utf-8")
    else:
        assert text == filled, "docs/conventions.md is stale; call make docs"
    assert table in filled
