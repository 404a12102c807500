"""Every figure of a report, worked out a second time from a world alone.

`truth` is the slow, plain answer that the product is compared with. It reads a
`World` as of one day and returns report rows: money as plain decimal text, dates
as ISO text, counts as integers, None where nothing is known. `differences`
compares such rows with a report's. Nothing here is shared with the product.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from oracles.breaks import find_breaks, still_owed
from oracles.judge import Standing, TermView, bucket, days_past_due, is_stale, months_past_due, oldest_unpaid
from oracles.locate import locate, word_on
from oracles.model import Facts, Options, Payment, business_days, to_text
from oracles.read import read

from sandbox.world import World

Row = dict[str, Any]

KEYS = {
    "plans": ("provider", "tenant_id", "plan_id"),
    "terms": ("provider", "tenant_id", "plan_id", "term_id"),
    "payments": ("provider", "tenant_id", "payment_id", "account_id"),
    "aging": ("provider", "tenant_id", "currency", "bucket"),
    "aging_terms": ("provider", "tenant_id", "currency", "bucket"),
    "kept": ("provider", "tenant_id", "currency", "window_days"),
    "breaks": ("provider", "tenant_id", "code", "reason", "plan_id", "term_id", "payment_id", "account_id"),
}
"""What makes a row of each report unique."""

NOT_JUDGED = frozenset({"conformance", "nominal_due_date", "expected_due_date", "expected_amount"})
"""Report columns that are left None here and not compared."""


def truth(world: World, as_of: date, options: Options | None = None) -> dict[str, list[Row]]:
    """Return the rows of `plans`, `terms`, `payments`, `aging`, `aging_terms` and `breaks` as of the close of `as_of`."""
    chosen = options or Options()
    return describe(read(world, chosen), as_of, chosen)


def describe(facts: Facts, as_of: date, options: Options) -> dict[str, list[Row]]:
    """Return the report rows for facts already read, each list sorted by its key."""
    standings, placed = locate(facts, as_of, options)
    owners = {(item.plan.provider, item.plan.tenant, item.plan.plan_id): item for item in standings}
    rows = {
        "plans": [_plan(item, facts, options) for item in standings],
        "terms": [_term(item, view) for item in standings for view in item.terms],
        "payments": [
            _payment(payment, owners.get((payment.provider, payment.tenant, str(plan_id))), as_of)
            for payment, plan_id in placed
        ],
        "aging": _aging(standings, options),
        "aging_terms": _aging_terms(standings, options),
        "breaks": find_breaks(facts, standings, placed, as_of, options),
    }
    for name, listed in rows.items():
        for row in listed:
            row["as_of"] = as_of.isoformat()
        listed.sort(key=lambda row, key=KEYS[name]: [str(row[column] or "") for column in key])  # type: ignore[misc]
    return rows


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _plan(standing: Standing, facts: Facts, options: Options) -> Row:
    plan, terms = standing.plan, standing.terms
    money = {name: to_text(amount, plan.currency) for name, amount in amounts(standing, options).items()}
    oldest = oldest_unpaid(standing)
    days = days_past_due(standing, options)
    mba, ots = months_past_due(standing)
    flags = sorted({flag for view in terms for flag in view.flags})
    owed = still_owed(standing, facts)
    if owed is not None and sum(view.outstanding for view in terms) > owed:
        flags.append("INVOICES_OWE_LESS")
    if plan.paused is not None and plan.paused <= standing.on:
        flags.append("PAUSED")
    return {
        "provider": plan.provider,
        "tenant_id": plan.tenant,
        "plan_id": plan.plan_id,
        "account_id": plan.account_id,
        "customer_id": plan.customer_id,
        "currency": plan.currency,
        "status": standing.status,
        "flags": ";".join(flags) or None,
        "basis": plan.basis,
        "terms": len(terms),
        "terms_satisfied": sum(view.satisfied and not view.over for view in terms),
        "missed_terms": sum(view.state == "MISSED" for view in terms),
        "delinquent_terms": sum(view.state in {"MISSED", "PARTIAL_OVERDUE"} for view in terms),
        **money,
        "coverage": sixth_places(coverage(standing, options)),
        "days_past_due": days,
        "days_past_due_business": business_days(oldest.term.due, standing.on, plan.provider, options) if oldest else 0,
        "shadow_days_past_due": days_past_due(standing, options, with_pending=True),
        "mba_months": mba,
        "ots_months": ots,
        "bucket": bucket(days, options),
        "oldest_unpaid_due_date": _iso(oldest.term.due if oldest else None),
        "next_due_date": _iso(next_due(standing)),
        "last_due_date": _iso(last_due(standing)),
        "conformance": None,
    }


def amounts(standing: Standing, options: Options) -> dict[str, int | None]:
    """Return the sums of a plan in minor units, by column of the report; None where nothing is known."""
    plan, terms, today = standing.plan, standing.terms, standing.on
    received = sum(view.received for view in terms)
    following = next_due(standing)
    upcoming = [view.outstanding for view in terms if view.term.due == following and not view.satisfied]
    if plan.basis == "PROVIDER_BALANCE":
        # Of a term that the provider took back it states no balance any more.
        due = [view.term for view in terms if view.term.due <= today and not standing.took_back(view.term)]
        stated: int | None = sum(term.owed or 0 for term in due)
    else:
        stated = plan.account_due
    return {
        "amount": sum(view.term.amount for view in terms),
        "received": received,
        "outstanding": sum(view.outstanding for view in terms),
        "amount_due": sum(view.outstanding for view in terms if view.term.due <= today),
        "overdue": sum(view.outstanding for view in terms if view.term.due < today),
        "overdue_past_grace": sum(
            view.outstanding for view in terms if (today - view.term.due).days > options.grace_days
        ),
        "due_today": sum(view.outstanding for view in terms if view.term.due == today),
        "not_due": sum(view.outstanding for view in terms if view.term.due > today),
        "unapplied": None if plan.basis == "PROVIDER_BALANCE" else standing.settled - received,
        "pending": sum(payment.amount for payment in standing.pending),
        "next_due_amount": sum(upcoming) if following else None,
        "provider_amount_due": stated,
    }


def next_due(standing: Standing) -> date | None:
    """Return the earliest due date not before the day among unsatisfied terms."""
    dues = [view.term.due for view in standing.terms if view.term.due >= standing.on and not view.satisfied]
    return min(dues, default=None)


def last_due(standing: Standing) -> date | None:
    """Return the latest due date of a term that is still owed or was paid."""
    return max((view.term.due for view in standing.terms if not view.over), default=None)


def coverage(standing: Standing, options: Options) -> int | None:
    """Return fresh pending money over what is due, in millionths, half up; None if nothing is due."""
    due = sum(view.outstanding for view in standing.terms if view.term.due <= standing.on)
    if due == 0:
        return None
    fresh = sum(item.amount for item in standing.pending if not is_stale(item, standing.on, options))
    return (min(fresh, due) * 2_000_000 + due) // (2 * due)


def sixth_places(millionths: int | None) -> str | None:
    """Return millionths as a decimal with six places; None stays None."""
    return None if millionths is None else f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"


def _term(standing: Standing, view: TermView) -> Row:
    plan, term = standing.plan, view.term
    return {
        "provider": plan.provider,
        "tenant_id": plan.tenant,
        "plan_id": plan.plan_id,
        "term_id": term.term_id,
        "term_no": view.number,
        "flags": ";".join(view.flags) or None,
        "nominal_due_date": None,
        "due_date": _iso(term.due),
        "currency": plan.currency,
        "amount": to_text(term.amount, plan.currency),
        "waived": to_text(view.waived, plan.currency),
        "received": to_text(view.received, plan.currency),
        "outstanding": to_text(view.outstanding, plan.currency),
        "pending": to_text(view.pending, plan.currency),
        "provider_outstanding": to_text(term.owed, plan.currency),
        "state": view.state,
        "satisfied_on": _iso(view.satisfied_on),
        "days_late": view.days_late,
        "expected_due_date": None,
        "expected_amount": None,
    }


def _payment(payment: Payment, owner: Standing | None, day: date) -> Row:
    gone = payment.reversed_on is not None and payment.reversed_on <= day
    identity = payment.payment_id, payment.account_id
    allocated = None if payment.provider == "payt" else owner.allocated.get(identity, 0) if owner else 0
    return {
        "provider": payment.provider,
        "tenant_id": payment.tenant,
        "payment_id": payment.payment_id,
        "plan_id": owner.plan.plan_id if owner else None,
        "account_id": payment.account_id,
        "currency": payment.currency,
        "amount": to_text(payment.amount, payment.currency),
        "effective_date": _iso(payment.effective),
        "class": word_on(payment, day),
        "provider_status": payment.status,
        "reversed_on": _iso(payment.reversed_on) if gone else None,
        "reversed_amount": to_text(payment.reversed_amount, payment.currency) if gone else None,
        "allocated": to_text(allocated, payment.currency),
    }


def _aging(standings: Iterable[Standing], options: Options) -> list[Row]:
    """Sum the plans in force by bucket; `terms` counts unsatisfied terms due by the day."""
    sums: dict[tuple[str, str, str, str], list[int]] = {}
    for standing in standings:
        if not standing.in_force:
            continue
        plan, money = standing.plan, amounts(standing, options)
        key = (plan.provider, plan.tenant, plan.currency, bucket(days_past_due(standing, options), options))
        due = [view for view in standing.terms if view.term.due <= standing.on and not view.satisfied]
        parts = (1, len(due), *(money[name] or 0 for name in ("amount_due", "overdue", "outstanding")))
        sums[key] = [old + new for old, new in zip(sums.get(key, [0] * 5), parts, strict=True)]
    return [
        {
            "provider": provider,
            "tenant_id": tenant,
            "currency": currency,
            "bucket": name,
            "plans": found[0],
            "terms": found[1],
            "amount_due": to_text(found[2], currency),
            "overdue": to_text(found[3], currency),
            "outstanding": to_text(found[4], currency),
        }
        for (provider, tenant, currency, name), found in sums.items()
    ]


def _aging_terms(standings: Iterable[Standing], options: Options) -> list[Row]:
    """Sum the due, unsatisfied terms of plans in force by the bucket of each term's own age in days."""
    found: dict[tuple[str, str, str, str], list[tuple[str, int]]] = {}
    for standing in standings:
        plan = standing.plan
        for view in standing.terms if standing.in_force else ():
            if view.term.due <= standing.on and not view.satisfied:
                label = bucket((standing.on - view.term.due).days, options)
                key = (plan.provider, plan.tenant, plan.currency, label)
                found.setdefault(key, []).append((plan.plan_id, view.outstanding))
    return [
        {
            "provider": provider,
            "tenant_id": tenant,
            "currency": currency,
            "bucket": label,
            "terms": len(terms),
            "plans": len({plan_id for plan_id, _ in terms}),
            "outstanding": to_text(sum(amount for _, amount in terms), currency),
        }
        for (provider, tenant, currency, label), terms in found.items()
    ]


