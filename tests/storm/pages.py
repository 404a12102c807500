"""Pages valid by a provider's own contract, with whatever texts, drawn from one seed."""

import random
from datetime import date, timedelta

ODD = [
    "",
    " ",
    "0",
    "-",
    "null",
    "=1+1",
    "\x1b[31m",
    "\u202eabc",
    "é",
    "😀",
    "a" * 300,
    "1,50",
    "1.005",
    "1e9",
    "NaN",
    "'",
    '"',
    "\\",
    "\t",
]
ZONES = ["Europe/Amsterdam", "Amsterdam", "UTC", "", "Mars/Olympus", "europe/amsterdam", "GMT+2"]
CODES = ["EUR", "eur", "JPY", "KWD", "EURO", "", "XXX"]


class Maker:
    """Values of the types that the contracts give, drawn from one seed; `calm` leaves amounts, dates and ids as usual."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.calm = False

    def one(self, *values):
        return self.draw.choice(values)

    def text(self):
        return (
            self.one(*ODD)
            if self.draw.random() < 0.5
            else "".join(self.draw.choices("abc 019-_/é", k=self.draw.randint(1, 12)))
        )

    def ident(self):
        return str(self.draw.randint(1, 400)) if self.calm or self.draw.random() < 0.8 else "x" + self.text()[:50]

    def decimal(self):
        if self.calm:
            return f"{self.draw.randint(0, 99999)}.{self.draw.randint(0, 99):02}"
        return self.one("0.00", "100.00", "-5.00", "12.34", "1.005", "500", "99999999999999999999.99", self.text())

    def day(self):
        usual = (date(2026, 1, 1) + timedelta(days=self.draw.randint(0, 400))).isoformat()
        return (
            usual
            if self.calm or self.draw.random() < 0.8
            else self.one("0000-01-01", "9999-12-31", "2026-02-30", self.text())
        )

    def moment(self):
        if self.calm:
            return f"{self.day()}T12:30:00Z"
        usual = (
            f"{self.day()[:10]}{self.one('T', 't', ' ')}{self.draw.randint(0, 23):02}:30:{self.one('00', '59', '60')}"
        )
        return usual + self.one("Z", "z", ".1234567Z", "+02:00", "-11:30", "")

    def maybe(self, value):
        return value if self.draw.random() < 0.85 else None

    def flag(self):
        return self.draw.random() < 0.5

    def cents(self):
        if self.calm:
            return self.draw.randint(1, 99999)
        return self.one(0, 1, 10000, -500, 2**31 - 1, -(2**31), 10**15)

    def number(self):
        if self.calm:
            return self.draw.randint(1, 99999) / 4
        return self.one(0, 1, 2.5, 12.34, -3.0, 1e12, 5.005)

    def rows(self, make, most=4):
        return [make() for _ in range(self.draw.randint(0, most))]

    def object(self, **fields):
        """An object whose optional fields, those given as functions in a list, may be left out."""
        made = {}
        for name, value in fields.items():
            if not (isinstance(value, list) and len(value) == 1 and callable(value[0])):
                made[name] = value
            elif self.draw.random() < 0.8:
                made[name] = value[0]()
        return made


def payt_page(make):
    entity = make.one(
        "payment_plans",
        "payments",
        "psp_transactions",
        "invoices",
        "credit_cases",
        "administrations",
        "deleted_payments",
    )

    def own():
        return {"id": make.ident(), "administration_id": "1"}

    def term():
        return {
            "id": make.ident(), "total_amount": make.decimal(), "amount_due": make.decimal(),
            "due_date": make.day(), "payment_date": make.maybe(make.day()),
        }  # fmt: skip

    stamps = {
        f"{name}_at": [lambda: make.maybe(make.moment())]
        for name in ("approved", "proposed", "rejected", "deactivated")
    }
    amounts = {name: make.decimal() for name in ("total_amount", "open_amount")}
    row = {
        "payment_plans": lambda: own() | make.object(
            auto_activated=make.flag(), debtor_id=make.ident(), created_at=make.moment(), updated_at=make.moment(),
            payment_terms=[lambda: make.rows(term)], active=[make.flag], reason=[lambda: make.maybe(make.text())], **stamps,
        ),
        "payments": lambda: own() | make.object(
            invoice_id=make.ident(), updated_at=make.moment(), total_amount=make.decimal(), total_book_amount=make.decimal(),
            payment_date=make.day(), cost_type=[make.text], transaction_type=[make.text], description=[make.text],
        ),
        "psp_transactions": lambda: own() | make.object(
            debtor_id=make.ident(), invoice_ids=make.rows(make.ident), currency_code=make.one(*CODES), payment_method=make.text(),
            status=make.one("pending", "paid", "teleported", make.text()), amount=make.decimal(), book_amount=make.decimal(),
            updated_at=make.moment(), paid_at=[lambda: make.maybe(make.moment())],
        ),
        "invoices": lambda: own() | amounts | make.object(
            debtor_id=make.ident(), invoice_number=make.text(), currency_code=make.one(*CODES), due_date=make.day(),
            updated_at=make.moment(), active_payment_plan_id=[lambda: make.maybe(make.ident())],
            active_credit_case_id=[lambda: make.maybe(make.ident())], paused_at=[lambda: make.maybe(make.moment())],
        ),
        "credit_cases": lambda: own() | amounts | make.object(
            debtor_id=make.ident(), credit_case_number=make.text(), currency_code=make.one(*CODES), started_at=make.moment(),
            updated_at=make.moment(), active_payment_plan_id=[lambda: make.maybe(make.ident())],
        ),
        "administrations": lambda: {
            "id": "1", "name": make.text(), "status": make.one("active", "inactive"),
            "currency_code": make.one(*CODES), "timezone": make.one(*ZONES), "country_code": make.text(),
        },
        "deleted_payments": lambda: own() | {"invoice_id": make.ident(), "origin_identifier": make.text(), "deleted_at": make.moment()},
    }[entity]  # fmt: skip
    return entity, {"data": make.rows(row, 6)}, {"administration_id": "1"}


def totality_page(make):
    entity = make.one("loans", "payment_plans", "scheduled_payments", "payments")

    def own():
        return {"uuid": make.ident(), "createdAt": make.moment(), "updatedAt": make.moment()}

    def entry():
        return {"date": make.day(), "amount": make.cents()}

    words = {
        "paymentFrequency": ["days", "weekly", "monthly", "semi-monthly", "hourly"],
        "scheduleType": ["Day-Based", "Weekday-Based", None],
        "paymentArrangementType": ["Payment Amount Based", "Payment Number Based", "Custom Payment Schedule"],
    }
    row = {
        "loans": lambda: own() | {"customerUuid": make.ident(), "status": make.text(), "balance": make.cents()},
        "payment_plans": lambda: own() | {name: make.one(*values) for name, values in words.items()} | make.object(
            loanUuid=make.ident(), isActive=make.flag(), firstPaymentDate=make.day(), totalPlanAmount=[lambda: make.maybe(make.cents())],
            numberOfPayments=[lambda: make.maybe(make.cents())], firstPaymentDay=[lambda: make.one(1, 31, 0, 99)],
            schedule=[lambda: make.rows(entry)], weekdayOfFirstPayment=[make.text], paymentAmount=[make.cents],
        ),
        "scheduled_payments": lambda: own() | make.object(
            loanUuid=make.ident(), amount=make.cents(), paymentDate=make.day(), paymentPlanUuid=[lambda: make.maybe(make.ident())],
            paymentUuid=[lambda: make.maybe(make.ident())], isECheck=[make.flag],
        ),
        "payments": lambda: own() | make.object(
            loanUuid=make.ident(), amount=make.cents(), status=make.one("Posted", "Returned", "Pending", make.text()),
            processedAt=[make.moment], postedAt=[make.moment], settledOn=[make.day], returnedAt=[make.moment],
            isPromise=[make.flag], isPrenote=[make.flag], description=[make.text],
        ),
    }[entity]  # fmt: skip
    return entity, make.rows(row, 6), {}


def payiq_page(make):
    entity = make.one("setup", "plan", "payments")

    def pending():
        return {
            "TransactionID": make.draw.randint(1, 99), "Status": make.one("Initiated", make.text()), "AccountTotal": make.number(),
            "Total": make.number(), "CreateDate": make.moment(),
        }  # fmt: skip

    def account():
        return make.object(
            AccountID=make.draw.randint(1, 9), AccountNumber=make.text(), AmountDue=make.number(), CurrencySymbol=make.one("$", "€", ""),
            DueDate=make.moment(), ExistingPaymentPlanID=make.maybe(7), PendingPayments=[lambda: make.rows(pending)],
            Stopped=make.flag(), UpdateDate=make.moment(),
        )  # fmt: skip

    def tier():
        return {
            "Minimum": make.number(),
            "Maximum": make.number(),
            "PaymentCount": 3,
            "RestrictedMinimum": make.number(),
        }

    def part():
        return {
            "ReferenceNumber": make.text(),
            "Amount": make.maybe(make.number()),
            "ReversalAmount": make.maybe(make.number()),
        }

    def own():
        return {"Date": make.moment(), "Amount": make.number()}

    result = {
        "setup": lambda: {
            "Accounts": make.rows(account), "Tiers": make.rows(tier), "AllowDueDay": make.flag(), "EnforceDueDate": make.flag(),
            "DayDue": make.one(0, 2, 31, 99), "DefaultMonthlyPayment": make.number(), "InitialBalance": make.number(),
            "MaximumTerm": 6, "Message": make.text(), "PlanType": make.one("Fixed", "Variable", make.text()),
        },
        "plan": lambda: make.object(
            PaymentPlanID=make.draw.randint(1, 9), PaymentName=make.text(), CreateDate=make.moment(), CurrencySymbol=make.one("$", "€"),
            DayType=make.text(), DayToPay=make.one(0, 1, 31, 99), InitialBalance=make.number(), PaymentAmount=make.number(),
            Payments=[lambda: make.rows(own)], LastPaymentDate=make.moment(), BillingAccounts=make.rows(account),
        ),
        "payments": lambda: make.rows(lambda: make.object(
            ID=make.draw.randint(1, 99), Status=make.one("Paid", "Refund", "ReturnedDebit", make.text()), Total=make.number(),
            CreateDate=make.moment(), PaymentDate=[make.moment], CurrencySymbol=make.one("$", "€"), CustomerName=make.text(),
            InvoicePayments=[lambda: make.rows(part)],
        ), 6),
    }[entity]()  # fmt: skip
    return (
        entity,
        {"Success": True, "ErrorCode": "None", "Errors": [], "Result": result},
        {"reference_number": "R1", "other_data": ""},
    )


MAKERS = {"payt": payt_page, "totality": totality_page, "payiq": payiq_page}
