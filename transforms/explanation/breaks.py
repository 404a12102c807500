"""Put the explanation of one break together: both sides with their rows, the rule, its life, why it is as severe as it is."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from schemas.currencies import in_minor, written
from schemas.explanation import Assumed, Decision, ExplainedBreak, Explanation, Given, Rule, Seen, Setting, Value
from schemas.options import Options
from transforms.breaks.life import severity
from transforms.calendars.business import business_between

Row = Mapping[str, Any]

_FACTS = (
    *(
        "plan_id",
        "term_id",
        "payment_id",
        "account_id",
        "reference",
        "code",
        "reason",
        "side",
        "kind",
        "state",
        "severity",
    ),
    *("expected", "actual", "difference", "difference_days", "first_seen", "age_days"),
)
_SCHEDULE = ("DUE_DATE_DIFF", "AMOUNT_DIFF", "TERM_MISSING", "TERM_EXTRA", "AMBIGUOUS_PAIR")
_OF_SCHEDULE = ("conventions", "calendar", "weekend")
_OF_OTHERS = ("grace_days", "tolerance", "residual", "settlement_days", "stale_pending_days", "calendar", "weekend")


def explain_break(
    life: Sequence[Row],
    *,
    rules: Sequence[Rule],
    declared: str,
    registered: Row | None,
    decisions: Sequence[Row],
    plan: Explanation | None,
    rows: Sequence[Given],
    settings: Sequence[Setting],
    options: Options,
) -> ExplainedBreak:
    """Return how a break comes about, as the newest of the runs in `life` showed it.

    Args:
        life: Rows of the breaks report, one per published run that showed it, the newest last.
        rules: What its check says of itself; several where one code and reason has several checks.
        declared: How severe its check calls it where there is no amount.
        registered: Its row of `BREAK_REGISTER`; None if no run moved it there.
        decisions: Its rows of `DECISIONS`, oldest first.
        plan: The explanation of its plan as of the same date; None where it is about no plan that is known.
        rows: Its payment where that belongs to no plan, and its account.
        settings: The settings of the provider.
        options: The same as values.
    """
    now = life[-1]
    return ExplainedBreak(
        fingerprint=now["fingerprint"],
        provider=now["provider"],
        tenant_id=now["tenant_id"],
        currency=now["currency"],
        as_of=now["as_of"],
        run_id=now["run_id"],
        facts={name: _plain(now[name], now["currency"]) for name in _FACTS},
        explanation=now["explanation"],
        expected_because=_because(now, plan, rules),
        rules=tuple(rules),
        severity_because=_severity_because(now, declared, registered, options),
        rows=(*_rows(now, plan), *rows),
        settings=_settings(now, settings),
        life=tuple(_seen(row) for row in life),
        decisions=tuple(_decision(row) for row in decisions),
        assumptions=_assumptions(now, plan, rows),
    )


def _plain(value: Value | Decimal, currency: str | None) -> Value:
    if not isinstance(value, Decimal):
        return value
    minor = in_minor(value, currency)
    return written(minor, currency) if minor is not None else f"{value:f}"


def _seen(row: Row) -> Seen:
    difference = _plain(row["difference"], row["currency"])
    return Seen(
        as_of=row["as_of"],
        run_id=row["run_id"],
        state=row["state"],
        severity=row["severity"],
        expected=row["expected"],
        actual=row["actual"],
        difference=None if difference is None else str(difference),
    )


def _decision(row: Row) -> Decision:
    limit = row["maximum_minor"]
    return Decision(
        owner=row["owner"],
        because=row["accepted_because"],
        accepted_at=row["accepted_at"],
        accepted_by=row["accepted_by"],
        expires_on=row["expires_on"],
        maximum=None if limit is None else written(limit, row["break_currency"]),
        is_withdrawn=row["is_withdrawn"],
    )


def _term(now: Row, plan: Explanation | None) -> Given | None:
    terms = plan.terms if plan is not None else ()
    return next((row for row in terms if row.facts["term_id"] == now["term_id"]), None)


def _rows(now: Row, plan: Explanation | None) -> tuple[Given, ...]:
    if plan is None:
        return ()
    found = [plan.plan, _term(now, plan)]
    found += [row for row in plan.payments if row.facts["payment_id"] == now["payment_id"]]
    return tuple(row for row in found if row is not None)


def _because(now: Row, plan: Explanation | None, rules: Sequence[Rule]) -> str:
    """Return why the expected value is expected: how the schedule comes to it, else the sum and what the rule says of it."""
    term = _term(now, plan)
    if now["code"] in _SCHEDULE and term is not None and term.facts["trace"]:
        return f"The plan's own rule gives the day of this term: {term.facts['trace']}."
    return f"{now['explanation']} {' '.join(rule.means for rule in rules)}"


def _settings(now: Row, settings: Sequence[Setting]) -> tuple[Setting, ...]:
    names = (*(_OF_SCHEDULE if now["code"] in _SCHEDULE else _OF_OTHERS), "escalate_days")
    return tuple(each for each in settings if each.name in names)


def _severity_because(now: Row, declared: str, registered: Row | None, options: Options) -> str:
    difference = now["difference"]
    least = registered["least_severity"] if registered is not None else None
    by_check = registered["declared_severity"] if registered is not None else declared
    fresh = _severity(now, by_check, least)
    if difference is None:
        told = [f"There is no amount to go by, and the check calls it {by_check}"]
    else:
        told = [
            f"A difference of {_plain(abs(difference), now['currency'])} {now['currency']} is {_severity(now, by_check, None)}"
        ]
    if least is not None and fresh != _severity(now, by_check, None):
        told.append(f"no amount makes this kind less than {least}")
    told.append(_age(now, options, is_lifted=now["severity"] != fresh))
    return f"{'; '.join(told)}: {now['severity']}."


def _severity(now: Row, declared: str, least: str | None) -> str:
    row = {
        "difference_minor": None if now["difference"] is None else in_minor(now["difference"], now["currency"]),
        "break_currency": now["currency"],
        "declared_severity": declared,
        "least_severity": least,
    }
    kinds = {
        "difference_minor": pl.Int64,
        "break_currency": pl.String,
        "declared_severity": pl.String,
        "least_severity": pl.String,
    }
    return str(pl.DataFrame([row], schema=kinds).select(severity(is_old=pl.lit(value=False))).item())


def _age(now: Row, options: Options, *, is_lifted: bool) -> str:
    provider = pl.Series([now["provider"]])
    since, until = (pl.Series([day], dtype=pl.Date) for day in (now["first_seen"], now["as_of"]))
    days = max(business_between(provider, since, until, options={now["provider"]: options})[0], 0)
    told = f"it is {days} business days old"
    if is_lifted:
        return f"{told}, more than the {options.escalate_days} after which a break is one step worse"
    return f"{told}, which changes nothing"


def _assumptions(now: Row, plan: Explanation | None, rows: Sequence[Given]) -> tuple[Assumed, ...]:
    lists = {row.origin.entity for row in (*_rows(now, plan), *rows) if row.origin is not None}
    return tuple(each for each in (plan.assumptions if plan is not None else ()) if lists & set(each.rows))
