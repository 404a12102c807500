"""PayIQ's answers as PayIQ writes them, and healthy plans made of them.

Amounts go in as cents and come out as exact decimals. PayIQ gives no terms, so
a plan is written by the rule that its terms are worked out from.
"""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world import AccountKey, Row, World
from sandbox.worlds.generate_habits import Ids, Story, live, month_after
from sandbox.worlds.generate_payt import stamp

SYMBOL = "$"


def money(cents: int) -> Decimal:
    """Return cents as an exact decimal with two places."""
    return Decimal(cents).scaleb(-2)


def midnight(day: date) -> str:
    """Return a plain date the way PayIQ writes one."""
    return f"{day.isoformat()}T00:00:00Z"


def tier(minimum: int, maximum: int, count: int, least: int = 1000) -> Row:
    """Return one tier of the plan policy; amounts in cents."""
    return {
        "Minimum": money(minimum),
        "Maximum": money(maximum),
        "PaymentCount": count,
        "RestrictedMinimum": money(least),
    }


TIERS = (tier(0, 100_000, 12), tier(100_001, 1_000_000, 24), tier(1_000_001, 10_000_000, 36))


def account(account_id: int, reference: str, due: int, day: date, **changed: Any) -> Row:
    """Return one account of a setup answer."""
    row: Row = {
        "AccountID": account_id,
        "AccountNumber": reference,
        "AmountDue": money(due),
        "CurrencySymbol": SYMBOL,
        "DueDate": midnight(day),
        "ExistingPaymentPlanID": None,
        "PendingPayment": None,
        "PendingPayments": [],
        "RoleMaskedAccount": f"***{reference[-4:]}",
        "Stopped": False,
        "UpdateDate": stamp(day),
    }
    return row | changed


def setup(accounts: list[Row], balance: int, **changed: Any) -> Row:
    """Return the result of a setup call."""
    row: Row = {
        "Accounts": accounts,
        "AllowDueDay": True,
        "DayDue": 1,
        "DefaultMonthlyPayment": money(5000),
        "EnforceDueDate": False,
        "InitialBalance": money(balance),
        "MaximumTerm": 36,
        "Message": "",
        "PlanType": "Fixed",
        "RestrictedOverrideMinimum": None,
        "Tiers": [dict(item) for item in TIERS],
    }
    return row | changed


def plan(plan_id: int, balance: int, each: int, day_to_pay: int, created: date, **changed: Any) -> Row:
    """Return one plan answer; it starts one week after `created` unless `changed` says otherwise."""
    row: Row = {
        "PaymentPlanID": plan_id,
        "PaymentName": f"Plan {plan_id}",
        "PaymentPlanType": "Fixed",
        "BillingAccounts": [],
        "CustomerID": plan_id + 5_000_000,
        "CanEdit": True,
        "CreateDate": stamp(created),
        "DateToStart": midnight(created + timedelta(days=7)),
        "CurrencySymbol": SYMBOL,
        "DayType": "DayOfMonth",
        "DayToPay": day_to_pay,
        "DisplayDescription": "",
        "InitialBalance": money(balance),
        "LastEvaluatedDate": None,
        "LastPaymentAmount": money(each),
        "LastPaymentDate": "0001-01-01T00:00:00",
        "MonthlyAmount": money(0),
        "PaymentAmount": money(each),
        "PaymentCount": 0,
        "PaymentAccountID": plan_id + 1,
    }
    return row | changed


def payment(payment_id: int, key: AccountKey, amount: int, day: date, **changed: Any) -> Row:
    """Return one paid payment on an account."""
    row: Row = {
        "ID": payment_id,
        "Status": "Paid",
        "CreateDate": stamp(day),
        "PaymentDate": stamp(day),
        "Total": money(amount),
        "CurrencySymbol": SYMBOL,
        "ExternalTransactionID": f"X{payment_id}",
        "HasMultipleAccounts": False,
        "InvoicePaymentCount": 1,
        "InvoicePayments": [invoice_payment(payment_id + 1, key[1], amount)],
    }
    return row | changed


def invoice_payment(number: int, reference: str, amount: int, back: int | None = None) -> Row:
    """Return the part of a payment that paid one bill of one account."""
    return {
        "ID": number,
        "BillID": number + 1,
        "ReferenceNumber": reference,
        "Amount": money(amount),
        "ReversalAmount": None if back is None else money(back),
        "RefundableAmount": money(0),
        "IsCreditMemo": False,
    }


def pending(transaction: int, share: int, day: date, *, total: int | None = None, status: str = "Initiated") -> Row:
    """Return one pending payment of an account; `total` is the whole transaction where it is larger."""
    return {
        "TransactionID": transaction,
        "Status": status,
        "CreateDate": stamp(day),
        "Total": money(total or share),
        "AccountTotal": money(share),
    }


def key(number: int, other: str = "") -> AccountKey:
    """Return the name of one account: token, reference number, other data."""
    return f"tok-{number:08x}", f"{number:010d}", other


def terms(row: Row, created: date) -> list[tuple[date, int]]:
    """Return the terms that a plan written by `plan` stands for."""
    start = created + timedelta(days=7)
    each, left = int(row["PaymentAmount"] * 100), int(row["InitialBalance"] * 100)
    fires = month_after(start, 0, row["DayToPay"])
    step, found = (1 if fires < start else 0), []
    while left > 0:
        found.append((month_after(start, step, row["DayToPay"]), min(each, left)))
        left, step = left - each, step + 1
    return found


def add_plan(world: World, ids: Ids, created: date, as_of: date, draw: random.Random) -> Row | None:
    """Add one healthy plan with its account and payments; None where it would already be paid off."""
    count, each = draw.randint(3, 12), draw.randint(20, 300) * 100
    balance = each * (count - 1) + draw.choice((each, each, each // 2 + 1))
    row = plan(0, balance, each, draw.choice((1, 5, 15, 28, 31, draw.randint(1, 28))), created)
    story = live(Story(created, terms(row, created)), as_of, draw)
    if sum(amount for _, amount in story.paid) >= balance:
        return None
    plan_id, account_id = int(ids.next()), int(ids.next())
    name = key(account_id)
    row |= {"PaymentPlanID": plan_id, "PaymentName": f"Plan {plan_id}", "CustomerID": account_id + 5_000_000}
    row |= {"PaymentCount": len(story.paid), "LastPaymentDate": midnight(story.terms[-1][0])}
    waiting = [pending(int(ids.next()), amount, day) for day, amount in story.pending]
    due = sum(amount for day, amount in story.terms if day <= as_of) - sum(amount for _, amount in story.paid)
    shown = account(account_id, name[1], max(0, due), as_of, ExistingPaymentPlanID=plan_id, PendingPayments=waiting)
    shown["PendingPayment"] = waiting[0] if waiting else None
    row["BillingAccounts"] = [{"AccountID": account_id, "AccountNumber": name[1]}]
    world.payiq.setups[name] = setup([shown], balance)
    world.payiq.plans[plan_id] = row
    world.payiq.payments[name] = [payment(int(ids.next()) * 10, name, amount, day) for day, amount in story.paid]
    return row
