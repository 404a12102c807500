"""Changes at the providers from the command line: what is shown, what is sent, how often, and how the command ends."""

import csv
import hashlib
import io
import json
import threading
import time
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from urllib.parse import parse_qsl

import msgspec
import pytest
from storm import faults
from storm.worlds import loan_body, payiq_world, payt_world, totality_world

import flows.clock
import flows.commands.writes.plans
from flows.commands import cli
from writes.engine import Engine
from writes.intents import APPROVED, DONE, PARKED, SENDING, UNKNOWN
from writes.ledger import Ledger

LOAN, LMS_PLAN = "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-9000-000000000000"
PAYT_BODY = {
    "administration_id": "1001",
    "cc_email_address": "canary-person@example.test",
    "terms": [{"amount": 100.5, "due_date": "2026-12-10"}, {"amount": 199.5, "due_date": "2027-01-11"}],
    "invoice_numbers": ["F0"],
}
BILL_BODY = {
    "CustomerToken": "customer-token-0",
    "ReferenceNumber": "REF-0",
    "PaymentName": "Winter",
    "DayType": "DayOfMonth",
    "DayToPay": 31,
    "PaymentAmount": 100,
}
BODIES = {"payt": PAYT_BODY, "totality": loan_body() | {"loanUuid": LOAN}, "payiq": BILL_BODY}
CHANGED = {"totality": {"collectorUserId": 9, "contactMethod": "SMS"}, "payiq": BILL_BODY | {"PaymentAmount": 150}}
PLANS = {"payt": "100", "totality": LMS_PLAN, "payiq": "700"}
ACTS = [
    ("create", "payt"),
    ("approve", "payt"),
    ("reject", "payt"),
    ("deactivate", "payt"),
    ("create", "totality"),
    ("update", "totality"),
    ("deactivate", "totality"),
    ("create", "payiq"),
    ("update", "payiq"),
    ("deactivate", "payiq"),
]
EACH = pytest.mark.parametrize(("act", "provider"), ACTS, ids=[" ".join(reversed(one)) for one in ACTS])


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(flows.commands.writes.plans, "pause", lambda _seconds: None)


@pytest.fixture
def town(desk, capsys):
    """Commands on a desk in a town of three loans, bills and debtors; accounts have plans where asked for."""

    def opened(*, with_plans=False):
        world = payt_world()
        world.totality, world.payiq = totality_world().totality, payiq_world(with_plans=with_plans).payiq
        return Town(desk(world), capsys)

    return opened


class Town:
    def __init__(self, desk, capsys):
        self.desk, self.capsys, self.world, self.sandbox = desk, capsys, desk.world, desk.sandbox
        self.out = self.err = ""

    def ask(self, *arguments):
        """Run one command here; return its exit code."""
        code = cli.execute(["plan", *map(str, arguments), "--config", str(self.desk.file)])
        self.out, self.err = self.capsys.readouterr()
        return code

    def file(self, given, name="changes.json"):
        path = self.desk.folder / name
        path.write_text(given if isinstance(given, str) else json.dumps(given), encoding="utf-8")
        return path

    def arguments(self, act, provider):
        """What asks for one change."""
        common = ["--provider", provider]
        if act == "create":
            return ["create", "--file", str(self.file(BODIES[provider])), *common]
        plan = "200" if (act, provider) == ("deactivate", "payt") else PLANS[provider]
        more = ["--file", str(self.file(CHANGED[provider]))] if act == "update" else []
        return [act, plan, *more, *common]

    def create(self, provider, *more, body=None):
        return self.ask("create", "--provider", provider, "--file", self.file(body or BODIES[provider]), *more)

    @property
    def mutations(self):
        """The requests that change something, of all providers."""
        harmless = ("auth", "oauth", "setup")
        return [
            one
            for name in ("payt", "totality", "payiq")
            for one in self.sandbox.requests[name]
            if one.method != "GET" and not any(word in one.path.lower() for word in harmless)
        ]

    @property
    def asked(self):
        return sum(len(requests) for requests in self.sandbox.requests.values())

    @property
    def intents(self):
        return Ledger(self.desk.state_dir).intents()

    def fault(self, act, provider, fault, **more):
        method = {"create": "P(OST|UT)", "update": "P(ATCH|OST)", "deactivate": "(DELETE|PATCH)"}.get(act, "PATCH")
        return self.sandbox.faults.add(
            fault, match=rf"^{method} .*[pP]ayment.?[pP]lans?(/|$|\?)(?!Setup)", provider=provider, **more
        )

    def wait_for_mutation(self, child):
        """Wait until a request that changes something has come in, or the process has ended."""
        while not self.mutations and child.poll() is None:
            time.sleep(0.02)

    def preview(self):
        """The hash that the dry run has printed."""
        return self.out.partition("preview ")[2].split()[0]

    def files(self):
        return {
            path: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.desk.folder.rglob("*")
            if path.is_file()
        }


def plans_of(world, provider):
    held = getattr(world, provider)
    return len(held.plans if provider == "payiq" else held.payment_plans)


# Without --yes


@EACH
def test_without_yes_nothing_is_sent_and_no_file_changes(town, act, provider):
    here = town(with_plans=act != "create")
    arguments = here.arguments(act, provider)
    before = here.files()
    assert here.ask(*arguments) == 0
    assert here.mutations == []
    assert here.files() == before
    assert not here.desk.state_dir.exists()
    assert "dry run: nothing was sent. 1 to send" in here.out


def test_the_preview_says_in_words_what_would_happen_and_shows_the_request(town):
    here = town()
    here.create("payt")
    for words in (
        "create a plan at payt/1001: 2 terms, 300.00 EUR, 2026-12-10 to 2027-01-11",
        "2026-12-10  100.50 EUR",
        "2027-01-11  199.50 EUR",
        "POST /v1/payment_plans",
        '"terms":[{"amount":100.5,"due_date":"2026-12-10"},{"amount":199.5,"due_date":"2027-01-11"}]',
        "1 to send, 300.00 EUR; preview ",
    ):
        assert words in here.out