def differences(report: str, expected: Sequence[Row], actual: Iterable[Mapping[str, object]]) -> list[str]:
    """Return one line per row missing, row too many and cell that differs; an empty list means agreement.

    `actual` are rows as a CSV reader gives them: text, empty for unknown, with an
    apostrophe before what a spreadsheet would run. Columns that `expected` does not
    have are not looked at, nor those of `NOT_JUDGED`; of breaks only what is filled
    in, because their wording is the product's own.
    """
    key = KEYS[report]
    wanted = {tuple(_cell(row[name]) for name in key): row for row in expected}
    given = {tuple(_bare(row[name]) for name in key): row for row in actual}
    found = [f"{report} {name}: missing" for name in wanted if name not in given]
    found += [f"{report} {name}: not expected" for name in given if name not in wanted]
    for name, row in wanted.items():
        for column in row.keys() & given.get(name, {}).keys() - NOT_JUDGED:
            is_, should = _bare(given[name][column]), _cell(row[column])
            if is_ != should and not (report == "breaks" and row[column] is None):
                found.append(f"{report} {name}: {column} is {is_!r}, should be {should!r}")
    return sorted(found)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bare(value: object) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from running it."""
    text = _cell(value)
    return text[1:] if text[:1] == "'" and text[1:2] in set("=+-@\t\r\n") else text


def write_truth(world: World, dates: Iterable[date], path: Path, options: Options | None = None) -> Path:
    """Leave the truth of several days in one JSON file, by ISO date; return its path."""
    chosen = options or Options()
    facts = read(world, chosen)
    rows = {day.isoformat(): describe(facts, day, chosen) for day in dates}
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path
