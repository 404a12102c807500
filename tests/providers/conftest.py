"""A network that is a function, a clock that stands still, retries that do not wait."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
import stamina

from providers import PROVIDERS
from providers.base import AccountRef, Connection, Page
from providers.errors import ProviderError
from providers.writing import Writer
from sandbox.exchange import Recorded
from sandbox.server import Sandbox, serve
from sandbox.world import World

NOON = datetime(2026, 6, 30, 12, 0, 0, tzinfo=UTC)
DATE = {"date": "Tue, 30 Jun 2026 12:00:00 GMT"}


@dataclass
class Wire:
    """Answers requests from a script or a function, and remembers them."""

    answer: Callable[[httpx.Request], httpx.Response]
    requests: list[httpx.Request] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self.answer(request)
        for name, value in DATE.items():
            response.headers.setdefault(name, value)
        return response

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def lines(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


def drain(pages: Iterable[Page]) -> tuple[list[Page], ProviderError | None]:
    """What a pull gave out, and the error that ended it."""
    given: list[Page] = []
    try:
        given.extend(pages)
    except ProviderError as error:
        return given, error
    return given, None


@pytest.fixture
def drained() -> Callable[..., tuple[list[Page], ProviderError | None]]:
    return drain


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOON


@pytest.fixture
def wire() -> Callable[..., Wire]:
    def make(answer: Callable[[httpx.Request], httpx.Response] | Iterable[httpx.Response]) -> Wire:
        if callable(answer):
            return Wire(answer)
        script = iter(answer)
        return Wire(lambda _request: next(script))

    return make


TODAY = "2026-07-01T06:00:00Z"
SECRET_TOKEN = "canary-customer-token-0815"
FAST = {"requests_per_second": 500.0, "connect_timeout": 2.0, "read_timeout": 5.0, "deadline": 5.0, "attempts": 2}
ADMINISTRATION = {"status": "active", "currency_code": "EUR", "timezone": "Europe/Amsterdam"}


def _invoice(number: int, open_amount: str, **changed: object) -> dict[str, object]:
    row = {
        "id": str(3000 + number),
        "administration_id": "11",
        "debtor_id": "501",
        "invoice_number": f"F-{number}",
        "invoice_identifier": f"I-{number}",
        "currency_code": "EUR",
        "open_amount": open_amount,
        "book_open_amount": open_amount,
        "total_amount": open_amount,
        "updated_at": "2026-05-01T00:00:00Z",
        "active_payment_plan_id": None,
        "active_credit_case_id": None,
    }
    return row | changed


def _payt_plan(number: int, **changed: object) -> dict[str, object]:
    term = {"id": f"{number}1", "total_amount": "30.00", "amount_due": "30.00", "due_date": "2026-08-01"}
    row = {
        "id": str(number),
        "administration_id": "11",
        "debtor_id": "501",
        "payment_terms": [term | {"payment_date": None}],
        "active": True,
        "auto_activated": False,
        "reason": "canary-reason of the debtor",
        "created_at": "2026-05-01T10:00:00Z",
        "updated_at": "2026-05-01T10:00:00Z",
        "approved_at": "2026-05-01T10:00:00Z",
    }
    return row | changed


def _loan(uuid: str, **changed: object) -> dict[str, object]:
    stamps = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
    return {"uuid": uuid, "status": "Funded", "balance": 100000, "isAutoScheduled": True} | stamps | changed


def _scheduled(uuid: str, day: str, cents: int, **changed: object) -> dict[str, object]:
    row = {"uuid": uuid, "loanUuid": "loan-1", "paymentPlanUuid": "plan-1", "amount": cents, "paymentDate": day}
    return row | {"isECheck": False, "paymentUuid": None, "updatedAt": "2026-01-01T00:00:00Z"} | changed


def _setup(account: int, reference: str, **changed: object) -> dict[str, object]:
    shown = {
        "AccountID": account,
        "AccountNumber": reference,
        "AmountDue": Decimal("30.00"),
        "CurrencySymbol": "$",
        "ExistingPaymentPlanID": None,
        "PendingPayments": [],
        "Stopped": False,
    }
    row = {
        "Accounts": [shown],
        "AllowDueDay": True,
        "EnforceDueDate": False,
        "DayDue": 2,
        "InitialBalance": Decimal("90.00"),
        "MaximumTerm": 6,
        "PlanType": "Fixed",
        "Tiers": [],
    }
    return row | changed


@pytest.fixture
def world() -> World:
    """Two administrations, two loans and three accounts, with a plan here and there."""
    world = World(clock=TODAY)
    world.payt.administrations += [ADMINISTRATION | {"id": number, "name": number} for number in ("11", "12")]
    world.payt.invoices += [
        _invoice(1, "10.50"),
        _invoice(2, "19.50"),
        _invoice(3, "5.00", debtor_id="502"),
        _invoice(4, "7.00", active_payment_plan_id="1002"),
        _invoice(5, "1.00", invoice_number="F,5"),
        _invoice(6, "8.00", active_credit_case_id="6001"),
        _invoice(7, "9.00", currency_code="USD", book_open_amount="8.10"),
    ]
    case = {"administration_id": "11", "debtor_id": "501", "case_number": "C-1", "credit_case_number": "C-1"}
    world.payt.credit_cases.append(
        case | {"id": "6001", "currency_code": "EUR", "open_amount": "8.00", "updated_at": "2026-05-01T00:00:00Z"}
    )
    world.payt.payment_plans += [
        _payt_plan(1001, active=False, approved_at=None, proposed_at="2026-06-01T10:00:00Z"),
        _payt_plan(1002),
        _payt_plan(1003, active=False, deactivated_at="2026-06-01T10:00:00Z"),
        _payt_plan(1004, active=False, approved_at=None, rejected_at="2026-06-01T10:00:00Z"),
        _payt_plan(1005, debtor_id="502"),
    ]
    world.totality.loans += [_loan("loan-1"), _loan("loan-2", status="Paid")]
    world.totality.payment_plans.append(
        {"uuid": "plan-1", "loanUuid": "loan-1", "isActive": True, "contactMethod": "Phone", "collectorUserId": 7}
        | {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
    )
    world.totality.scheduled_payments += [
        _scheduled("term-1", "2026-06-01", 2500, paymentUuid="payment-1"),
        _scheduled("term-2", "2026-08-01", 2500),
        _scheduled("term-3", "2026-07-15", 1250, paymentPlanUuid=None),
        _scheduled("term-4", "2026-07-15", 999, loanUuid="loan-2", paymentPlanUuid="plan-2"),
    ]
    world.payiq.setups[SECRET_TOKEN, "REF-1", "X"] = _setup(71, "REF-1")
    world.payiq.setups["canary-customer-token-4711", "REF-2", ""] = _setup(72, "REF-2")
    world.payiq.setups["canary-customer-token-4711", "REF-3", ""] = planned = _setup(73, "REF-3")
    planned["Accounts"][0]["ExistingPaymentPlanID"] = 91
    world.payiq.plans[91] = {
        "PaymentPlanID": 91,
        "PaymentName": "Old",
        "BillingAccounts": planned["Accounts"],
        "CreateDate": "2026-05-21T06:35:33.0626866Z",
        "DayType": "DayOfMonth",
        "DayToPay": 5,
        "PaymentAmount": Decimal("30.00"),
        "InitialBalance": Decimal("90.00"),
        "DateToStart": None,
        "Payments": None,
    }
    return world


@dataclass
class Town:
    """The sandboxed providers over the small world, and writers that speak to them."""

    sandbox: Sandbox
    clock: Callable[[], datetime]

    def connection(self, name: str, *, without: tuple[str, ...] = (), **settings: object) -> Connection:
        given = {key: value for key, value in self.sandbox.credentials[name].items() if key not in without}
        if name == "payiq":
            given["accounts"] = tuple(AccountRef(*key) for key in self.sandbox.world.payiq.setups)
        return Connection(**{"base_url": self.sandbox.urls[name], **given, **FAST, **settings})

    def writer(self, name: str, **settings: object) -> Writer:
        return PROVIDERS[name].desk.compose(self.connection(name, **settings), clock=self.clock)

    def mutations(self, name: str) -> list[Recorded]:
        """The requests that change something, in the order of their arrival."""
        paths = ("auth", "oauth", "setup")
        return [
            one
            for one in self.sandbox.requests[name]
            if one.method != "GET" and not any(path in one.path.lower() for path in paths)
        ]

    def plans(self, name: str) -> int:
        held = getattr(self.sandbox.world, name)
        return len(held.plans if name == "payiq" else held.payment_plans)


@pytest.fixture
def town(world: World) -> Iterator[Town]:
    with serve(world, rate_limit=None) as running:
        yield Town(running, lambda: datetime.fromisoformat(TODAY))
