"""The worked example that every figure is checked against, as each provider would hold it.

Four monthly terms of 100.00 due on the first of March to June 2025; 100.00
received on 1 March, 60.00 on 5 April, 140.00 on 10 May. Payt keeps only today's
balance and one payment date per term, so its plan shows the state after the
last payment: as of an earlier day the second term is open in full.
"""

from datetime import date

from sandbox.world import Row, World
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds import generate_payt as payt
from sandbox.worlds import generate_totality as totality

GOLDEN_AS_OF = date(2025, 6, 7)
CREATED = date(2025, 2, 14)
DUES = (date(2025, 3, 1), date(2025, 4, 1), date(2025, 5, 1), date(2025, 6, 1))
PAID = ((date(2025, 3, 1), 10000), (date(2025, 4, 5), 6000), (date(2025, 5, 10), 14000))

TOTALITY_PLAN = "6f1f6d0e-5b8a-4c55-9a53-0f6d4f3c1a01"
TOTALITY_LOAN = "0b9d6f6c-2a07-4a34-8f43-6f0a55b1c001"
TOTALITY_PAYMENTS = tuple(f"aa0e3c52-77f1-4f0e-8a6b-00000000000{number}" for number in (1, 2, 3))
PAYIQ_PLAN = 7001
PAYT_PLAN = "2603746"


def golden() -> World:
    """Return the worked example at all three providers, as they stand on 7 June 2025."""
    world = World(clock=f"{GOLDEN_AS_OF.isoformat()}T20:00:00Z")
    _totality(world)
    _payiq(world)
    _payt(world)
    return world


def golden_reversed() -> World:
    """Return the worked example after Totality's 60.00 was returned: effective 5 April, recorded on 20 May."""
    world = golden()
    row = next(row for row in world.totality.payments if row["uuid"] == TOTALITY_PAYMENTS[1])
    row |= {"status": "Returned", "returnedAt": "2025-04-05T15:00:00Z", "updatedAt": "2025-05-20T15:00:00Z"}
    return world


def _totality(world: World) -> None:
    row = totality.plan(
        TOTALITY_PLAN,
        TOTALITY_LOAN,
        DUES[0],
        CREATED,
        firstPaymentDay=1,
        numberOfPayments=4,
        isPartialPaymentPlan=True,
        totalPlanAmount=40000,
    )
    world.totality.payment_plans.append(row)
    world.totality.loans.append(totality.loan(TOTALITY_LOAN, "c1f0a7ce-3f0b-4f2d-9d0e-2f6f5d2c0001", 40000, CREATED))
    for number, due in enumerate(DUES, start=1):
        term = f"b7c1d2e3-0000-4000-8000-00000000000{number}"
        world.totality.scheduled_payments.append(totality.scheduled(term, row, 10000, due))
    for uuid, (day, amount) in zip(TOTALITY_PAYMENTS, PAID, strict=True):
        world.totality.payments.append(totality.payment(uuid, TOTALITY_LOAN, amount, day))


def _payiq(world: World) -> None:
    name = payiq.key(7002)
    row = payiq.plan(PAYIQ_PLAN, 40000, 10000, 1, CREATED)
    row["BillingAccounts"] = [{"AccountID": 7002, "AccountNumber": name[1]}]
    shown = payiq.account(7002, name[1], 10000, GOLDEN_AS_OF, ExistingPaymentPlanID=PAYIQ_PLAN)
    world.payiq.plans[PAYIQ_PLAN] = row
    world.payiq.setups[name] = payiq.setup([shown], 40000)
    world.payiq.payments[name] = [
        payiq.payment(71000 + number * 10, name, amount, day) for number, (day, amount) in enumerate(PAID)
    ]


def _payt(world: World) -> None:
    office = payt.Administration("1001")
    world.payt.administrations.append(office.row("Golden administration"))
    paid_on = (date(2025, 3, 1), date(2025, 5, 10), date(2025, 5, 10), None)
    terms: list[Row] = [
        office.term(str(90001 + number), 10000, 0 if day else 10000, due, day)
        for number, (due, day) in enumerate(zip(DUES, paid_on, strict=True))
    ]
    changed = {"updated_at": payt.stamp(PAID[-1][0])}
    world.payt.payment_plans.append(office.plan(PAYT_PLAN, "543239", terms, CREATED, **changed))
    world.payt.debtors.append(office.debtor("543239", CREATED))
    link = {"active_payment_plan_id": PAYT_PLAN, "updated_at": payt.stamp(PAID[-1][0])}
    world.payt.invoices.append(office.invoice("880001", "543239", 40000, 10000, CREATED, **link))
    for number, (day, amount) in enumerate(PAID):
        world.payt.payments.append(office.payment(str(770001 + number), "880001", amount, day))
