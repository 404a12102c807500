"""One small world, served, and clients that are signed in to each provider."""

import hashlib
import hmac
import ssl
from collections.abc import Callable, Iterator
from decimal import Decimal

import httpx
import pytest

from sandbox.credentials import CREDENTIALS
from sandbox.server import Sandbox, serve
from sandbox.world import World

PLAIN = ssl.create_default_context()
"""Loaded once: every new httpx client loads the certificate store, and none is needed here."""
VENDOR_TYPE = "application/vnd.totality.v1+json"
ACCOUNT = ("token-1", "REF-1", "")


def payt_plan(number: int, *, administration: str = "11", updated: str = "2026-06-01T10:00:00Z") -> dict[str, object]:
    return {
        "id": str(number),
        "administration_id": administration,
        "debtor_id": "501",
        "payment_terms": [
            {
                "id": f"{number}1",
                "total_amount": "5182.00",
                "amount_due": "182.00",
                "due_date": "2026-06-01",
                "payment_date": None,
            }
        ],
        "active": True,
        "auto_activated": False,
        "created_at": "2026-05-01T10:00:00Z",
        "updated_at": updated,
        "public_url": "https://debtor.example/plan",
    }


@pytest.fixture
def world() -> World:
    world = World(clock="2026-07-01T06:00:00Z")
    world.payt.administrations += [
        {"id": "11", "name": "North", "status": "active", "currency_code": "EUR", "timezone": "Europe/Amsterdam"},
        {"id": "12", "name": "South", "status": "active", "currency_code": "EUR", "timezone": "Europe/Amsterdam"},
    ]
    world.payt.debtors.append(
        {"id": "501", "administration_id": "11", "debtor_number": "D-501", "updated_at": "2026-05-01T00:00:00Z"}
    )
    world.payt.payment_plans += [payt_plan(number) for number in range(1001, 1008)]
    world.payt.payment_plans.append(payt_plan(2001, administration="12"))
    world.payt.invoices.append(
        {
            "id": "3001",
            "administration_id": "11",
            "debtor_id": "501",
            "invoice_number": "F-1",
            "open_amount": "30.00",
            "total_amount": "30.00",
            "updated_at": "2026-05-01T00:00:00Z",
            "active_payment_plan_id": None,
        }
    )
    world.payt.psp_transactions += [
        {
            "id": str(number),
            "administration_id": "11",
            "status": status,
            "amount": "5.00",
            "updated_at": "2026-06-01T00:00:00Z",
        }
        for number, status in enumerate(("pending", "processing", "paid", "failed"), start=4001)
    ]
    world.totality.loans.append(
        {
            "uuid": "loan-1",
            "customerUuid": "customer-1",
            "status": "Funded",
            "balance": 100000,
            "isAutoScheduled": True,
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z",
        }
    )
    world.totality.payments += [
        {
            "uuid": f"payment-{number}",
            "loanUuid": "loan-1",
            "amount": number * 100,
            "status": "Settled" if number % 2 else "Pending",
            "isPromise": number == 5,
            "returnedAt": None,
            "createdAt": f"2026-06-0{number}T00:00:00Z",
            "updatedAt": f"2026-06-0{number}T12:00:00Z",
        }
        for number in range(1, 6)
    ]
    account = {
        "AccountID": 71,
        "AccountNumber": "REF-1",
        "AmountDue": Decimal("3.0"),
        "CurrencySymbol": "$",
        "ExistingPaymentPlanID": 91,
        "PendingPayments": [],
        "Stopped": False,
        "UpdateDate": "2025-05-21T06:35:33.0626866Z",
    }
    world.payiq.setups[ACCOUNT] = {
        "Accounts": [account],
        "AllowDueDay": True,
        "EnforceDueDate": False,
        "DayDue": 2,
        "DefaultMonthlyPayment": Decimal("3.0"),
        "InitialBalance": Decimal("5.10"),
        "MaximumTerm": 6,
        "PlanType": "Fixed",
        "Tiers": [],
    }
    world.payiq.setups["token-2", "REF-2", "X"] = {
        "Accounts": [account | {"AccountID": 72, "AccountNumber": "REF-2", "ExistingPaymentPlanID": None}],
        "InitialBalance": Decimal("90.00"),
        "AllowDueDay": False,
        "MaximumTerm": 6,
        "PlanType": "Fixed",
        "Tiers": [],
    }
    world.payiq.plans[91] = {"PaymentPlanID": 91, "BillingAccounts": [account], "PaymentAmount": Decimal("1.70")}
    world.payiq.payments[ACCOUNT] = [
        {"ID": number, "Status": "Paid", "Total": Decimal("1.70"), "PaymentDate": f"2026-0{number}-02T00:00:00Z"}
        for number in range(1, 6)
    ]
    world.payiq.invoices[ACCOUNT] = [
        {"BillID": number, "AmountDue": Decimal("3.00"), "dtDue": f"2026-0{number}-02T00:00:00Z"}
        for number in range(1, 4)
    ]
    return world


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    with serve(world) as sandbox:
        yield sandbox


@pytest.fixture
def plain() -> ssl.SSLContext:
    """Give a context that is loaded already."""
    return PLAIN


@pytest.fixture
def anyone() -> Iterator[httpx.Client]:
    """Give a client that is not signed in anywhere."""
    with httpx.Client(verify=PLAIN, trust_env=False) as client:
        yield client


@pytest.fixture
def payt(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {CREDENTIALS['payt']['token']}"}
    with httpx.Client(base_url=sandbox.urls["payt"], headers=headers, verify=PLAIN, trust_env=False) as client:
        yield client


@pytest.fixture
def totality(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {
        "Authorization": f"Bearer {CREDENTIALS['totality']['token']}",
        "Accept": VENDOR_TYPE,
        "Content-Type": "application/json",
    }
    with httpx.Client(base_url=sandbox.urls["totality"], headers=headers, verify=PLAIN, trust_env=False) as client:
        yield client


@pytest.fixture
def signed() -> Callable[..., dict[str, object]]:
    """Give a function that returns a token request, signed by the assumed recipe."""

    def request(**changed: object) -> dict[str, object]:
        key, secret = CREDENTIALS["payiq"]["api_key"], CREDENTIALS["payiq"]["signing_secret"]
        when = "2026-07-01T06:00:00Z"
        digest = hmac.new(secret.encode(), (key + when).encode(), hashlib.sha256).hexdigest()
        return {"APIKey": key, "CreationDate": when, "grant_type": "client_credentials", "Signature": digest} | changed

    return request


@pytest.fixture
def payiq(sandbox: Sandbox, signed: Callable[..., dict[str, object]]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.urls["payiq"], verify=PLAIN, trust_env=False) as client:
        token = client.post("Api/Auth", json=signed()).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client
