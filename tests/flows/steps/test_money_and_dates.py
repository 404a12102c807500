"""Money that came, went back or is on its way at awkward moments, from the providers' answers to the reports.

One small world of hand-made plans. Unless said otherwise a Totality plan has three terms of 100.00 on 1 March, 1 April
and 1 May 2026 and was made on 14 February; every figure here was worked out by hand from the definitions.
"""

import json
import re
from datetime import date

import pytest

from sandbox.world import World
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.generate_payt import Administration

DUES = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1))
MADE = date(2026, 2, 14)
EARLY, LATE = date(2026, 3, 10), date(2026, 6, 1)
AHEAD = "2090-03-09"
SYMBOLS = {"$": "USD", "€": "EUR"}


class Lender:
    """Totality's rows by short names: plan P is on loan `P`, its terms are `P-1`, `P-2`, its payments as named."""

    def __init__(self, world: World) -> None:
        self.book = world.totality

    def plan(self, name, dues=DUES, amounts=(100_00, 100_00, 100_00), loan=None, created=MADE, **changed):
        if loan is None:
            loan = name
            self.book.loans.append(totality.loan(name, f"customer {name}", sum(amounts), date(2026, 1, 5)))
        stated = {"isPartialPaymentPlan": True, "totalPlanAmount": sum(amounts), "numberOfPayments": len(dues)}
        row = totality.plan(name, loan, dues[0], created, **(stated | changed))
        self.book.payment_plans.append(row)
        for number, (due, amount) in enumerate(zip(dues, amounts, strict=True), start=1):
            self.book.scheduled_payments.append(totality.scheduled(f"{name}-{number}", row, amount, due))

    def names(self, term, payment):
        """Let a term name the payment that processes it."""
        next(row for row in self.book.scheduled_payments if row["uuid"] == term)["paymentUuid"] = payment

    def pay(self, name, loan, amount, day, **changed):
        self.book.payments.append(totality.payment(name, loan, amount, day, **changed))

    def wait(self, name, loan, amount, day, **changed):
        self.book.payments.append(totality.pending(name, loan, amount, day, **changed))


def custom(dues, amounts):
    schedule = [{"date": str(due), "amount": amount} for due, amount in zip(dues, amounts, strict=True)]
    return {"paymentArrangementType": "Custom Payment Schedule", "schedule": schedule}


