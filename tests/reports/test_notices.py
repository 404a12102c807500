"""The digest tells what moved, says so when nothing did, and keeps still about what goes on."""

from datetime import date

import polars as pl
import pytest

from reports.notices import MOST, notices
from schemas.results import LIVING_BREAKS


def living(*rows):
    given = {"as_of": date(2026, 6, 30), "provider": "payt", "tenant_id": "1001", "code": "STALE_PENDING"}
    given |= {"reason": "", "side": "provider", "kind": "real", "severity": "low", "explanation": "Said."}
    shape = LIVING_BREAKS.empty().schema
    full = [{name: (given | row).get(name) for name in shape} for row in rows]
    return pl.DataFrame(full, schema=shape)


def one(fingerprint, state, severity="low", **more):
    return {"fingerprint": fingerprint, "break_state": state, "severity": severity, "plan_id": fingerprint, **more}


def test_every_move_is_told_once_and_what_goes_on_is_not():
    rows = [
        one("a", "NEW", "high"),
        one("b", "CHANGED"),
        one("c", "RESOLVED"),
        one("d", "REOPENED"),
        one("e", "ONGOING", "medium"),
        one("f", "ONGOING", "medium"),
        one("g", "NOT_EVALUATED"),
        one("h", "ACCEPTED"),
        one("i", "CHANGED", "high"),
    ]
    before = {"b": "low", "c": "low", "e": "low", "f": "medium", "i": "low"}
    found = notices(living(*rows), before)
    assert found.first_line == (
        "breaks since the last published run: 1 new, 2 changed, 1 resolved, 1 reopened, 1 past its deadline"
    )
    text = found.markdown()
    assert [name for name in "abcdefghi" if f"plan {name}:" in text] == list("abcdei")
    assert text.index("plan i:") < text.index("plan b:"), "the worst first"


@pytest.mark.parametrize("rows", [[], [one("f", "ONGOING")]])
def test_a_quiet_run_says_that_nothing_moved(rows):
    found = notices(living(*rows), {"f": "low"})
    assert found.markdown() == "## breaks since the last published run: nothing moved\n"


def test_many_are_counted_and_the_worst_are_named():
    found = notices(living(*(one(f"p{number:03}", "NEW") for number in range(MOST + 7))), {})
    assert found.counts["NEW"] == MOST + 7
    assert found.markdown().count("low STALE_PENDING") == MOST
    assert "and 7 more, in breaks.csv" in found.markdown()