@pytest.mark.fault(56)
def test_a_create_at_totality_shows_the_scheduled_payments_that_it_removes(town):
    here = town()
    scheduled = here.world.totality.scheduled_payments
    first = scheduled[0]
    scheduled += [
        first | {"uuid": "a", "paymentDate": "2027-01-05", "amount": 12345},
        first | {"uuid": "b", "paymentDate": "2026-11-05", "amount": 777, "paymentUuid": "paid"},
        first | {"uuid": "c", "loanUuid": "another", "amount": 888},
    ]
    assert here.create("totality") == 0
    assert "removes 2 scheduled payments, 323.45 " in here.out
    told = here.out.split("removes 2")[1].splitlines()[1:3]
    assert [line.split() for line in told] == [["2026-12-05", "200.00"], ["2027-01-05", "123.45"]]
    # three terms of the balance of 600.00
    assert [line.split()[1:] for line in here.out.splitlines() if line.endswith(" USD")][:3] == [
        ["2026-12-01", "200.00", "USD"],
        ["2027-01-01", "200.00", "USD"],
        ["2027-02-01", "200.00", "USD"],
    ]


# With --yes


def test_a_create_at_payt_is_one_post_of_its_json(town):
    here = town()
    assert here.create("payt", "--yes") == 0
    (sent,) = here.mutations
    assert (sent.method, sent.path, sent.query) == ("POST", "/v1/payment_plans", "")
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.body) == PAYT_BODY
    made = here.world.payt.payment_plans[-1]
    assert [(term["due_date"], term["total_amount"]) for term in made["payment_terms"]] == [
        ("2026-12-10", "100.50"),
        ("2027-01-11", "199.50"),
    ]


@pytest.mark.parametrize(("act", "plan"), [("approve", "100"), ("reject", "100"), ("deactivate", "200")])
def test_a_change_of_state_at_payt_is_one_patch_of_a_form(town, act, plan):
    here = town()
    assert here.ask(act, plan, "--provider", "payt", "--yes") == 0
    (sent,) = here.mutations
    assert (sent.method, sent.path, sent.query) == ("PATCH", f"/v1/payment_plans/{plan}/{act}", "")
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    form = dict(parse_qsl(sent.body.decode()))
    assert (set(form), form["administration_id"]) == ({"administration_id", "fields"}, "1001")
    row = next(row for row in here.world.payt.payment_plans if row["id"] == plan)
    assert row[{"approve": "approved_at", "reject": "rejected_at", "deactivate": "deactivated_at"}[act]]


@pytest.mark.parametrize("act", ["approve", "reject"])
def test_a_decision_on_a_proposal_names_no_provider_because_payt_alone_has_proposals(town, act):
    here = town()
    assert here.ask(act, "100", "--yes") == 0
    (sent,) = here.mutations
    assert (sent.method, sent.path) == ("PATCH", f"/v1/payment_plans/100/{act}")


def test_the_changes_at_totality_are_one_request_each(town):
    here = town()
    assert here.create("totality", "--yes") == 0
    assert (
        here.ask("update", LMS_PLAN, "--file", here.file(CHANGED["totality"]), "--provider", "totality", "--yes") == 0
    )
    assert here.ask("deactivate", LMS_PLAN, "--provider", "totality", "--yes") == 0
    create, update, delete = here.mutations
    assert (create.method, create.path, create.query) == ("POST", f"/api/loans/{LOAN}/payment-plans", "")
    assert json.loads(create.body) == loan_body()
    assert create.headers["content-type"] == "application/json"
    assert (update.method, update.path, json.loads(update.body)) == (
        "PATCH",
        f"/api/payment-plans/{LMS_PLAN}",
        CHANGED["totality"],
    )
    assert (delete.method, delete.path, delete.body) == ("DELETE", f"/api/payment-plans/{LMS_PLAN}", b"")


def test_the_changes_at_payiq_are_one_request_each_with_the_customers_token(town):
    here = town()
    assert here.create("payiq", "--yes") == 0
    (number,) = here.world.payiq.plans
    body = here.file(CHANGED["payiq"])
    assert here.ask("update", number, "--file", body, "--provider", "payiq", "--yes") == 0
    assert here.ask("deactivate", number, "--provider", "payiq", "--yes") == 0
    create, update, delete = here.mutations
    assert (create.method, create.path, json.loads(create.body)) == ("PUT", "/PayIQ/Api/PaymentPlan", BILL_BODY)
    assert (update.method, update.path) == ("POST", "/PayIQ/Api/PaymentPlan")
    assert json.loads(update.body) == CHANGED["payiq"] | {"PaymentPlanID": number}
    assert (delete.method, delete.path) == ("DELETE", "/PayIQ/Api/PaymentPlan")
    assert sorted(parse_qsl(delete.query)) == [("customerToken", "customer-token-0"), ("paymentPlanID", str(number))]
    assert here.world.payiq.plans == {}


@EACH
def test_a_change_asked_for_twice_is_made_once_and_the_second_answer_says_so(town, act, provider):
    here = town(with_plans=act != "create")
    arguments = [*here.arguments(act, provider), "--yes"]
    assert here.ask(*arguments) == 0
    assert "done: " in here.out
    assert here.ask(*arguments) == 0
    assert "nothing was sent" in here.out
    assert here.ask(*arguments, "--format", "json") == 0
    (told,) = json.loads(here.out)
    assert (told["state"], told["operation"]) == ("done", act)
    assert len(here.mutations) == 1
    assert len(here.intents) == 1


def test_the_same_is_created_again_only_for_a_reason_which_the_log_keeps(town):
    here = town()
    here.create("payt", "--yes")
    count = len(here.world.payt.payment_plans)
    # the body names an invoice that is in a plan now
    here.world.payt.invoices[0]["active_payment_plan_id"] = None
    assert here.create("payt", "--yes", "--again", "the first was for another debt") == 0
    assert (len(here.mutations), len(here.world.payt.payment_plans)) == (2, count + 1)
    assert [one.again for one in here.intents] == ["", "the first was for another debt"]