def lenders_cases(world):
    lender = Lender(world)
    # Ended on 2 May after three payments, of which the third goes back on the 6th.
    for name in ("returned", "covered"):
        lender.plan(name, isActive=False, updatedAt="2026-05-02T09:30:00Z")
        for number, due in enumerate(DUES, start=1):
            back = {"status": "Returned", "returnedAt": "2026-05-06T15:00:00Z"} if number == 3 else {}
            lender.pay(f"{name} {number}", name, 100_00, due, **back)
    lender.pay("covers it", "covered", 100_00, date(2026, 5, 20))
    # A newer plan on a loan whose older plan's money went back; it was paid off two weeks before.
    lender.plan("older", isActive=False, updatedAt="2026-04-10T12:00:00Z")
    lender.pay("older 1", "older", 100_00, DUES[0], status="Returned", returnedAt="2026-04-20T12:00:00Z")
    new = date(2026, 4, 10)
    lender.plan("newer", (new,), (50_00,), loan="older", created=new, createdAt="2026-04-10T12:00:00Z")
    lender.pay("newer 1", "older", 50_00, date(2026, 5, 4))
    # Paid at 15:00, made at 20:00 of the same day.
    lender.plan("evening", createdAt="2026-02-14T20:00:00Z", updatedAt="2026-02-14T20:00:00Z")
    lender.pay("afternoon", "evening", 200_00, MADE, processedAt="2026-02-14T15:00:00Z")
    # Ended at noon, and replaced at noon: money of that morning is the plan's, money of that afternoon is not.
    lender.plan("ended at noon", isActive=False, updatedAt="2026-04-01T12:00:00Z")
    lender.plan("replaced at noon", isActive=False, updatedAt="2026-04-01T12:00:00Z")
    lender.plan("since noon", DUES[2:], (70_00,), "replaced at noon", DUES[1], createdAt="2026-04-01T12:00:00Z")
    for loan in ("ended at noon", "replaced at noon"):
        for hour, amount in (("09", 40_00), ("15", 50_00)):
            lender.pay(f"{loan}, at {hour}", loan, amount, DUES[1], processedAt=f"2026-04-01T{hour}:00:00Z")
    # The second term names the payment on its way, the first is open.
    dues = (date(2026, 5, 1), date(2026, 5, 29), date(2026, 6, 29))
    lender.plan("named", dues, **custom(dues, (100_00,) * 3))
    lender.wait("on its way", "named", 100_00, date(2026, 5, 28), status="Processing")
    lender.names("named-2", "on its way")
    # Entered on 11 May for 15 June.
    lender.plan("planned", (date(2026, 6, 15),), (100_00,))
    lender.wait("entered ahead", "planned", 100_00, date(2026, 5, 11), toBePostedAt="2026-06-15")
    # Two payments entered on one day, a month apart.
    lender.plan("series", (date(2026, 6, 15), date(2026, 7, 15)), (70_00, 70_00))
    lender.wait("series 1", "series", 70_00, date(2026, 5, 28), toBePostedAt="2026-06-15")
    lender.wait("series 2", "series", 70_00, date(2026, 5, 28), toBePostedAt="2026-07-15")
    # A year typed wrong, once of the payment and once of its return.
    lender.plan("slip")
    lender.pay("far ahead", "slip", 100_00, date(2026, 3, 9), processedAt=f"{AHEAD}T12:00:00Z")
    lender.wait("announced far ahead", "slip", 100_00, date(2026, 3, 9), createdAt=f"{AHEAD}T12:00:00Z")
    lender.pay(
        "failed far ahead", "slip", 100_00, date.fromisoformat(AHEAD), status="Failed", createdAt=f"{AHEAD}T12:00:00Z"
    )
    lender.plan("back before")
    lender.pay(
        "back before it came", "back before", 100_00, DUES[0], status="Returned", returnedAt="2025-03-03T12:00:00Z"
    )
    # Made on a Saturday, first due that Saturday, which the rule moves to the Friday before.
    saturday = date(2026, 5, 2)
    moved = {"firstPaymentDate": str(saturday), "movePaymentOnWeekendDays": -1, "createdAt": "2026-05-02T15:00:00Z"}
    lender.plan("weekend", (date(2026, 5, 1), date(2026, 6, 2)), (50_00, 50_00), **moved)
    # Two cents over three terms.
    lender.plan("cents", amounts=(0, 0, 2))
    # Numbers and days of payments run opposite, and what came is more than the plan asks.
    lender.plan("opposite", (date(2026, 3, 1),), (100_00,))
    lender.pay("a, the later", "opposite", 70_00, date(2026, 2, 25))
    lender.pay("b, the earlier", "opposite", 50_00, date(2026, 2, 20))
    # Of 110.00 paid, 10.00 went to fees.
    lender.plan("fees")
    lender.pay("with fees", "fees", 110_00, DUES[0], fees=10_00, principal=90_00, interest=10_00)


