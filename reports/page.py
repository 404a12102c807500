"""The morning page: one HTML file without further files, whole also where its script does not run.

Layout is in `templates/`; here is what it shows. Its size does not grow with the
portfolio: long lists end with a note where the rest is.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import inline
from reports.digest import WORST_PLANS, Digest
from reports.facts import BucketFacts, RunFacts
from reports.summary import BreakCounts, CheckLine, PortfolioLine, SourceLine, Summary
from reports.texts import counted, grouped, instant, visible
from schemas.currencies import written
from schemas.reports import REPORTS
from schemas.words import HELD

MOST_GROUPS = 12
"""Aging tables shown."""
MOST_LINES = 3
"""Currencies shown in one tile."""
_SHADES = 9
"""Shades of a bucket, from calm to alarming."""

Row = Mapping[str, Any]


def render(facts: RunFacts, summary: Summary, digest: Digest) -> str:
    """Return the page. The same facts and figures give the same text; `run_id` is not in it."""
    by_plan, by_term = _aging(digest.aging, facts), _aging(digest.aging_terms, facts)
    checks = summary.checks
    page: str = _template().render(
        policy=inline.policy(),
        script=inline.script(),
        summary=summary,
        is_held=facts.state == HELD,
        day=_day(facts.as_of),
        known=instant(facts.known_at),
        ended=_money(summary.portfolio, "overdue_of_ended_plans"),
        failed=[_source(source) for source in facts.sources if source.error_code],
        todo=_todo(summary),
        all_quiet=_all_quiet(summary),
        tiles=_tiles(summary),
        aging=by_plan[:MOST_GROUPS],
        aging_left_out=max(len(by_plan) - MOST_GROUPS, 0),
        aging_terms=by_term[:MOST_GROUPS],
        aging_terms_left_out=max(len(by_term) - MOST_GROUPS, 0),
        breaks=[_break(row) for row in digest.breaks.to_dicts()],
        accepted=[_accepted(row) for row in digest.accepted.to_dicts()],
        breaks_left_out=summary.breaks.open > digest.breaks.height,
        aside=_aside(summary.breaks),
        worst=_worst(digest, summary),
        left_alone=sum(_left_alone(row) for row in summary.portfolio),
        integrity=[_integrity(row) for row in ([] if digest.integrity is None else digest.integrity.to_dicts())],
        unevaluated=[_label(check) for check in checks if not check.is_evaluated],
        quiet=[{"label": _label(c), "note": f"{c.examined:,} looked at"} for c in checks if _is_quiet(c)],
        quiet_title=_quiet_title(checks),
        files=_files(),
    )
    return page


@cache
def _template() -> Any:
    """Return the page's template; it is compiled once per process."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"grouped": grouped, "visible": visible}
    environment.tests["zero"] = lambda text: text is None or not text.strip("-0.")
    return environment.get_template("page.html")


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _source(source: Any) -> Row:
    return {
        "provider": source.provider,
        "tenant_id": None if source.tenant_id == source.provider else source.tenant_id,
        "error": source.error,
        "error_code": source.error_code,
        "fresh": instant(source.fresh_at),
    }


def _by_currency(portfolio: Sequence[PortfolioLine], name: str) -> list[tuple[str, int, int]]:
    """Return currency, sum and places of one amount, largest currency code last; zero sums left out."""
    sums: dict[str, tuple[int, int]] = {}
    for row in portfolio:
        # Amounts come as written; without their point they are whole minor units, which can be added exactly.
        whole, _, fraction = getattr(row, name).partition(".")
        total_before, _ = sums.get(row.currency, (0, 0))
        sums[row.currency] = (total_before + int(whole + fraction), len(fraction))
    return [(currency, total, places) for currency, (total, places) in sorted(sums.items()) if total]


def _amounts(portfolio: Sequence[PortfolioLine], name: str) -> list[tuple[str, str]]:
    return [(currency, grouped(written(total, currency))) for currency, total, _ in _by_currency(portfolio, name)]


def _money(portfolio: Sequence[PortfolioLine], name: str) -> str:
    return ", ".join(f"{currency} {figure}" for currency, figure in _amounts(portfolio, name))


