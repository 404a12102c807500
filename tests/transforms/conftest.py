"""Plans, terms and payments written in a few words, completed with the dullest values the schemas allow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from schemas.core import PAYMENTS, PLAN_ACCOUNTS, PLANS, TERMS
from schemas.options import Options, OutcomeRules
from schemas.table import Table
from transforms.delinquency.pauses import NO_PAUSES, Pauses
from transforms.judging import Judging
from transforms.location.locate import Located, locate
from transforms.positions import Positions, compute

CREATED = date(2025, 1, 1)
_USUAL = OutcomeRules()

PLAIN_PLAN = {
    "provider": "p", "tenant_id": "t", "customer_id": "c", "currency": "EUR", "basis": "PAYMENTS",
    "created_on": CREATED, "is_active": True, "cadence": "BY_DATES",
}  # fmt: skip
PLAIN_PAYMENT = {
    "provider": "p", "tenant_id": "t", "currency": "EUR", "class": "received", "is_money": True,
    "is_reversal_amount_known": True,
}  # fmt: skip


def table(of: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    filled = [{name: row.get(name) for name in of.columns} for row in rows]
    return of.gate(pl.DataFrame(filled, schema=dict(of.dtypes), orient="row"))


def plans(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [
        PLAIN_PLAN | {"plan_no": number, "plan_id": f"P{row.get('plan_no', number)}", "account_no": number} | row
        for number, row in enumerate(rows)
    ]
    return table(PLANS, [row | {"account_id": f"A{row['account_no']}"} for row in full])


def terms(*rows: dict[str, Any]) -> pl.DataFrame:
    return table(TERMS, [{"plan_no": 0, "term_id": f"T{number:03}"} | row for number, row in enumerate(rows)])


def payments(*rows: dict[str, Any]) -> pl.DataFrame:
    full = []
    for number, row in enumerate(rows):
        dated = {
            "payment_no": number,
            "payment_id": f"M{number}",
            "account_no": 0,
            "created_on": row.get("effective_date"),
        }
        full.append(PLAIN_PAYMENT | dated | {"account_id": f"A{row.get('account_no', 0)}"} | row)
    return table(PAYMENTS, full)


def plan_accounts(*rows: dict[str, Any]) -> pl.DataFrame:
    return table(PLAN_ACCOUNTS, [{"linked_on": CREATED} | row for row in rows])


@dataclass(frozen=True)
class Case:
    """Core frames of a small portfolio."""

    plans: pl.DataFrame
    terms: pl.DataFrame
    payments: pl.DataFrame
    plan_accounts: pl.DataFrame

    def locate(self, as_of: date, options: Options | Mapping[str, Options] | None = None) -> Located:
        links = self.terms.select("plan_no", "linked_payment_no")
        return locate(
            self.plans,
            self.payments,
            self.plan_accounts,
            as_of=as_of,
            options=_by_name(options, self.plans),
            links=links,
        )

    def at(
        self,
        as_of: date,
        options: Options | Mapping[str, Options] | None = None,
        *,
        pauses: Pauses = NO_PAUSES,
        rules: OutcomeRules = _USUAL,
        **more: Any,
    ) -> Positions:
        located = self.locate(as_of, options)
        owned = located.payments.filter(pl.col("plan_no").is_not_null())
        judging = Judging(as_of, _by_name(options, self.plans), pauses, rules)
        return compute(located.plans, self.terms, owned, judging, **more)

    def plan(self, as_of: date, options: Options | None = None, **more: Any) -> dict[str, Any]:
        return self.at(as_of, options, **more).plans.row(0, named=True)


def _by_name(options: Options | Mapping[str, Options] | None, of: pl.DataFrame) -> Mapping[str, Options]:
    if isinstance(options, Mapping):
        return options
    return dict.fromkeys([*of["provider"], "p", "q"], options or Options())


def case(
    *,
    plan: dict[str, Any] | list[dict[str, Any]] | None = None,
    due: list[dict[str, Any]] | None = None,
    paid: list[dict[str, Any]] | None = None,
    links: list[dict[str, Any]] | None = None,
) -> Case:
    rows = plan if isinstance(plan, list) else [plan or {}]
    return Case(plans(*rows), terms(*(due or [])), payments(*(paid or [])), plan_accounts(*(links or [])))


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Builders of core frames: `make.case(...)`, `make.plans(...)`, and the rest."""
    return SimpleNamespace(
        case=case, plans=plans, terms=terms, payments=payments, plan_accounts=plan_accounts, Case=Case
    )


@pytest.fixture(scope="session")
def golden() -> Case:
    """Four monthly terms of 100.00 and three receipts, the second one short and late, the third one double."""
    return case(
        due=[{"due_date": date(2025, month, 1), "amount_minor": 100_00} for month in (3, 4, 5, 6)],
        paid=[
            {"effective_date": date(2025, 3, 1), "amount_minor": 100_00},
            {"effective_date": date(2025, 4, 5), "amount_minor": 60_00},
            {"effective_date": date(2025, 5, 10), "amount_minor": 140_00},
        ],
    )


Make = Callable[..., Case]