def billers_cases(world):
    book = world.payiq

    def account(number, created, **plan):
        key = payiq.key(number)
        row = payiq.account(number, key[1], 300_00, date(2026, 6, 1), ExistingPaymentPlanID=9000 + number)
        book.setups[key] = payiq.setup([row], 300_00)
        bill = {"AccountID": number, "AccountNumber": key[1]}
        start = {"DateToStart": "2026-03-01T00:00:00Z", "BillingAccounts": [bill]}
        book.plans[9000 + number] = payiq.plan(9000 + number, 300_00, 100_00, 1, created, **(start | plan))
        book.payments[key] = []
        return key

    evening = account(1, MADE, CreateDate="2026-02-14T20:00:00Z")
    stamps = {"CreateDate": "2026-02-14T15:00:00Z", "PaymentDate": "2026-02-14T15:00:00Z"}
    book.payments[evening].append(payiq.payment(101, evening, 200_00, MADE, **stamps))
    partly = account(2, MADE)
    for number, due in enumerate(DUES):
        row = payiq.payment(201 + 10 * number, partly, 100_00, due)
        if number == 0:
            row |= {
                "Status": "ReturnedDebit",
                "InvoicePayments": [payiq.invoice_payment(202, partly[1], 100_00, 25_00)],
            }
        book.payments[partly].append(row)
    planned = account(3, MADE)
    book.setups[planned]["Accounts"][0]["PendingPayments"] = [payiq.pending(301, 100_00, date(2026, 5, 11))]
    book.payments[planned].append(
        payiq.payment(301, planned, 100_00, date(2026, 5, 11), Status="Pending", PaymentDate="2026-06-15T12:00:00Z")
    )
    foreign = account(5, MADE)
    euros = {"CurrencySymbol": "€"}
    book.payments[foreign].append(payiq.payment(501, foreign, 100_00, DUES[0], **euros))
    book.payments[foreign].append(payiq.payment(511, foreign, 60_00, DUES[1]))
    ahead = account(4, MADE)
    book.payments[ahead].append(payiq.payment(401, ahead, 100_00, DUES[0], PaymentDate=f"{AHEAD}T12:00:00Z"))


def offices_cases(world):
    office, book = Administration("1001"), world.payt
    book.administrations.append(office.row("One"))
    book.debtors.append(office.debtor("1", MADE))
    terms = [office.term("11", 100_00, 0, DUES[0], date.fromisoformat(AHEAD)), office.term("12", 0, 0, DUES[1], None)]
    book.payment_plans.append(office.plan("10", "1", terms, MADE))
    book.invoices.append(office.invoice("20", "1", 100_00, 0, MADE, active_payment_plan_id="10"))
    book.payments.append(office.payment("30", "20", 100_00, date.fromisoformat(AHEAD)))
    for number, told in (
        ("31", {"transaction_type": "write_off"}),
        ("32", {"transaction_type": "credit"}),
        ("33", {"cost_type": "administration_costs"}),
    ):
        book.payments.append(office.payment(number, "20", 7_00, date.fromisoformat(AHEAD), **told))

    # 100.00 came and went back: within the settlement window (Friday and Monday) on plan 40, long before it on plan 50.
    for plan_id, back_on in (("40", date(2026, 5, 29)), ("50", date(2026, 4, 13))):
        owed = [
            office.term(f"{plan_id}1", 100_00, 0, DUES[0], DUES[0]),
            office.term(f"{plan_id}2", 100_00, 100_00, LATE),
        ]
        book.payment_plans.append(office.plan(plan_id, "1", owed, MADE))
        invoice = f"{plan_id}3"
        book.invoices.append(office.invoice(invoice, "1", 200_00, 100_00, MADE, active_payment_plan_id=plan_id))
        book.payments.append(office.payment(f"{plan_id}4", invoice, 100_00, DUES[0]))
        book.payments.append(office.payment(f"{plan_id}5", invoice, -100_00, back_on, transaction_type="reversal"))


@pytest.fixture(scope="module")
def desk(open_desk, tmp_path_factory):
    world = World()
    lenders_cases(world)
    billers_cases(world)
    offices_cases(world)
    with open_desk(tmp_path_factory.mktemp("money"), world) as desk:
        desk.sections["providers.payiq.currency_symbols"] = {
            json.dumps(symbol): code for symbol, code in SYMBOLS.items()
        }
        desk.configure(reports={"formats": ["csv", "html"]})
        desk.folders = {LATE: desk.run(LATE).folder}
        desk.folders[EARLY] = desk.report(EARLY).folder
        yield desk


def has(desk, name, day=LATE, **wanted):
    """The plan's row of the day's report holds these cells."""
    [row] = [row for row in desk.rows("plans", desk.folders[day]) if row["plan_id"] == name]
    assert {column: row[column] for column in wanted} == wanted
    return True