def _todo(summary: Summary) -> list[Row]:
    """Return what a clerk does with the figures, most pressing first, without what needs no action."""
    found, portfolio = summary.breaks, summary.portfolio
    pressing = found.by_severity["critical"] + found.by_severity["high"]
    rest = found.open - pressing
    to_call = sum(row.plans_past_due_nothing_pending for row in portfolio)
    waiting = sum(row.plans_past_due_pending for row in portfolio)
    failed = [source for source in summary.sources if source.error_code]
    unsettled = summary.write_backs
    returned = sum(row.open for row in found.by_code if row.code == "RETURNED_AFTER_END")
    items = [
        (len(failed), "Find out why a provider could not be read", _failures(failed), None),
        (pressing, "Clear the breaks of high or critical severity", _new(found), "breaks"),
        (
            returned,
            "Ask again for payments that went back after their plan had ended",
            "RETURNED_AFTER_END: owed again, and no plan asks for it.",
            "breaks",
        ),
        (
            to_call,
            "Chase plans past due that have no money on its way",
            _money(portfolio, "overdue_nothing_pending"),
            "overdue",
        ),
        (
            waiting,
            "Leave plans past due alone while their payment settles",
            _money(portfolio, "fresh_pending_past_due"),
            "money",
        ),
        (
            sum(row.plans_overdue_not_owed for row in portfolio),
            "Have plans corrected that ask for money their invoices no longer owe, and chase nobody for it",
            _money(portfolio, "overdue_not_owed"),
            "breaks",
        ),
        (
            sum(row.plans_overdue_paused for row in portfolio),
            "Leave paused plans alone",
            _money(portfolio, "overdue_paused"),
            None,
        ),
        (len(unsettled), "Settle what was begun at the providers", "; ".join(unsettled), None),
        (rest, "Look through the other breaks", "Low and medium severity.", "breaks"),
        (summary.quarantined, "See why rows were rejected", 'planrecon query "select * from v_quarantine"', "trust"),
    ]
    return [
        {"count": f"{count:,}", "what": what, "more": more, "anchor": anchor}
        for count, what, more, anchor in items
        if count
    ]


def _all_quiet(summary: Summary) -> str:
    """Return what to say if no figure needs a person; it says no more than was looked at."""
    checks = summary.checks
    looked = f"{counted(len(checks), 'check')} found nothing open" if checks else "no check was run"
    if not any(row.plans_in_force for row in summary.portfolio):
        return f"No plan is in force, and {looked}."
    return f"Nothing needs a person today: every plan in force is on time, and {looked}."


def _failures(failed: Sequence[SourceLine]) -> str:
    return ", ".join(sorted({f"{source.provider}: {source.error_code}" for source in failed}))


def _new(found: BreakCounts) -> str:
    codes = dict.fromkeys(row.code for row in found.by_code if row.severity in ("critical", "high"))
    return ", ".join(codes)


def _tiles(summary: Summary) -> list[Row]:
    portfolio, found = summary.portfolio, summary.breaks
    missed = sum(row.missed_terms for row in portfolio)
    late = sum(row.plans_overdue for row in portfolio)
    plans = sum(row.plans_in_force for row in portfolio)
    return [
        _money_tile("Due today", portfolio, "due_today", "Terms whose due date is this day."),
        _money_tile("Overdue", portfolio, "overdue", f"On {counted(late, 'plan')} of {plans:,}."),
        _count_tile("Missed terms", missed, "Past grace, and nothing received."),
        _money_tile("Pending", portfolio, "pending", "Initiated, not settled; not taken off what is due."),
        _count_tile("Open breaks", found.open, f"{found.new:,} new, {found.resolved:,} resolved."),
    ]


def _money_tile(title: str, portfolio: Sequence[PortfolioLine], name: str, note: str) -> Row:
    amounts = _amounts(portfolio, name)
    lines = [{"figure": figure, "unit": currency} for currency, figure in amounts[:MOST_LINES]]
    if len(amounts) > MOST_LINES:
        note = f"{note} {counted(len(amounts) - MOST_LINES, 'more currency', 'more currencies')} below."
    return {"title": title, "lines": lines or [{"figure": "none", "unit": ""}], "note": note}


def _count_tile(title: str, count: int, note: str) -> Row:
    return {"title": title, "lines": [{"figure": f"{count:,}" if count else "none", "unit": ""}], "note": note}


def _aging(sums: pl.DataFrame | None, facts: RunFacts) -> list[Row]:
    if sums is None or sums.is_empty():
        return []
    ordered = sums.sort("provider", "currency", "bucket_no", nulls_last=True)
    groups = ordered.partition_by("provider", "currency", maintain_order=True)
    return [_aging_group(group.to_dicts(), facts.buckets.get(group["provider"][0])) for group in groups]


