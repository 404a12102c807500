"""One plan with everything its figures rest on, as plain rows: what the sentences are made of.

The figures are those of `positions.compute`. What it does not return, which terms may take money and
which payment paid which term, is asked of the same book again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from schemas.currencies import written
from schemas.explanation import Share
from schemas.options import Options
from transforms.balances.book import Book, open_book
from transforms.balances.satisfaction import Satisfaction, satisfy
from transforms.balances.shares import shares_of
from transforms.calendars.business_days import named_holidays
from transforms.delinquency.days_past_due import arrears_of, starts

Row = Mapping[str, Any]
NOT_OWED = ("VOID", "SUPERSEDED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One plan as of one date.

    `plan` is its row of `PLAN_POSITIONS`, `located` that of `locate.Located.plans`. `terms` are rows of `TERM_POSITIONS` with
    `payable_minor` (what the term may take), `is_owed`, `is_listed`, `linked_payment_no` and `trace`; `payments` rows of
    `locate.Located.payments` with `allocated_minor` and `name`. `counted_from` and `shadow_from` are the days after which days past due
    are counted, null where nothing is. `pauses` are the plan's times whose days do not count.
    """

    as_of: date
    options: Options
    plan: Row
    located: Row
    terms: tuple[Row, ...]
    payments: tuple[Row, ...]
    shares: tuple[Share, ...]
    pauses: tuple[Row, ...]
    differences: tuple[Row, ...]
    counted_from: date | None
    shadow_from: date | None
    judges_schedule: bool

    def money(self, minor: int) -> str:
        """Write an amount of the plan: `33.34 EUR`."""
        return f"{written(minor, self.plan['currency'])} {self.plan['currency']}"

    @property
    def is_ours(self) -> bool:
        """Tell whether the balances follow from payments, not from the provider's own figures."""
        return bool(self.plan["basis"] == "PAYMENTS")


def case_of(
    located_plans: pl.DataFrame,
    terms: pl.DataFrame,
    located_payments: pl.DataFrame,
    *,
    plans: pl.DataFrame,
    term_positions: pl.DataFrame,
    payment_positions: pl.DataFrame,
    differences: pl.DataFrame,
    traces: pl.DataFrame,
    pauses: pl.DataFrame,
    judges_schedule: bool,
    as_of: date,
    options: Mapping[str, Options],
) -> Case:
    """Return the case of one plan.

    Args:
        located_plans: Its row of `locate.Located.plans`.
        terms: Its `TERMS`.
        located_payments: Its rows of `locate.Located.payments`.
        plans: Its row of `PLAN_POSITIONS`.
        term_positions: Its `TERM_POSITIONS`.
        payment_positions: Its `PAYMENT_POSITIONS`.
        differences: Its `DIFFERENCES`.
        traces: `expected_due_date` and `trace` of the terms its own rules give.
        pauses: `PAUSES` whose days do not count.
        judges_schedule: Whether the provider tells the rules of the plan, so that its schedule can be made again.
        as_of: Civil date whose end is described.
        options: `Options` by provider.
    """
    book = open_book(located_plans, terms, located_payments, as_of=as_of, options=options)
    paid = satisfy(book, as_of=as_of)
    of_book = book.terms.select(
        "term_no", "linked_payment_no", "removed_on", is_owed="counts", is_listed="is_listed", payable_minor="payable"
    )
    rows = term_positions.join(of_book, on="term_no", how="left", validate="1:1").sort("term_no")
    rows = rows.join(_by_day(traces), on="expected_due_date", how="left", validate="m:1", maintain_order="left")
    used = payment_positions.select("payment_no", "allocated_minor")
    money = _named(located_payments.join(used, on="payment_no", how="left", validate="1:1").sort("payment_no"))
    since, shadow = _counted_from(book, paid, term_positions, plans, as_of=as_of, options=options)
    plan = plans.row(0, named=True)
    return Case(
        as_of=as_of,
        options=options[plan["provider"]],
        plan=plan,
        located=located_plans.row(0, named=True),
        terms=tuple(rows.to_dicts()),
        payments=tuple(money.to_dicts()),
        shares=_shares(book, paid, money),
        pauses=tuple(pauses.filter(pl.col("plan_no") == plan["plan_no"]).sort("pause_start").to_dicts()),
        differences=tuple(differences.to_dicts()),
        counted_from=since,
        shadow_from=shadow,
        judges_schedule=judges_schedule,
    )


def term_name(number: int) -> str:
    """Return how figures call a term."""
    return f"term {number}"


def _named(payments: pl.DataFrame) -> pl.DataFrame:
    """Add `name`, how figures call a payment: by its id, and by the account where it paid on several."""
    alone = pl.concat_str(pl.lit("payment "), "payment_id")
    shared = pl.concat_str(alone, pl.lit(" on account "), pl.col("account_id").fill_null("unknown"))
    return payments.with_columns(name=pl.when(pl.col("payment_id").is_unique()).then(alone).otherwise(shared))


def closed_days(case: Case) -> dict[date, str]:
    """Return the days that are no business days although no weekend, with their names, as far as the plan's days reach."""
    days = [case.plan["oldest_unpaid_due_date"], case.counted_from, *_pending_days(case)]
    known = [day for day in days if day is not None]
    if not known:
        return {}
    first, own = min(known), case.options
    named = {
        day: name for year in range(first.year, case.as_of.year + 1) for day, name in named_holidays(own.calendar, year)
    }
    named |= {day: named.get(day, "closed by the configuration") for day in own.closed_days}
    inside = (first < day <= case.as_of and day.isoweekday() not in own.weekend for day in sorted(named))
    return {day: named[day] for day, is_in in zip(sorted(named), inside, strict=True) if is_in}


def _pending_days(case: Case) -> list[date]:
    waiting = (row for row in case.payments if row["class"] == "pending")
    return [min(max(filter(None, (row["created_on"], row["planned_on"]))), case.as_of) for row in waiting]


def _by_day(traces: pl.DataFrame) -> pl.DataFrame:
    told = traces.select("expected_due_date", "trace").filter(pl.col("trace") != "")
    return told.unique("expected_due_date", keep="first", maintain_order=True)


def _counted_from(
    book: Book,
    paid: Satisfaction,
    terms: pl.DataFrame,
    plans: pl.DataFrame,
    *,
    as_of: date,
    options: Mapping[str, Options],
) -> tuple[date | None, date | None]:
    judged = terms.with_columns(counts=~pl.col("state").is_in(NOT_OWED))
    arrears = arrears_of(book, judged, plans["outstanding_minor"], as_of=as_of)
    since, shadow = starts(book, paid, arrears, as_of=as_of, options=options)
    return since[0], shadow[0]


def _shares(book: Book, paid: Satisfaction, payments: pl.DataFrame) -> tuple[Share, ...]:
    names = dict(payments.select("payment_no", "name").iter_rows())
    rows = shares_of(book, paid)
    numbers = book.terms["term_no"].gather(rows["row"])
    return tuple(
        Share(names[number], term_name(term), amount, "NAMED" if is_named else "OLDEST_FIRST")
        for term, number, amount, is_named in zip(
            numbers, rows["payment_no"], rows["amount_minor"], rows["is_named"], strict=True
        )
    )


def day_text(day: date) -> str:
    """Write a date as it is read aloud: `1 April 2025`."""
    return f"{day.day} {day:%B} {day.year}"


def past_grace(row: Row, case: Case) -> bool:
    """Tell whether the days of grace after a term's due date are over."""
    return bool(row["due_date"] + timedelta(days=case.options.grace_days) < case.as_of)