def terms(desk, name, *columns, day=LATE):
    rows = [row for row in desk.rows("terms", desk.folders[day]) if row["plan_id"] == name]
    return [tuple(row[column] for column in columns) for row in sorted(rows, key=lambda row: int(row["term_no"]))]


def payment(desk, name, day=LATE):
    [row] = [row for row in desk.rows("payments", desk.folders[day]) if row["payment_id"] == name]
    return row


def told(desk, name, day=LATE):
    """Code, reason and what it names of the breaks of one plan, schedules left out."""
    rows = [
        row for row in desk.rows("breaks", desk.folders[day]) if row["plan_id"] == name and row["state"] != "RESOLVED"
    ]
    return {(row["code"], row["reason"], row["payment_id"] or row["term_id"]) for row in rows}


@pytest.mark.parametrize("day", [EARLY, LATE], ids=str)
def test_the_second_answer_agrees_with_every_figure(desk, compare, day):
    assert compare(desk, desk.folders[day], day, currency_symbols=SYMBOLS) == []


def test_money_that_went_back_after_the_plan_had_ended_is_a_high_break_and_on_the_list(desk):
    rows = {
        row["payment_id"]: row for row in desk.rows("breaks", desk.folders[LATE]) if row["code"] == "RETURNED_AFTER_END"
    }
    assert set(rows) == {"returned 3", "older 1"}, "the payment of 20 May covers the return on the loan `covered`"
    row = rows["returned 3"]
    assert (row["severity"], row["plan_id"], row["expected"], row["actual"]) == ("high", "returned", "0.00", "100.00")
    page = (desk.folders[LATE] / "report.html").read_text(encoding="utf-8")
    kind = r'RETURNED_AFTER_END</td><td class="n" data-label="Open">2</td>'
    assert re.search(kind, page)


def test_no_newer_plan_is_called_paid_and_active_while_money_of_an_older_one_is_owed_again(desk):
    assert has(desk, "newer", status="ACTIVE", outstanding="0.00")
    assert told(desk, "newer") == set()


def test_money_that_came_before_the_plan_was_made_on_the_same_day_is_not_the_plans(desk):
    figures = {"received": "0.00", "overdue": "100.00", "outstanding": "300.00"}
    assert has(desk, "evening", EARLY, **figures)
    assert payment(desk, "afternoon", EARLY)["plan_id"] == ""
    assert has(desk, "9001", received="0.00", overdue="300.00")


def test_pending_money_goes_to_the_term_that_names_it(desk):
    assert terms(desk, "named", "pending") == [("0.00",), ("100.00",), ("0.00",)]
    assert has(desk, "named", days_past_due="31", shadow_days_past_due="31")


def test_a_payment_entered_ahead_is_not_stale_before_its_day(desk):
    assert told(desk, "planned") == told(desk, "9003") == set()
    assert payment(desk, "entered ahead")["class"] == "pending"


def test_two_payments_entered_on_one_day_for_two_months_are_no_double(desk):
    assert told(desk, "series") == set()


def test_of_a_returned_debit_only_what_its_invoice_payments_say_went_back(desk):
    assert payment(desk, "201")["reversed_amount"] == "25.00"
    assert has(desk, "9002", received="275.00", overdue="25.00")


@pytest.mark.parametrize(("name", "owner"), [("far ahead", "slip"), ("401", "9004"), ("30", "")])
@pytest.mark.parametrize("day", [EARLY, LATE], ids=str)
def test_a_payment_dated_after_it_was_read_is_listed_and_told_and_pays_nothing(desk, name, owner, day):
    row = payment(desk, name, day)
    assert (row["effective_date"], row["class"], row["plan_id"]) == (AHEAD, "received", owner)
    assert ("STATUS_CONTRADICTION", "FUTURE_DATED", name) in told(desk, owner, day)
    if owner:
        assert has(desk, owner, day, received="0.00", unapplied="0.00")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("announced far ahead", "pending"),
        ("failed far ahead", "failed"),
        ("31", "written_off"),
        ("32", "credit"),
        ("33", "cost"),
    ],
)
@pytest.mark.parametrize("day", [EARLY, LATE], ids=str)
def test_a_payment_of_any_class_dated_after_it_was_read_is_listed_and_moves_no_money(desk, name, word, day):
    assert payment(desk, name, day)["class"] == word
    assert name not in {named for _, _, named in told(desk, "slip", day) | told(desk, "", day)}
    assert has(desk, "slip", day, pending="0.00")