def test_several_changes_are_sent_in_the_order_of_the_file_and_answered_each(town):
    here = town()
    bodies = [PAYT_BODY | {"invoice_numbers": [f"F{number}"]} for number in (2, 0, 1)]
    assert here.create("payt", "--yes", "--format", "json", body=bodies) == 0
    told = json.loads(here.out)
    assert [one["state"] for one in told] == ["done"] * 3
    assert [json.loads(one.body)["invoice_numbers"] for one in here.mutations] == [["F2"], ["F0"], ["F1"]]
    made = {plan["id"]: plan["debtor_id"] for plan in here.world.payt.payment_plans}
    assert [made[one["plan_id"]] for one in told] == ["52", "50", "51"]
    # two are done already, the third is new
    assert here.create("payt", "--yes", body=[bodies[0], bodies[1] | {"terms": PAYT_BODY["terms"][:1]}]) == 2
    assert len(here.mutations) == 3


@pytest.mark.parametrize("provider", list(BODIES))
def test_an_object_a_list_and_a_csv_make_the_same_request(town, provider):
    here, body = town(), BODIES[provider]
    cells = {name: "" if value is None else value for name, value in body.items()}
    if provider == "payt":
        cells |= {"terms": "2026-12-10 100.5; 2027-01-11 199.5", "invoice_numbers": "F0"}
    text = io.StringIO()
    writer = csv.DictWriter(text, cells)
    writer.writeheader()
    writer.writerow(cells)
    european = io.StringIO()
    heads = csv.writer(european, delimiter=";", lineterminator="\r\n")
    heads.writerow([*(name.upper() for name in cells), "", "remarks"])
    heads.writerow([*(str(cell).upper() if isinstance(cell, bool) else cell for cell in cells.values()), "", ""])
    european.write(";" * (len(cells) + 1) + "\r\n")
    files = [here.file(body, "one.json"), here.file([body], "list.json"), here.file(text.getvalue(), "table.csv")]
    files += [here.file("\ufeff" + european.getvalue(), "european.csv")]
    found = set()
    for file in files:
        assert here.ask("create", "--provider", provider, "--file", file) == 0
        found.add(here.preview())
    assert len(found) == 1


def test_the_same_plan_written_otherwise_is_not_made_again(town):
    here = town()
    assert here.create("payt", "--yes") == 0
    with here.world.changing():
        here.world.payt.invoices[0]["active_payment_plan_id"] = None
    again = PAYT_BODY | {"terms": PAYT_BODY["terms"][::-1]}
    text = json.dumps(dict(reversed(again.items()))).replace("100.5", "100.50")
    assert here.create("payt", "--yes", body=text) == 0
    assert "done before as intent" in here.out
    assert len(here.mutations) == 1
    both = f"[{json.dumps(PAYT_BODY)}, {text}]"
    assert here.create("payt", "--yes", body=both) == 2
    assert "changes 1 and 2 are the same" in here.err


# Exit codes


def test_an_unknown_plan_is_2(town):
    here = town()
    for provider, name in (("payt", "999999"), ("totality", "11111111-0000-4000-8000-000000000000"), ("payiq", "999")):
        act = "reject" if provider == "payt" else "deactivate"
        assert here.ask(act, name, "--provider", provider, "--yes") == 2
        assert here.err.startswith("usage: ")
    assert here.ask("reject", "100", "--provider", "payt", "--tenant", "2002", "--yes") == 2
    assert (
        here.ask("create", "--provider", "totality", "--yes", "--file", here.file(loan_body() | {"loanUuid": LMS_PLAN}))
        == 2
    )
    assert (here.mutations, here.intents) == ([], [])


@pytest.mark.parametrize(
    ("act", "provider"),
    [("approve", "totality"), ("reject", "totality"), ("approve", "payiq"), ("reject", "payiq"), ("update", "payt")],
)
def test_a_change_that_the_provider_does_not_have_is_2(town, act, provider):
    here = town(with_plans=True)
    more = ["--file", here.file({"contactMethod": "SMS"})] if act == "update" else []
    assert here.ask(act, PLANS[provider], *more, "--provider", provider, "--yes") == 2
    assert here.err.startswith("usage: ")
    assert here.mutations == []


