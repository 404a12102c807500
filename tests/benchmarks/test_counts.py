"""What the benchmarks measure is the right work: rows, money and breaks are those that the generators put in. No times."""

import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from benchmarks import core, pages, portfolio, runs, tuned
from benchmarks.table import Figure, WrongResult
from benchmarks.trees import ROOT


def test_the_program_and_its_peers_find_in_a_portfolio_what_was_put_in():
    spent = core.measure([ROOT], 300, 1, peers=("tables",))
    found = spent["now all"][0].answer
    assert found["breaks"] == {"AMOUNT_DIFF": 1, "DUE_DATE_DIFF": 2, "TERM_MISSING": 1}
    assert {**found, "other faults": 0} == spent["tables"][0].answer


def test_every_peer_finds_the_same_in_a_portfolio():
    with tempfile.TemporaryDirectory() as folder:
        portfolio.write(Path(folder), 200)
        (Path(folder) / "out").mkdir()
        ways = (tuned.tuned, tuned.windows, tuned.duckdb)
        found = [way(Path(folder), Path(folder) / "out") for way in ways]
    said = portfolio.manifest(200)
    assert found[0].pop("breaks") == said["breaks"]
    assert found[0].pop("other faults") == 0
    assert found[0] == found[1] == found[2]
    assert found[0]["received"] == said["received"]


def test_a_run_over_http_reports_what_the_pages_hold():
    with runs.loaded([ROOT], 160) as (_, _, jobs):
        assert jobs[0].cpu_of("load") > 0
        with pytest.raises(WrongResult, match="'terms': "):
            runs.require_manifest(jobs[0].folder, pages.manifest(161))


def test_pages_hold_what_their_manifest_says():
    plans = [pages.Numbers(number).payment_plan() for number in range(120)]
    terms = [term for plan in plans for term in plan["payment_terms"]]
    paid = [row for number in range(120) for row in pages.Numbers(number).rows("payments")]
    said = pages.manifest(120)
    assert (said["plans"], said["terms"], said["payments"]) == (120, len(terms), len(paid))
    assert said["received"] == sum(int(row["total_amount"].replace(".", "")) for row in paid)
    assert said["promised"] == sum(int(term["total_amount"].replace(".", "")) for term in terms)
    undated = Counter(term["payment_date"] is None for term in terms if term["amount_due"] == "0.00")
    assert undated[True] == said["breaks"]["STATUS_CONTRADICTION PAID_WITHOUT_DATE"]


def test_a_list_is_walked_to_its_end_without_a_row_twice():
    ids, cursor = [], "0"
    while cursor:
        page = msgspec.json.decode(pages.page("payments", int(cursor), 450))
        ids += [row["id"] for row in page["data"]]
        cursor = page.get("pagination", {}).get("cursor")
    assert len(ids) == len(set(ids)) == pages.manifest(450)["payments"]


def test_a_result_that_is_not_the_generators_counts_for_nothing():
    with pytest.raises(WrongResult, match="no figure of this case counts"):
        runs.require("terms", 11, 12)


def test_a_row_says_what_was_before_what_is_asked_and_whether_it_is_met():
    taken = Figure("stage", 2.0, first=5.0, recorded=5.4, reach=2.0).lines()[0]
    assert taken.split() == ["stage", "5.00", "x", "<=", "2", "x", "2.00", "x", "met"]
    told = Figure("stage", 2.1, recorded=5.4, reach=2.0).lines()[0]
    assert told.split() == ["stage", "5.40", "x", "recorded", "<=", "2", "x", "2.10", "x", "missed"]