def test_money_of_the_day_a_plan_ended_or_was_replaced_is_the_plans_until_that_moment(desk):
    assert has(desk, "ended at noon", received="40.00")
    assert payment(desk, "ended at noon, at 15")["plan_id"] == ""
    assert has(desk, "replaced at noon", received="40.00", status="SUPERSEDED")
    assert has(desk, "since noon", received="50.00", outstanding="20.00")


def test_a_term_paid_after_it_was_read_is_open_and_told(desk):
    assert ("STATUS_CONTRADICTION", "FUTURE_DATED", "11") in told(desk, "10")
    assert terms(desk, "10", "state", "outstanding") == [("MISSED", "100.00"), ("PAID_EARLY", "0.00")]


def test_a_return_dated_before_its_payment_is_told(desk):
    assert ("STATUS_CONTRADICTION", "RETURNED_BEFORE_PAID", "back before it came") in told(desk, "back before")


def test_a_first_term_that_a_weekend_moved_before_the_plans_creation_is_told(desk):
    [row] = [row for row in desk.rows("breaks", desk.folders[LATE]) if row["plan_id"] == "weekend"]
    assert (row["reason"], row["actual"], row["difference_days"]) == ("FIRST_DATE_BEFORE_CREATION", "2026-05-01", "-1")


def test_terms_of_nothing_are_paid_since_the_plan_was_made_and_not_waived(desk):
    found = terms(desk, "cents", "state", "satisfied_on", "waived")
    assert found == [("PAID_EARLY", "2026-02-14", "0.00")] * 2 + [("MISSED", "", "0.00")]


def test_what_terms_took_of_each_payment_follows_its_day_not_its_number(desk):
    assert payment(desk, "b, the earlier")["allocated"] == "50.00"
    assert payment(desk, "a, the later")["allocated"] == "50.00"
    assert has(desk, "opposite", received="100.00", unapplied="20.00")


@pytest.mark.fault(28)
def test_money_of_another_currency_pays_nothing_of_the_plan(desk):
    assert has(desk, "9005", currency="USD", received="60.00", unapplied="0.00", outstanding="240.00", overdue="240.00")
    row = payment(desk, "501")
    assert (row["plan_id"], row["currency"], row["allocated"]) == ("9005", "EUR", "0.00")
    assert payment(desk, "511")["allocated"] == "60.00"
    assert told(desk, "9005") == {("CURRENCY_DIFF", "PAYMENT", "501")}


@pytest.mark.parametrize(("name", "kind"), [("40", "timing"), ("50", "real")])
def test_a_reversal_inside_the_settlement_window_makes_a_drift_timing_and_an_older_one_does_not(desk, name, kind):
    rows = [row for row in desk.rows("breaks", desk.folders[LATE]) if row["plan_id"] == name]
    [drift] = [row for row in rows if row["code"] == "BALANCE_DRIFT"]
    assert (drift["kind"], drift["expected"], drift["actual"]) == (kind, "200.00", "100.00")


def test_fees_satisfy_no_term_where_the_configuration_says_so(desk, compare):
    assert has(desk, "fees", received="110.00", overdue="190.00", unapplied="0.00")
    desk.configure(totality={"allocates": "PRINCIPAL_INTEREST"})
    try:
        desk.folders["parted"] = desk.report(LATE).folder
    finally:
        desk.configure(totality={"allocates": None})
    assert has(desk, "fees", "parted", received="100.00", overdue="200.00", unapplied="10.00")
    assert compare(desk, desk.folders["parted"], LATE, allocates="PRINCIPAL_INTEREST", currency_symbols=SYMBOLS) == []