WRONG = {
    "payt": (
        {"terms": [{"amount": -1, "due_date": "2026-02-30"}], "cc_email_address": "nobody", "term": 1},
        ["terms[0].amount", "terms[0].due_date", "cc_email_address", "'term'", "invoice_numbers"],
    ),
    "totality": (
        {
            "paymentArrangementType": "Payment Number Based",
            "paymentFrequency": "days",
            "movePaymentOnWeekendDays": "1",
            "contactMethod": "Pigeon",
            "firstPaymentDate": "1 May",
        },
        [
            "loanUuid", "movePaymentOnHolidayDays", "movePaymentOnWeekendDays", "contactMethod", "firstPaymentDate",
            "daysInPeriod", "numberOfPayments",
        ],
    ),
    "payiq": (
        {"CustomerToken": "customer-token-0", "DayType": "Sometimes", "DayToPay": 32, "PaymentAccount": {"Number": "4111"}},
        ["PaymentName", "DayType", "DayToPay", "PaymentAmount or Payments"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("provider", list(WRONG))
def test_a_body_that_is_not_as_documented_is_2_and_every_wrong_field_is_named(town, provider):
    here, (body, names) = town(), WRONG[provider]
    assert here.create(provider, "--yes", body=body) == 2
    assert [name for name in names if name not in here.err] == []
    assert here.mutations == []
    assert "4111" not in here.out + here.err


@pytest.mark.parametrize("provider", list(WRONG))
def test_what_is_wrong_in_a_table_is_told_with_its_line_and_nothing_is_sent(town, provider):
    here = town()
    field = {"payt": "cc_email_address", "totality": "numberOfPayments", "payiq": "PaymentAmount"}[provider]
    for text, told in {
        f"{field};notes\r\n1;hello\r\n": "line 1: 'notes' is not a field of this call",
        f"{field[:-1]}\n1\n": f"is not a field of this call; the nearest is {field}",
        f"{field}\n\n1\n": "line 3: ",
    }.items():
        assert here.ask("create", "--provider", provider, "--file", here.file(text, "plans.csv"), "--yes") == 2
        assert told in here.err
    (here.desk.folder / "plans.csv").write_bytes(f"{field}\n1\nK\u00f6ln\n".encode("cp1252"))
    assert here.ask("create", "--provider", provider, "--file", here.desk.folder / "plans.csv") == 2
    assert "plans.csv' line 3 is not UTF-8" in here.err
    assert "save as CSV UTF-8" in here.err
    assert here.mutations == []


def test_the_preview_notes_terms_in_the_past_and_several_on_one_day(town):
    here = town()
    today = here.world.now().date()
    days = [today - timedelta(days=31), today, today + timedelta(days=1), today + timedelta(days=1)]
    lms = loan_body() | {"loanUuid": LOAN, "paymentArrangementType": "Custom Payment Schedule"}
    bodies = {
        "payt": PAYT_BODY | {"terms": [{"amount": 75, "due_date": str(day)} for day in days]},
        "totality": lms | {"schedule": [{"amount": 7500, "date": str(day)} for day in days]},
        "payiq": BILL_BODY | {"PaymentAmount": None, "Payments": [{"Amount": 75, "Date": str(day)} for day in days]},
    }
    for provider, body in bodies.items():
        here.create(provider, body=body)
        assert f"note: term 1 of {days[0]} is due before today, {today}\n" in here.out
        assert f"note: 2 terms are due on {days[3]}: terms 3, 4\n" in here.out
    here.create("payt")
    assert "before today" not in here.out
    assert "terms are due on" not in here.out


def test_the_preview_names_an_invoice_that_is_unknown_and_the_line_it_stands_on(town):
    here = town()
    table = here.file(
        'administration_id;terms;invoice_numbers\n1001;2026-12-10 300;F0\n1001;2026-12-10 300;"F1;F-404"\n', "plans.csv"
    )
    assert here.ask("create", "--provider", "payt", "--file", table) == 2
    _, _, second = here.out.partition("2 of 2  ")
    assert "plans.csv' line 3" in second.splitlines()[0]
    assert "cannot be done: invoice_numbers[1] 'F-404' is unknown in this administration" in second


def test_the_preview_of_a_loan_with_a_scheduled_payment_that_cannot_be_read_notes_it_and_goes_on(town):
    here = town()
    row = next(row for row in here.world.totality.scheduled_payments if row["loanUuid"] == LOAN)
    row["paymentDate"] = "soon"
    assert here.create("totality") == 0
    assert f"note: scheduled payment {row['uuid']} cannot be read, its paymentDate is 'soon'" in here.out
    assert here.create("totality", "--yes") == 0


def test_in_a_list_of_changes_the_one_that_is_wrong_is_named(town):
    here = town()
    assert here.create("payt", body=[PAYT_BODY, PAYT_BODY | {"terms": []}]) == 2
    assert "changes.json' entry 2: payt: terms must be a list" in here.err


def test_an_update_takes_a_table_too(town):
    here = town(with_plans=True)
    table = here.file("CollectorUserId;CONTACTMETHOD;\r\n9;SMS;\r\n", "update.csv")
    assert here.ask("update", LMS_PLAN, "--provider", "totality", "--file", table, "--yes") == 0
    assert json.loads(here.mutations[0].body) == CHANGED["totality"]


@pytest.mark.fault(59)
def test_more_changes_than_allowed_are_2_and_none_is_sent(town):
    here = town()
    here.desk.configure(writes={"max_count": 2})
    bodies = [PAYT_BODY | {"invoice_numbers": [f"F{number}"]} for number in range(3)]
    assert here.create("payt", "--yes", body=bodies) == 2
    assert "more than writes.max_count, 2" in here.err
    assert here.create("payt", body=bodies) == 2
    assert here.ask("approve", "100", "101", "102", "--provider", "payt", "--yes") == 2
    assert (here.mutations, here.intents) == ([], [])
    assert here.create("payt", "--yes", body=bodies[:2]) == 0


@pytest.mark.fault(59)
def test_a_larger_sum_than_allowed_is_2_and_none_is_sent(town):
    here = town()
    here.desk.configure(writes={"max_sum": 599})
    bodies = [PAYT_BODY | {"invoice_numbers": [f"F{number}"]} for number in range(2)]
    assert here.create("payt", "--yes", body=bodies) == 2
    assert "600.00 EUR, more than writes.max_sum, 599" in here.err
    # a plan whose terms the provider makes counts with its balance
    assert here.create("totality", "--yes") == 2
    assert (here.mutations, here.intents) == ([], [])
    here.desk.configure(writes={"max_sum": 600})
    assert here.create("payt", "--yes", body=bodies) == 0


@pytest.mark.fault(59)
@pytest.mark.parametrize("provider", list(BODIES))
def test_production_without_its_switch_is_2_and_nothing_is_asked_of_anybody(town, provider, monkeypatch):
    here = town(with_plans=True)
    here.desk.configure(**{provider: {"base_url": "https://provider.invalid/api"}})
    reached = []
    monkeypatch.setattr("httpx.HTTPTransport.handle_request", lambda _own, request: reached.append(request.url))
    assert here.create(provider, "--yes") == 2
    assert here.ask("deactivate", PLANS[provider], "--provider", provider, "--yes") == 2
    assert here.ask("reject", "--where", "policy", "--provider", provider, "--yes") == 2
    assert "writes.production is false" in here.err or "sets no rule" in here.err
    assert (reached, here.asked, here.intents) == ([], 0, [])


def test_an_intent_is_not_resumed_in_production_without_the_switch(town):
    here = town()
    here.fault("create", "payt", faults.status(429, retry_after=0), times=9)
    assert here.create("payt", "--yes") == 2
    assert [one.state for one in here.intents] == [APPROVED]
    tries = len(here.mutations)
    here.desk.configure(payt={"base_url": "https://provider.invalid"})
    assert here.ask("resume", "--yes") == 2
    assert "writes.production is false" in here.err
    assert len(here.mutations) == tries
    assert [one.state for one in here.intents] == [APPROVED]


def test_a_refusal_of_a_state_is_4_and_of_a_create_2(town):
    here = town()
    no = faults.status(422, body=b'{"code":"unprocessable_entity","message":"not now"}')
    here.fault("approve", "payt", no)
    assert here.ask("approve", "100", "--provider", "payt", "--yes") == 4
    here.fault("create", "payt", no)
    assert here.create("payt", "--yes") == 2
    assert [one.state for one in here.intents] == ["refused", "refused"]
    assert len(here.mutations) == 2


@pytest.mark.fault(55)
@pytest.mark.parametrize("stamp", ["approved_at", "rejected_at", "deactivated_at"])
def test_rejecting_a_plan_that_went_another_way_sends_nothing(town, stamp):
    here = town()
    row = next(row for row in here.world.payt.payment_plans if row["id"] == "100")
    row |= {stamp: "2026-11-01T00:00:00Z"}
    code = here.ask("reject", "100", "--provider", "payt", "--yes")
    assert code == (0 if stamp == "rejected_at" else 4)
    assert here.mutations == []


def test_a_lost_create_that_nobody_can_decide_is_4(town):
    here = town()
    here.fault("create", "payt", faults.drop())
    assert here.create("payt", "--yes") == 4
    assert "parked: " in here.out
    (parked,) = here.intents
    assert (parked.state, len(here.mutations)) == (PARKED, 1)
    assert here.create("payt", "--yes") == 4
    assert here.ask("resume", "--yes") == 4
    assert here.ask("verify") == 4
    assert len(here.mutations) == 1


@pytest.mark.fault(48)
@EACH
def test_an_effect_whose_answer_is_lost_is_found_and_recorded(town, act, provider):
    here = town(with_plans=act != "create")
    rule = here.fault(act, provider, faults.drop(execute=True))
    assert here.ask(*here.arguments(act, provider), "--yes") == 0
    assert rule.fired == 1
    (done,) = here.intents
    assert (done.state, done.found, done.differences, len(here.mutations)) == (DONE, True, (), 1)


@pytest.mark.parametrize("provider", ["payt", "totality", "payiq"])
def test_a_create_whose_answer_is_lost_is_found_at_a_provider_whose_clock_is_a_day_ahead(town, provider, monkeypatch):
    here = town()
    now = datetime.fromisoformat(here.world.clock)
    monkeypatch.setattr(flows.clock, "now", lambda: now)
    ahead = format_datetime(now + timedelta(days=1), usegmt=True)
    here.fault("create", provider, faults.drop(execute=True))
    here.sandbox.faults.add(faults.headed({"date": ahead}), provider=provider, times=faults.FOREVER)
    assert here.create(provider, "--yes") == 0, here.out
    (done,) = here.intents
    assert (done.state, done.found, len(here.mutations)) == (DONE, True, 1)


@pytest.mark.fault(57)
def test_a_plan_that_is_not_made_as_agreed_is_4_and_stays_so_in_the_log(town):
    here = town()
    # a holiday that the lender keeps and our calendar does not know
    here.world.totality.holidays.append("2027-01-01")
    here.world.totality.holidays.append("2026-12-01")
    body = loan_body() | {"loanUuid": LOAN, "movePaymentOnHolidayDays": 1}
    assert here.create("totality", "--yes", body=body) == 4
    assert "due 2026-12-01 agreed, 2026-12-02 shown" in here.out
    (done,) = here.intents
    assert (done.state, len(here.mutations)) == (DONE, 1)
    assert done.differences == ("term 1: due 2026-12-01 agreed, 2026-12-02 shown",)
    assert here.ask("show", done.intent_id) == 0
    assert "differs  term 1: due 2026-12-01 agreed, 2026-12-02 shown" in here.out
    assert here.ask("verify", "--online") == 4
    assert "differs: " in here.out
    assert here.create("totality", "--yes", body=body) == 4
    assert "due 2026-12-01 agreed, 2026-12-02 shown. Nothing was corrected; nothing was sent" in here.out
    assert len(here.mutations) == 1


async def second_bill(exchange):
    """Execute a create at a biller that lets its account change over to a second plan, made by the same request."""
    answer = await exchange.execute()
    payiq = exchange.world.payiq
    with exchange.world.changing():
        number = max(payiq.plans)
        payiq.plans[number + 1] = payiq.plans[number] | {"PaymentPlanID": number + 1}
        for setup in payiq.setups.values():
            for account in setup["Accounts"]:
                if account.get("ExistingPaymentPlanID") == number:
                    account["ExistingPaymentPlanID"] = number + 1
    await exchange.answer(answer)


@pytest.mark.parametrize(
    ("provider", "last"), [("payt", False), ("payt", True), ("totality", False), ("totality", True), ("payiq", None)]
)
def test_a_create_that_the_network_delivers_twice_is_4_and_stays_so_when_asked_for_again(town, provider, last):
    here = town()
    here.fault("create", provider, second_bill if last is None else faults.executed_twice(last=last))
    assert here.create(provider, "--yes") == 4
    assert "the provider shows the same plan more than once, also as " in here.out
    (done,) = here.intents
    assert (done.state, len(here.mutations)) == (DONE, 1)
    twin = done.differences[-1].partition("also as ")[2].partition(":")[0]
    assert twin != done.plan_id
    for more in (["--yes"], []):  # what a person has to look at is no less so the next time, sent or shown
        assert here.create(provider, *more) == 4
        assert f"also as {twin}" in here.out
    assert here.create(provider, "--yes", "--format", "json") == 4
    (told,) = json.loads(here.out)
    assert (told["plan_id"], told["differences"]) == (done.plan_id, list(done.differences))
    assert len(here.mutations) == 1


@pytest.mark.parametrize("provider", ["totality", "payiq"])
def test_a_create_delivered_twice_and_refused_the_second_time_is_done_and_no_refusal(town, provider):
    here = town()
    here.world.totality.allow_only_single_payment_plan = True
    for plan in here.world.totality.payment_plans:
        plan["isActive"] = False
    here.fault("create", provider, faults.executed_twice(last=True))
    assert here.create(provider, "--yes") == 0
    (done,) = here.intents
    assert (done.state, done.found, done.differences, len(here.mutations)) == (DONE, True, (), 1)


def test_a_create_that_was_not_read_back_is_when_it_is_asked_for_again(town, monkeypatch):
    here = town()
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "_read_back", lambda _self, intent: intent)
        assert here.create("payt", "--yes") == 4
    assert here.create("payt") == 4
    assert "not read back yet" in here.out
    assert here.create("payt", "--yes") == 0
    (done,) = here.intents
    assert (done.is_read_back, len(here.mutations)) == (True, 1)


@pytest.mark.fault(52)
def test_of_two_at_once_one_sends_and_the_other_is_5(town):
    here = town()
    answered = threading.Event()

    async def wait(exchange):
        while not answered.is_set() and await exchange.pause(0.05):
            pass
        await exchange.answer(await exchange.execute())

    here.fault("create", "payt", wait)
    arguments = ["plan", *here.arguments("create", "payt"), "--yes"]
    first = here.desk.start(*arguments)
    try:
        here.wait_for_mutation(first)
        second = here.desk.command(*arguments)
        answered.set()
        out, err = first.communicate(timeout=60)
    finally:
        answered.set()
        first.kill()
        first.communicate()
    assert (first.returncode, second.returncode) == (0, 5), (out, err, second.stdout, second.stderr)
    assert "another process" in second.stdout + second.stderr
    assert len(here.mutations) == 1
    assert [one.state for one in here.intents] == [DONE]


# The preview is what is approved


def test_what_was_shown_is_sent_if_it_is_still_the_same(town):
    here = town()
    here.create("payt")
    seen = here.preview()
    assert here.create("payt", "--yes", "--preview", seen) == 0
    assert len(here.mutations) == 1
    # nothing is left to send, so nothing can differ
    assert here.create("payt", "--yes", "--preview", seen) == 0


@pytest.mark.fault(53)
def test_a_file_that_was_edited_after_it_was_shown_is_2(town):
    here = town()
    here.create("payt")
    seen = here.preview()
    body = json.loads(json.dumps(PAYT_BODY).replace("199.5", "199.51"))
    assert here.create("payt", "--yes", "--preview", seen, body=body) == 2
    assert "has changed since it was shown" in here.err
    assert here.create("payt", "--yes", "--preview", seen[:1]) == 2
    assert (here.mutations, here.intents) == ([], [])


@pytest.mark.fault(54, 56)
def test_a_provider_that_shows_something_else_than_before_is_2(town):
    here = town()
    here.create("totality")
    seen = here.preview()
    with here.world.changing():
        here.world.totality.scheduled_payments[0]["amount"] += 1
    assert here.create("totality", "--yes", "--preview", seen) == 2
    assert (here.mutations, here.intents) == ([], [])


@pytest.mark.fault(53)
def test_an_edited_request_in_the_state_folder_is_not_sent(town):
    here = town()
    here.fault("create", "payt", faults.status(429, retry_after=0), times=3)
    here.create("payt", "--yes")
    tries = len(here.mutations)
    (kept,) = (here.desk.state_dir / "intents").glob("*.json")
    kept.write_bytes(kept.read_bytes().replace(b"199.5", b"199.6"))
    assert here.ask("resume", "--yes") == 2
    assert len(here.mutations) == tries
    assert [one.state for one in here.intents] == ["refused"]


# PayIQ's setup policy

POLICIES = {
    "stopped": ({}, {"Stopped": True}, {}, "stopped"),
    "in a plan": ({}, {"ExistingPaymentPlanID": 5}, {}, "in a payment plan already"),
    "too many": ({"MaximumTerm": 2}, {}, {}, "3 payments; MaximumTerm is 2"),
    "due day enforced": ({"EnforceDueDate": True}, {}, {}, "DayType must be"),
    "due day not allowed": ({"AllowDueDay": False}, {}, {"DayType": "DueDate", "DayToPay": 5}, "does not allow DayType"),
    "too small": (
        {"Tiers": [{"Minimum": Decimal(0), "Maximum": Decimal(500), "RestrictedMinimum": Decimal("100.01"), "PaymentCount": 0}]},
        {},
        {},
        "RestrictedMinimum of 100.01",
    ),
    "too many for the balance": (
        {"Tiers": [{"Minimum": Decimal(0), "Maximum": Decimal(500), "RestrictedMinimum": None, "PaymentCount": 2}]},
        {},
        {},
        "PaymentCount is 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(POLICIES))
def test_a_plan_that_the_setup_does_not_allow_is_2_and_not_sent(town, name):
    setup, account, body, words = POLICIES[name]
    here = town()
    held = here.world.payiq.setups["customer-token-0", "REF-0", ""]
    held |= setup
    held["Accounts"][0] |= account
    assert here.create("payiq", "--yes", body=BILL_BODY | body) == 2
    assert "cannot be done: " in here.out
    assert words in here.out
    assert (here.mutations, here.intents) == ([], [])


# Looking after intents


def test_the_list_shows_every_intent_and_show_its_whole_history(town):
    here = town()
    here.create("payt", "--yes")
    here.fault("approve", "payt", faults.status(422, body=b'{"code":"c","message":"m"}'))
    here.ask("approve", "100", "--provider", "payt", "--yes")
    assert here.ask("list", "--format", "json") == 0
    done, refused = json.loads(here.out)
    assert (done["state"], done["provider"], done["tenant_id"], done["operation"]) == ("done", "payt", "1001", "create")
    assert (done["amount"], done["currency"], done["plan_id"]) == ("300.00", "EUR", "203")
    assert (refused["state"], refused["plan_id"], refused["amount"]) == ("refused", "100", None)
    assert here.ask("list", "--state", "refused", "--format", "csv") == 0
    assert len(here.out.splitlines()) == 2
    assert here.ask("show", done["intent_id"], "--format", "json") == 0
    shown = json.loads(here.out)
    assert [one.get("state") for one in shown["history"]] == [None, "approved", "sending", "done", None]
    assert shown["terms"] == [
        {"due_date": "2026-12-10", "amount_minor": 10050},
        {"due_date": "2027-01-11", "amount_minor": 19950},
    ]
    assert here.ask("show", "nothing") == 2


def test_ids_of_others_do_not_move_the_cursor_in_previews_lists_and_histories(town):
    here = town()
    hostile = "F\x1b[2J\u202e0"
    here.world.payt.invoices[0] |= {"invoice_number": hostile, "debtor_id": "=5\u202e0"}
    body = PAYT_BODY | {"invoice_numbers": [hostile]}
    for more in ([], ["--yes"], ["--format", "json"]):
        assert here.create("payt", *more, body=body) == 0
        assert [mark for mark in ("\x1b", "\u202e") if mark in here.out + here.err] == []
    (done,) = here.intents
    ledger = Ledger(here.desk.state_dir)
    at, who = done.changed_at, "anna\x1b[1m"
    draft = msgspec.structs.replace(done.draft, key="other", plan_id="=1\u202e2", operation="approve")
    ledger.plan(draft, b"{}", at=at, who=who, since=at)
    for asked in (["list"], ["list", "--format", "csv"], ["list", "--format", "json"], ["verify"]):
        here.ask(*asked)
        assert [mark for mark in ("\x1b", "\u202e") if mark in here.out] == []
    here.ask("list", "--format", "csv")
    assert "'=1⟨U+202E⟩2" in here.out
    here.ask("list", "--format", "csv", "--raw")
    assert "=1\u202e2" in here.out
    here.ask("list", "--format", "json")
    assert json.loads(here.out)[-1]["plan_id"] == "=1\u202e2"
    here.ask("show", ledger.intents()[-1].intent_id)
    assert "anna⟨U+001B⟩[1m" in here.out


def test_an_unused_log_is_empty_and_sound(town):
    here = town()
    assert here.ask("list", "--format", "csv") == 0
    assert here.ask("verify") == 0
    assert "0 lines, 0 intents: the chain holds" in here.out
    assert here.ask("resume", "--yes") == 0
    assert "no intent is open" in here.out
    assert here.asked == 0


def test_what_a_busy_provider_left_is_sent_by_resume_and_only_with_yes(town):
    here = town()
    here.fault("create", "payt", faults.status(429, retry_after=0), times=3)
    assert here.create("payt", "--yes") == 2
    tries = len(here.mutations)
    here.ask("resume")
    assert len(here.mutations) == tries
    assert here.ask("resume", "--yes") == 0
    assert [one.state for one in here.intents] == [DONE]
    assert len(here.mutations) == tries + 1


def test_a_process_that_died_while_sending_is_looked_after_by_resume(town):
    here = town()
    here.fault("create", "payt", faults.late(3))
    child = here.desk.start("plan", *here.arguments("create", "payt"), "--yes")
    try:
        here.wait_for_mutation(child)
    finally:
        child.kill()
        child.communicate()
    left = here.intents[0].state
    assert left in {SENDING, UNKNOWN, PARKED}
    end = time.monotonic() + 30
    while not any(plan["id"] == "203" for plan in here.world.payt.payment_plans):
        assert time.monotonic() < end, "the provider never executed it"
        time.sleep(0.02)
    assert here.ask("resume") == 0
    (done,) = here.intents
    assert (done.state, done.found, done.plan_id, len(here.mutations)) == (DONE, True, "203", 1)


def test_a_person_decides_what_nobody_else_can(town):
    here = town()
    here.fault("create", "payt", faults.drop(), times=2)
    here.create("payt", "--yes")
    here.create("payt", "--yes", body=PAYT_BODY | {"invoice_numbers": ["F1"]})
    first, second = (one.intent_id for one in here.intents)
    assert here.ask("resume", first, "--as", "done", "--plan", "77") == 2  # no reason
    assert here.ask("resume", first, "--as", "done", "--reason", "seen in the portal") == 2  # no plan
    assert here.ask("resume", "--as", "refused", "--reason", "not there") == 2  # no intent
    assert here.ask("resume", first, "--as", "done", "--plan", "200", "--reason", "seen in the portal") == 0
    assert here.ask("resume", second, "--as", "refused", "--reason", "not there") == 0
    assert here.ask("resume", second, "--as", "done", "--plan", "1", "--reason", "x") == 2
    done, refused = here.intents
    assert (done.state, done.plan_id, done.reason) == (DONE, "200", "seen in the portal")
    assert (refused.state, refused.reason) == ("refused", "not there")
    assert len(here.mutations) == 2
    # what a person says is done is read back like everything else: plan 200 has other terms
    assert here.ask("resume") == 4
    assert here.intents[0].is_read_back
    assert here.intents[0].differences
    assert not list((here.desk.state_dir / "intents").glob("*.json"))


def test_a_change_whose_planning_was_cut_short_was_never_sent_and_goes_on(town, monkeypatch):
    here = town()
    usual = Ledger._append

    def first_line_only(own, file, kind, facts):
        usual(own, file, kind, facts)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_append", first_line_only)
        assert here.create("payt", "--yes") == 130
    (planned,) = here.intents
    assert (planned.state, here.mutations) == ("planned", [])
    assert here.ask("resume", planned.intent_id, "--as", "done", "--plan", "9", "--reason", "x") == 2
    assert "was never sent" in here.err
    here.ask("resume")
    assert here.mutations == []
    assert here.ask("resume", "--yes") == 0
    assert (len(here.mutations), here.intents[0].state) == (1, DONE)


def test_verify_names_what_is_open_and_finds_a_changed_line(town):
    here = town()
    here.create("payt", "--yes")
    assert here.ask("verify", "--online") == 0
    assert "as agreed: plan 203" in here.out
    log = here.desk.damaged("a line of the log of changes is edited").state_dir / "intents" / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"203"', b'"204"'))
    for command in (["verify"], ["list"], ["resume", "--yes"]):
        assert here.ask(*command) == 2
        assert "is not what was written" in here.err
    assert here.create("payt", "--yes", body=PAYT_BODY | {"invoice_numbers": ["F1"]}) == 2
    assert len(here.mutations) == 1


def test_a_plan_changed_at_the_provider_later_is_found_by_verify_online(town):
    here = town()
    here.create("payt", "--yes")
    with here.world.changing():
        here.world.payt.payment_plans[-1]["payment_terms"][1]["total_amount"] = "19950.00"
    assert here.ask("verify", "--online") == 4
    assert "199.50 EUR agreed, 19950.00 EUR shown" in here.out


# By rule


def test_proposals_that_break_the_policy_are_rejected_and_no_others(town):
    here = town()
    here.desk.without("totality", "payiq")
    plans = {row["id"]: row for row in here.world.payt.payment_plans}
    term = plans["100"]["payment_terms"][0]
    many = [
        term | {"id": f"9{n}", "due_date": f"2027-0{n}-01", "total_amount": "10.00", "amount_due": "10.00"}
        for n in (1, 2, 3)
    ]
    plans["100"]["payment_terms"] = many
    plans["102"]["payment_terms"] = many[:2]
    reject = ["reject", "--where", "policy", "--provider", "payt"]
    here.desk.run(here.world.now().date())
    assert here.ask(*reject) == 2  # no rule is set
    here.desk.configure(**{"writes.policy": {"max_terms": 2}})
    assert here.ask(*reject) == 0
    assert "1 of 3 proposed plans break the policy" in here.out
    assert "1001/100: 3 terms, at most 2 are allowed" in here.out
    assert here.mutations == []
    assert here.ask(*reject, "100", "--yes") == 2
    # one that broke the rule at the last run and keeps it now is left alone; so is one that is gone
    here.desk.configure(**{"writes.policy": {"max_terms": 1}})
    plans["102"]["payment_terms"] = many[:1]
    here.world.payt.payment_plans.remove(plans["101"])
    assert here.ask(*reject, "--yes") == 0
    assert [one.path for one in here.mutations] == ["/v1/payment_plans/100/reject"]
    assert plans["100"]["rejected_at"]
    assert here.ask(*reject, "--yes") == 0
    assert "0 of 3 proposed plans break the policy" in here.out
    assert len(here.mutations) == 1


# Secrets


@pytest.mark.fault(66)
def test_no_secret_and_no_customers_token_is_in_any_file_or_answer(town):
    here = town()
    said = []
    for provider in BODIES:
        here.fault("create", provider, faults.drop(execute=True))
        for arguments in ([], ["--yes"], ["--yes", "--format", "json"]):
            here.create(provider, *arguments)
            said.append(here.out + here.err)
    account = {"PaymentAccount": {"AccountNumber": "4111000011112222"}, "PaymentAccountToken": "canary-of-a-card"}
    card = BILL_BODY | account | {"CustomerToken": "customer-token-2", "ReferenceNumber": "REF-2"}
    for arguments in ([], ["--yes"]):
        assert here.create("payiq", *arguments, body=card) == 0
        said.append(here.out + here.err)
    assert json.loads(here.mutations[-1].body) == card
    here.fault("create", "payiq", faults.drop(), times=9)
    here.create("payiq", "--yes", body=BILL_BODY | {"CustomerToken": "customer-token-1", "ReferenceNumber": "REF-1"})
    said.append(here.out + here.err)
    assert PARKED in [one.state for one in here.intents]
    for command in (["list"], ["list", "--format", "json"], *(["show", one.intent_id] for one in here.intents)):
        here.ask(*command)
        said.append(here.out + here.err)
    keys = here.sandbox.credentials
    secrets = [
        keys["payt"]["client_secret"], keys["totality"]["client_secret"], keys["payiq"]["signing_secret"],
        keys["payiq"]["api_key"], "customer-token-0", "customer-token-1", "customer-token-2", "4111000011112222", "canary-of-a-card",
    ]  # fmt: skip
    secrets += [token for held in here.sandbox.tokens.values() for token in map(str, getattr(held, "live", ()))]
    ours = {here.desk.file, here.desk.folder / "payiq_accounts.csv", here.desk.folder / "changes.json"}
    files = [path for path in here.desk.folder.rglob("*") if path.is_file() and path not in ours]
    assert any(path.parent.name == "intents" for path in files)
    for secret in secrets:
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
        assert [text for text in said if secret in text] == []
    # a person named in a request is in no log, and in no file once the change has ended
    assert [path for path in files if b"canary-person" in path.read_bytes()] == []


@pytest.mark.fault(67)
def test_what_is_kept_of_an_open_change_is_private(town):
    here = town()
    here.fault("create", "payt", faults.drop())
    here.create("payt", "--yes")
    folder = here.desk.state_dir / "intents"
    (kept,) = folder.glob("*.json")
    assert b"canary-person" in kept.read_bytes()
    assert b"canary-person" not in (folder / "audit.jsonl").read_bytes()
    for path in (here.desk.state_dir, *here.desk.state_dir.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_console_script_ends_with_the_code_of_its_command(town):
    here = town()
    shown = here.desk.command("plan", *here.arguments("create", "payt"))
    assert (shown.returncode, here.mutations) == (0, [])
    sent = here.desk.command("plan", *here.arguments("create", "payt"), "--yes")
    assert (sent.returncode, len(here.mutations)) == (0, 1)
    unknown = here.desk.command("plan", "reject", "99999", "--provider", "payt", "--yes")
    assert (unknown.returncode, unknown.stdout) == (2, "")
