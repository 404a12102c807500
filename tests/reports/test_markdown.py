"""The summary as Markdown: real tables, and nothing that came from outside is taken for Markdown."""

from types import SimpleNamespace

from reports.markdown import escaped, listed, render
from reports.summary import BreakCounts, BreakKind

LINE = SimpleNamespace(
    provider="payt", currency="EUR", plans_in_force=2, plans_past_due=1, missed_terms=1,
    due_today="0.00", amount_due="1234.50", overdue="1234.50", pending="0.00", outstanding="2000.00",
)  # fmt: skip
SUMMARY = SimpleNamespace(
    headline="PUBLISHED  as of 2026-06-30: 2 plans in force at 1 provider, 1 open break, 0 high or critical",
    held_because=(),
    known_at="2026-06-30T04:00:00.000000Z",
    run_id="r1",
    code_version="0.1.0",
    portfolio=[LINE],
    breaks=BreakCounts(
        open=1,
        new=1,
        timing=0,
        accepted=0,
        resolved=0,
        by_severity={"critical": 0, "high": 0, "medium": 0, "low": 1},
        by_code=[BreakKind("low", "BALANCE_DRIFT", "", 1, 1)],
    ),
    causes=("a | b <script> [x](http://evil) *bold*",),
    write_backs=(),
    notes=(),
)


def test_the_summary_is_a_heading_and_two_tables():
    lines = render(SUMMARY).splitlines()
    assert lines[0] == f"## {SUMMARY.headline}"
    assert "| payt | EUR | 2 | 1 | 1 | 0.00 | 1,234.50 | 1,234.50 | 0.00 | 2,000.00 |" in lines
    assert "| low | BALANCE_DRIFT |  | 1 | 1 |" in lines


def test_text_from_outside_stays_text():
    assert listed(SUMMARY.causes) == r"- a \| b \<script\> \[x\](http://evil) \*bold\*"
    assert escaped("BALANCE_DRIFT _x_ `y`") == r"BALANCE_DRIFT \_x\_ \`y\`"
