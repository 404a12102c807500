"""What goes wrong in a portfolio: one fault at a time, put into a healthy plan just added.

Each function changes the newest rows of the world so that one named disagreement
arises. Where a plan offers no room for the fault it stays healthy.
"""

import random
from datetime import date, timedelta

from sandbox.world import AccountKey, Row, World
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds import generate_payt as payt
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.generate_habits import Ids, uuid

LONG_AGO = timedelta(days=21)


def spoil_payt(
    world: World, office: payt.Administration, ids: Ids, row: Row, as_of: date, *, draw: random.Random
) -> None:
    """Leave a paid term without date, a date with money due, a drifted balance, stale money or two stamps that clash."""
    fault = draw.choice(("undated", "owed", "drift", "stale", "stamps"))
    terms: list[Row] = row["payment_terms"]
    paid = [term for term in terms if term["payment_date"]]
    if fault == "undated" and paid:
        paid[-1]["payment_date"] = None
    elif fault == "owed" and row["active"]:
        terms[-1]["payment_date"] = row["updated_at"][:10]
    elif fault == "drift" and row["active"]:
        terms[-1]["total_amount"] = terms[-1]["amount_due"] = office.money(100_00)
        world.payt.payments.append(office.payment(ids.next(), world.payt.invoices[-1]["id"], 12_34, as_of - LONG_AGO))
    elif fault == "stale" and row["active"]:
        invoice = world.payt.invoices[-1]["id"]
        stale = office.transaction(ids.next(), row["debtor_id"], [invoice], 10_00, as_of - LONG_AGO)
        world.payt.psp_transactions.append(stale)
    elif row["active"]:
        row["deactivated_at"] = row["updated_at"]


def spoil_totality(world: World, row: Row, as_of: date, draw: random.Random) -> None:
    """Leave a double payment, stale or excess pending money, a wrong total, a double term or an orphan."""
    fault = draw.choice(("double", "stale", "excess", "total", "term", "orphan"))
    loan, book = row["loanUuid"], world.totality
    last = book.payments[-1] if book.payments and book.payments[-1]["loanUuid"] == loan else None
    if fault == "double" and last is not None and last["status"] == "Completed":
        book.payments.append(last | {"uuid": uuid(draw)})
    elif fault == "stale":
        book.payments.append(totality.pending(uuid(draw), loan, 10_00, as_of - LONG_AGO))
    elif fault == "excess" and row["isActive"]:
        book.payments.append(totality.pending(uuid(draw), loan, 90_000_00, as_of))
    elif fault == "total" and row["isActive"] and row["totalPlanAmount"]:
        row["totalPlanAmount"] += 100
    elif fault == "term" and row["isActive"]:
        book.scheduled_payments.append(book.scheduled_payments[-1] | {"uuid": uuid(draw), "paymentUuid": None})
    else:
        book.payments.append(totality.payment(uuid(draw), uuid(draw), 25_00, as_of - LONG_AGO))


def spoil_payiq(world: World, ids: Ids, row: Row, as_of: date, draw: random.Random) -> None:
    """Leave a stopped account, stale or excess pending money, a double payment or a refund without amount."""
    name: AccountKey = next(reversed(world.payiq.setups))
    account: Row = world.payiq.setups[name]["Accounts"][0]
    paid = world.payiq.payments[name]
    fault = draw.choice(("stopped", "stale", "excess", "double", "refund"))
    if fault == "stopped" or (fault in {"double", "refund"} and not paid):
        account["Stopped"] = True
    elif fault in {"stale", "excess"}:
        day, amount = (as_of - LONG_AGO, 10_00) if fault == "stale" else (as_of, 90_000_00)
        account["PendingPayments"].append(payiq.pending(int(ids.next()), amount, day))
    elif fault == "double":
        paid.append(paid[-1] | {"ID": int(ids.next()) * 10})
    else:
        paid[-1]["Status"] = "Refund"
    row["LastEvaluatedDate"] = payt.stamp(as_of)