def _aging_group(rows: Sequence[Row], buckets: BucketFacts | None) -> Row:
    """Return one provider's buckets in one currency; widths are thousandths of what is outstanding."""
    currency = rows[0]["currency"]
    total = sum(row["outstanding_minor"] for row in rows)
    shown, before = [], 0
    for row in rows:
        # Edges are cut from running sums: however each is rounded, the widths add up to the whole bar.
        left, before = before, before + row["outstanding_minor"]
        edge = [1000 * amount // total if total else 0 for amount in (left, before)]
        money = {name.removesuffix("_minor"): written(row[name], currency) for name in row if name.endswith("_minor")}
        place = {"shade": _shade(row["bucket_no"], buckets), "left": edge[0], "width": edge[1] - edge[0]}
        shown.append({**{name: row[name] for name in ("bucket", "plans", "terms")}, **money, **place})
    return {
        "provider": rows[0]["provider"],
        "currency": currency,
        "unit": buckets.unit if buckets else "days",
        "outstanding": written(total, currency),
        "rows": shown,
    }


def _shade(number: int | None, buckets: BucketFacts | None) -> int | None:
    """Return the shade of a range: shades spread evenly over the ranges of a set; no range, no shade."""
    if number is None:
        return None
    last = len(buckets.labels) - 1 if buckets else _SHADES - 1
    return (_SHADES - 1) * number // max(last, 1)


def _break(row: Row) -> Row:
    ids = (
        *(("plan", "plan_id"), ("term", "term_id"), ("payment", "payment_id"), ("account", "account_id")),
        ("reference", "reference"),
    )
    difference = row["difference_minor"]
    days = row["difference_days"]
    return {
        **{name: row[name] for name in ("severity", "explanation", "code", "reason", "provider")},
        "where": [(name, row[column]) for name, column in ids if row[column]],
        "difference": None if difference is None else written(difference, row["break_currency"]),
        "currency": row["break_currency"] or "",
        "days": None if days is None else counted(days, "day"),
        "age": counted(row["age_days"], "day"),
        "state": row["break_state"].replace("_", " ").lower(),
    }


def _accepted(row: Row) -> Row:
    maximum = row["maximum_minor"]
    return {
        **_break(row),
        **{name: row[name] for name in ("owner", "accepted_because", "expires_on")},
        "maximum": None if maximum is None else written(maximum, row["break_currency"]),
    }


def _aside(found: BreakCounts) -> str:
    parts = (
        (found.timing, "that time alone will settle"),
        (found.accepted, "accepted by somebody"),
        (found.resolved, "resolved since the last run"),
    )
    said = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"Not counted above: {said}." if said else ""


def _worst(digest: Digest, summary: Summary) -> list[Row]:
    if digest.worst is None:
        return []
    late = {row.currency: 0 for row in summary.portfolio}
    for row in summary.portfolio:
        late[row.currency] += row.plans_overdue - _left_alone(row)
    groups = digest.worst.partition_by("currency", maintain_order=True)
    return [_worst_group(group.to_dicts(), late[group["currency"][0]]) for group in groups[:MOST_GROUPS]]


def _left_alone(row: PortfolioLine) -> int:
    return row.plans_overdue_paused + row.plans_overdue_not_owed


def _worst_group(rows: Sequence[Row], late: int) -> Row:
    currency = rows[0]["currency"]
    note = f"{len(rows)} of {late:,} overdue; all are in plans.csv" if late > WORST_PLANS else ""
    money = {"overdue": "overdue_minor", "pending": "fresh_pending_minor", "outstanding": "outstanding_minor"}
    shown = [
        {
            **row,
            **{name: written(row[column], currency) for name, column in money.items()},
            "oldest": row["oldest_unpaid_due_date"],
            "next": row["next_due_date"],
        }
        for row in rows
    ]
    return {"currency": currency, "note": note, "rows": shown}


def _integrity(row: Row) -> Row:
    currency = row["break_currency"]
    return {
        **{name: row[name] for name in ("provider", "entity", "fetched", "accepted", "quarantined", "deduplicated")},
        "currency": currency,
        "amount_fetched": _amount(row["amount_fetched_minor"], currency),
        "amount_quarantined": _amount(row["amount_quarantined_minor"], currency),
        "adds_up": _adds_up(row),
        "complete": row["complete"],
        "fresh": instant(row["fresh_at"]),
    }


def _adds_up(row: Row) -> bool:
    parts = ("accepted", "quarantined", "deduplicated")
    money = [row[f"amount_{part}_minor"] or 0 for part in parts]
    rows_add_up = row["fetched"] == sum(row[part] for part in parts)
    return bool(rows_add_up and (row["amount_fetched_minor"] or 0) == sum(money))


def _amount(minor: int | None, currency: str | None) -> str:
    return "" if minor is None else grouped(written(minor, currency))


def _label(check: CheckLine) -> str:
    return " · ".join(part for part in (check.code, check.reason) if part)


def _is_quiet(check: CheckLine) -> bool:
    return bool(check.is_evaluated and not check.breaks)


def _quiet_title(checks: Sequence[CheckLine]) -> str:
    quiet = sum(_is_quiet(check) for check in checks)
    if not checks:
        return "No check was run"
    return f"{counted(quiet, 'check')} of {len(checks)} found nothing"


def _files() -> str:
    tables = ", ".join(name for name, report in REPORTS.items() if report.has_csv)
    return f"{tables} as CSV and Parquet; the workbook reports.xlsx; summary.json; manifest.json with every checksum"
