"""A refresh asks for little, sees what moved, and draws no conclusion from what it did not ask for."""

from datetime import date, timedelta

import pytest

from flows.commands.cli import execute
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds.scenarios import generate

pytestmark = pytest.mark.usefixtures("impatient")
AS_OF = date(2026, 6, 30)
FIGURES = ("plans", "terms", "payments", "aging", "aging_terms", "cash", "exposure", "kept")


def asked_for(desk):
    """How many accounts PayIQ was asked for, and in how many requests."""
    requests = desk.sandbox.requests["payiq"]
    return sum(one.path.endswith("/PaymentPlan/Setup") for one in requests), len(requests)


def counted(desk, work):
    before = asked_for(desk)
    finished = work()
    return finished, *(after - old for after, old in zip(asked_for(desk), before, strict=True))


def moving(world):
    """The accounts with pending money or a term due at most three days from the date, by the world's own plans."""
    near, book = timedelta(days=3), world.payiq
    days = {
        plan["BillingAccounts"][0]["AccountID"]: [day for day, _ in payiq.terms(plan, created(plan))]
        for plan in book.plans.values()
    }
    found = set()
    for key, setup in book.setups.items():
        for account in setup["Accounts"]:
            is_due = any(abs(day - AS_OF) <= near for day in days.get(account["AccountID"], []))
            if account["PendingPayments"] or is_due:
                found.add(key)
    return found


def created(plan):
    return date.fromisoformat(plan["CreateDate"][:10])


def fresh(desk):
    rows = desk.query(
        "SELECT DISTINCT provider, fresh_at FROM v_integrity WHERE provider = 'payiq' AND entity = 'plans'"
    )
    return rows[0][1]


@pytest.mark.slow
def test_a_refresh_sees_what_became_pending_and_settled_with_few_requests_and_the_figures_of_a_whole_run(desk):
    world = generate(seed=5, plans=30, as_of=AS_OF, providers=("payiq",))
    world.clock = None  # the providers' clocks go with this machine's
    desk = desk(world).without("payt", "totality")
    _, setups, requests = counted(desk, lambda: desk.run(AS_OF))
    assert setups == len(world.payiq.setups)
    first_fresh, before = fresh(desk), desk.tables(names=FIGURES)

    known = moving(world)
    assert 2 < len(known) <= len(world.payiq.setups) / 2
    book = world.payiq
    waiting = next(key for key in sorted(known) if book.setups[key]["Accounts"][0]["PendingPayments"])
    due = next(key for key in sorted(known) if not book.setups[key]["Accounts"][0]["PendingPayments"])
    still = next(key for key in sorted(book.setups) if key not in known)
    with desk.world.changing():
        account = book.setups[waiting]["Accounts"][0]
        sent = account["PendingPayments"].pop(0)
        account["PendingPayment"] = None
        amount = int(sent["AccountTotal"] * 100)
        book.payments[waiting].append(payiq.payment(sent["TransactionID"], waiting, amount, AS_OF))
        begun = payiq.pending(990_001, 7_700, AS_OF)
        book.setups[due]["Accounts"][0] |= {"PendingPayments": [begun], "PendingPayment": begun}
    refreshed, setups, less = counted(desk, lambda: desk.run(AS_OF, refresh=True))
    assert (refreshed.state, setups) == ("PUBLISHED", len(known))
    assert less < requests * 2 / 3
    seen = {row["payment_id"]: row["class"] for row in desk.rows("payments")}
    assert (seen[str(sent["TransactionID"])], seen["990001"]) == ("received", "pending")
    after = desk.tables(names=FIGURES)
    assert after != before
    assert desk.query(
        "SELECT complete, reason FROM v_fetches WHERE provider = 'payiq' ORDER BY load_no DESC LIMIT 1"
    ) == [(False, f"a refresh asked for {len(known)} accounts only")]
    assert fresh(desk) == first_fresh, "a part is not a complete fetch"

    _, setups, _ = counted(desk, lambda: desk.run(AS_OF))
    assert setups == len(book.setups)
    assert desk.tables(names=FIGURES) == after
    whole = fresh(desk)

    with desk.world.changing():
        book.payments[still] = [payiq.payment(990_002, still, 1_100, AS_OF)]
        book.setups[still]["Accounts"][0]["ExistingPaymentPlanID"] = None
    kept = desk.run(AS_OF, refresh=True)
    assert (kept.state, fresh(desk)) == ("PUBLISHED", whole)
    assert desk.tables(names=FIGURES) == after
    assert not [row for row in desk.rows("plans") if "VANISHED" in row["flags"]]
    desk.run(AS_OF)
    assert {row["payment_id"]: row["class"] for row in desk.rows("payments")}["990002"] == "received"
    assert desk.is_sound()


def test_a_refresh_of_what_was_never_fetched_fetches_it_and_full_and_refresh_exclude_each_other(desk, capsys):
    desk = desk(generate(seed=5, plans=4, as_of=AS_OF, providers=("payiq",))).without("payt", "totality")
    asked = ["run", "--config", str(desk.file), "--as-of", str(AS_OF), "--refresh"]
    assert execute([*asked, "--full"]) == 2
    assert "give one" in capsys.readouterr().err
    assert execute([*asked, "--fail-on", "never"]) == 0
    assert desk.query("SELECT since, complete FROM v_fetches WHERE provider = 'payiq'") == [(None, True)]
