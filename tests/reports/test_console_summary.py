"""The console summary: the first line alone tells whether to read on."""

import json
from datetime import UTC, date, datetime

import msgspec
import pytest

from reports.facts import Source
from reports.run import RunWriter
from reports.summary import Summary
from reports.terminal.console import render
from reports.texts import grouped, visible
from schemas.currencies import written


def summarise(folder, frame, facts, rows, **changes):
    with RunWriter(folder, as_of=date(2026, 6, 30), run_id="r1", formats=["csv"]) as writer:
        for name, dicts in rows.items():
            writer.write(name, frame(name, *dicts))
        written = writer.finish(facts(**changes))
        writer.publish()
        return writer.summary, json.loads((written / "summary.json").read_text("utf-8"))


ROWS = {
    "plans": [
        {
            "plan_id": "a",
            "amount_due_minor": 103_334,
            "overdue_minor": 100_000,
            "due_today_minor": 3_334,
            "missed_terms": 2,
        }
        | {"days_past_due": 12, "pending_minor": 50, "outstanding_minor": 1_234_567},
        {"plan_id": "b", "currency": "JPY", "outstanding_minor": 500},
        {"plan_id": "c", "is_in_force": False, "status": "DEACTIVATED", "outstanding_minor": 999},
    ],
    "breaks": [
        {"fingerprint": "1", "code": "TOTAL_DIFF", "kind": "real", "severity": "high"},
        {"fingerprint": "2", "code": "TOTAL_DIFF", "kind": "real", "severity": "high", "break_state": "ONGOING"},
        {"fingerprint": "3", "code": "STATUS_CONTRADICTION", "reason": "PAID_WITHOUT_DATE", "kind": "real"},
        {"fingerprint": "4", "code": "BALANCE_DRIFT", "kind": "timing"},
    ],
}


def test_the_summary_reads_like_this(tmp_path, frame, facts):
    summary, _ = summarise(tmp_path, frame, facts, ROWS)
    assert render(summary) == (
        "PUBLISHED  as of 2026-06-30: 2 plans in force at 1 provider, 3 open breaks, 2 high or critical\n"
        "\n"
        "known at 2026-06-30T04:01:09.000000Z, run r1, planrecon 0.1.0\n"
        "\n"
        "provider  currency  plans  past due  missed terms  due today  amount due   overdue  pending  outstanding\n"
        "payt      EUR           1         1             2      33.34    1,033.34  1,000.00     0.50    12,345.67\n"
        "payt      JPY           1         0             0          0           0         0        0          500\n"
        "\n"
        "3 open breaks: 0 critical, 2 high, 0 medium, 1 low (2 new, 1 timing, 0 accepted, 0 resolved)\n"
        "severity  code                  reason             open  new\n"
        "high      TOTAL_DIFF                                  2    1\n"
        "low       STATUS_CONTRADICTION  PAID_WITHOUT_DATE     1    1\n"
    )


def test_summary_json_holds_the_same_and_names_the_run(tmp_path, frame, facts):
    told = {"run": {"grace_days": 5}}
    summary, written = summarise(tmp_path, frame, facts, ROWS, current_rows={"payt plans": 3}, settings=told)
    assert written["settings"] == told
    assert written == json.loads(msgspec.json.encode(summary))
    left_out = ("compared_with", "break_movement", "write_backs", "notes")  # nothing is said where nothing is known
    assert list(written) == [name for name in Summary.__struct_fields__ if name not in left_out]
    assert written["state"] == "PUBLISHED"
    assert written["run_id"] == "r1"
    assert written["known_at"] == "2026-06-30T04:01:09.000000Z"
    assert written["current_rows"] == {"payt plans": 3}
    assert written["portfolio"][0]["amount_due"] == "1033.34"
    assert written["rows"]["plans"] == 3
    assert written["rows"]["cash"] == 0


def test_a_held_run_and_a_failed_provider_stand_in_the_first_line(tmp_path, frame, facts):
    fresh = datetime(2026, 6, 28, 4, tzinfo=UTC)
    sources = (
        Source("payiq", "payiq", fresh, "provider_unreachable", "x"),
        Source("payt", "a1", None, "contract", "y"),
    )
    summary, _ = summarise(tmp_path, frame, facts, {}, state="HELD", held_because=("too old",), sources=sources)
    lines = render(summary).splitlines()
    assert lines[0] == (
        "HELD  as of 2026-06-30: 0 plans in force at 0 providers, 0 open breaks, 0 high or critical; "
        "payiq not read (provider_unreachable), figures of 2026-06-28; payt a1 not read (contract), never read completely"
    )
    assert "held: too old" in lines


@pytest.mark.fault(36)
def test_escape_codes_and_line_breaks_never_reach_the_terminal(tmp_path, frame, facts):
    evil = "a\x1b[2J\r\nPUBLISHED\u202e"
    sources = (Source("payt", evil, None, "contract", evil),)
    summary, _ = summarise(tmp_path, frame, facts, {}, state="HELD", held_because=(evil,), sources=sources)
    shown = render(summary)
    assert not set("\x1b\r\u202e") & set(shown)
    assert not [line for line in shown.splitlines() if line.startswith("PUBLISHED")]


def test_amounts_read_as_people_write_them():
    assert [written(*pair) for pair in ((3334, "EUR"), (500, "JPY"), (1250, "KWD"), (-5, "EUR"), (0, "KWD"))] == [
        *("33.34", "500", "1.250", "-0.05", "0.000")
    ]
    assert written(10**30 + 5, "EUR") == f"1{'0' * 28}.05"  # a sum of many plans may be longer than a Decimal rounds to
    assert [grouped(amount) for amount in ("1234567.80", "-1234.5", "999", "-0.05")] == [
        *("1,234,567.80", "-1,234.5", "999", "-0.05")
    ]


def test_a_long_foreign_text_is_cut():
    assert visible("x" * 1000) == "x" * 300 + "…"
    assert visible(None) == ""


def test_changes_at_a_provider_that_need_a_person_are_told_and_others_are_not_mentioned(tmp_path, frame, facts):
    line = "2 write-backs are not finished: 1 parked, 1 unknown; see `planrecon plan list`"
    summary, stored = summarise(tmp_path / "some", frame, facts, ROWS, write_backs=(line,))
    assert render(summary).splitlines()[-1] == line
    assert stored["write_backs"] == [line]
    summary, stored = summarise(tmp_path / "none", frame, facts, ROWS)
    assert "write-back" not in render(summary)
    assert "write_backs" not in stored
