"""Payt's money through a whole run: kinds of payments, plans beside their invoices, invoices that change plans."""

from datetime import date

import pytest

from sandbox.world import World
from sandbox.worlds.generate_payt import Administration, stamp

AS_OF = date(2026, 6, 1)
MADE, APRIL, MAY, JULY = date(2026, 2, 14), date(2026, 4, 1), date(2026, 5, 1), date(2026, 7, 1)
OFFICE = Administration("1001")
QUIET = stamp(date(2026, 5, 15))


def world_of():
    world = World()
    world.payt.administrations.append(OFFICE.row("Receivables"))
    return world


def add_plan(world, plan_id, *terms, **changed):
    """Add a plan made on 14 February; a term is amount, still due, due date and, once paid, the day."""
    rows = [OFFICE.term(f"{plan_id}{number}", *term) for number, term in enumerate(terms, start=1)]
    world.payt.payment_plans.append(OFFICE.plan(plan_id, "70", rows, MADE, updated_at=QUIET, **changed))


def add_invoice(world, invoice_id, total, owed, plan_id, **changed):
    row = OFFICE.invoice(invoice_id, "70", total, owed, date(2026, 1, 2), updated_at=QUIET, **changed)
    world.payt.invoices.append(row | {"active_payment_plan_id": plan_id})


def add_case(world, case_id, total, owed, plan_id, **changed):
    row = OFFICE.case(case_id, "70", total, owed, date(2026, 1, 2), updated_at=QUIET, **changed)
    world.payt.credit_cases.append(row | {"active_payment_plan_id": plan_id})


def pay(world, payment_id, invoice_id, amount, day, **changed):
    world.payt.payments.append(OFFICE.payment(payment_id, invoice_id, amount, day, **changed))


def part_paid_on_the_day_it_was_made(world):
    add_plan(world, "301", (7_500, 0, APRIL, APRIL), (7_500, 7_500, JULY))
    add_invoice(world, "1", 30_000, 7_500, "301")
    pay(world, "1", "1", 15_000, MADE)
    pay(world, "2", "1", 7_500, APRIL)


def credited(world):
    add_plan(world, "302", (50_000, 0, APRIL, APRIL), (25_000, 25_000, MAY), (25_000, 25_000, JULY))
    add_invoice(world, "2", 100_000, 30_000, "302")
    pay(world, "3", "2", 50_000, APRIL)


def with_costs(world):
    """One payment of costs, and a return of costs: neither is the plan's money."""
    add_plan(world, "303", (15_000, 0, APRIL, APRIL), (15_000, 15_000, JULY))
    add_invoice(world, "3", 30_000, 15_000, "303")
    pay(world, "4", "3", 15_000, APRIL)
    pay(world, "5", "3", 1_500, APRIL, cost_type="administration_costs")
    pay(world, "6", "3", -1_500, MAY, cost_type="administration_costs", transaction_type="reversal")


def returned(world):
    """Two payments that went back, one with its sign and one without."""
    add_plan(world, "304", (10_000, 10_000, APRIL), (10_000, 10_000, JULY))
    add_invoice(world, "4", 20_000, 20_000, "304")
    pay(world, "7", "4", 10_000, APRIL)
    pay(world, "8", "4", -10_000, date(2026, 4, 9), transaction_type="reversal")
    pay(world, "9", "4", 5_000, MAY)
    pay(world, "10", "4", 5_000, date(2026, 5, 9), transaction_type="reversal")


def written_off_and_credited(world):
    """The rows say what took 40.00 off the invoices; the plan knows nothing of it."""
    add_plan(world, "305", (10_000, 10_000, JULY), (10_000, 10_000, date(2026, 8, 1)))
    add_invoice(world, "5", 20_000, 16_000, "305")
    pay(world, "11", "5", 4_000, APRIL, transaction_type="write_off")
    add_plan(world, "306", (20_000, 20_000, JULY))
    add_invoice(world, "6", 20_000, 15_000, "306")
    pay(world, "12", "6", 5_000, APRIL, transaction_type="credit")
    pay(world, "13", "6", -100, APRIL, transaction_type="revaluation")
    pay(world, "14", "6", 100, APRIL, transaction_type="settlement")


def nothing_names_it(world):
    add_plan(world, "307", (10_000, 10_000, APRIL), (10_000, 10_000, MAY))
    add_plan(world, "308", (10_000, 10_000, APRIL))
    gone = {"id": "8", "administration_id": "1001", "debtor_id": "70", "deleted_at": QUIET}
    world.payt.deleted["invoices"].append(gone)


def a_case_beside_an_invoice(world):
    """The case holds invoice 9 and the plan covers invoice 10 too: 200.00 and 50.00."""
    add_plan(world, "309", (25_000, 25_000, JULY))
    add_case(world, "90", 20_000, 20_000, "309")
    add_invoice(world, "9", 20_000, 20_000, "309", active_credit_case_id="90")
    add_invoice(world, "10", 5_000, 5_000, "309")


def asks_less(world):
    """The plan is for a part of the invoice; another's payment of yesterday has not reached it yet."""
    add_plan(world, "310", (10_000, 10_000, JULY))
    add_invoice(world, "11", 30_000, 30_000, "310")
    add_plan(world, "313", (10_000, 10_000, JULY))
    add_invoice(world, "13", 10_000, 4_000, "313")
    pay(world, "15", "13", 6_000, date(2026, 5, 29))


MAKERS = (
    *(part_paid_on_the_day_it_was_made, credited, with_costs, returned, written_off_and_credited),
    *(nothing_names_it, a_case_beside_an_invoice, asks_less),
)


@pytest.fixture(scope="module")
def published(open_desk, tmp_path_factory):
    world = world_of()
    for make in MAKERS:
        make(world)
    with open_desk(tmp_path_factory.mktemp("money"), world) as desk:
        desk.without("totality", "payiq")
        desk.run(AS_OF)
        yield desk


@pytest.fixture(scope="module")
def breaks(published):
    found = {}
    for row in published.rows("breaks"):
        found.setdefault(row["plan_id"], []).append(row)
    return found


@pytest.fixture(scope="module")
def classes(published):
    return {row["payment_id"]: row["class"] for row in published.rows("payments")}


def told(rows):
    return sorted((row["code"], row["reason"], row["expected"], row["actual"], row["severity"]) for row in rows)


def test_money_of_the_day_a_plan_was_made_may_have_come_before_it(breaks):
    assert "301" not in breaks


def test_a_plan_that_asks_for_what_a_credit_note_took_off_its_invoice_is_high(breaks, published):
    assert told(breaks["302"]) == [("INVOICE_OPEN_DIFF", "", "300.00", "500.00", "high")]
    assert breaks["302"][0]["difference"] == "200.00"
    flags = {row["plan_id"]: row["flags"] for row in published.rows("plans")}
    assert (flags["302"], flags["301"]) == ("INVOICES_OWE_LESS", "")


def test_costs_paid_beside_a_term_are_no_money_of_the_plan(breaks, classes):
    assert "303" not in breaks
    assert (classes["4"], classes["5"], classes["6"]) == ("received", "cost", "reversed")


def test_a_return_is_of_class_reversed_and_taken_off_whatever_its_sign(breaks, classes, published):
    assert "304" not in breaks
    assert [classes[name] for name in ("7", "8", "9", "10")] == ["received", "reversed", "received", "reversed"]
    shown = {row["payment_id"]: (row["amount"], row["reversed_amount"]) for row in published.rows("payments")}
    assert (shown["8"], shown["10"]) == (("-100.00", ""), ("50.00", ""))


def test_the_sentence_says_whether_a_write_off_or_a_credit_note_has_not_reached_the_plan(breaks, classes):
    assert [classes[name] for name in ("11", "12", "13", "14")] == ["written_off", "credit", "received", "received"]
    assert told(breaks["305"]) == [("INVOICE_OPEN_DIFF", "", "160.00", "200.00", "high")]
    assert breaks["305"][0]["explanation"].endswith("A write-off has not reached the plan.")
    assert breaks["306"][0]["explanation"].endswith("A credit note has not reached the plan.")


@pytest.mark.parametrize("plan_id", ["307", "308"])
def test_an_active_plan_that_no_invoice_or_case_names_is_told(breaks, plan_id):
    assert told(breaks[plan_id]) == [
        ("STATUS_CONTRADICTION", "PLAN_WITHOUT_INVOICE", "an invoice or case", "none", "medium")
    ]


def test_an_invoice_inside_a_case_is_not_counted_beside_it_and_one_outside_is(breaks):
    assert "309" not in breaks


def test_a_plan_that_asks_less_is_low_and_one_that_waits_for_yesterdays_payment_is_timing(breaks):
    assert ("INVOICE_OPEN_DIFF", "", "300.00", "100.00", "low") in told(breaks["310"])
    kinds = {row["code"]: row["kind"] for row in breaks["313"]}
    assert kinds == {"INVOICE_OPEN_DIFF": "timing", "BALANCE_DRIFT": "timing"}


def test_every_figure_equals_the_slow_answer(published, compare):
    assert compare(published, published.latest, AS_OF) == []


def test_before_the_plan_was_last_changed_nothing_is_said_of_its_invoices(published):
    folder = published.report(date(2026, 5, 14)).folder
    codes = {row["code"] for row in published.rows("breaks", folder) if row["state"] != "RESOLVED"}
    assert not codes & {"INVOICE_OPEN_DIFF", "BALANCE_DRIFT"}
    reasons = {row["reason"] for row in published.rows("breaks", folder)}
    assert "PLAN_WITHOUT_INVOICE" not in reasons


@pytest.fixture(scope="module")
def taken_over(open_desk, tmp_path_factory):
    """Invoices that named plan 311, and one of two that named 314, name newer plans at the second fetch; one is deleted."""
    world = world_of()
    add_plan(world, "311", (10_000, 10_000, APRIL), (10_000, 10_000, MAY))
    add_invoice(world, "21", 20_000, 20_000, "311")
    add_plan(world, "314", (20_000, 20_000, JULY))
    for invoice in ("22", "23"):
        add_invoice(world, invoice, 10_000, 10_000, "314")
    add_plan(world, "316", (11_000, 11_000, JULY))
    add_invoice(world, "24", 11_000, 11_000, "316")
    waiting = OFFICE.transaction("1", "70", ["21"], 3_000, date(2026, 5, 29))
    world.payt.psp_transactions.append(waiting)
    world.clock = "2026-06-01T06:00:00Z"
    with open_desk(tmp_path_factory.mktemp("taken"), world) as desk:
        desk.without("totality", "payiq").configure(gates={"change_share": 1})
        first = desk.run(AS_OF).folder
        with world.changing():
            for plan_id, invoice, at in (("312", "21", 0), ("315", "23", 2)):
                row = world.payt.invoices[at]
                assert row["id"] == invoice
                amount = int(row["open_amount"].removesuffix(".00")) * 100
                terms = [OFFICE.term(f"{plan_id}1", amount, amount, JULY)]
                world.payt.payment_plans.append(OFFICE.plan(plan_id, "70", terms, date(2026, 5, 31)))
                row |= {"active_payment_plan_id": plan_id, "updated_at": "2026-06-01T06:30:00Z"}
            gone = world.payt.invoices.pop()
            world.payt.deleted["invoices"].append(
                {"id": gone["id"], "administration_id": "1001", "debtor_id": "70", "deleted_at": "2026-06-01T06:30:00Z"}
            )
            for row in world.payt.payment_plans[-2:]:
                row["updated_at"] = "2026-06-01T06:30:00Z"
            world.clock = "2026-06-01T07:00:00Z"
        assert desk.run(AS_OF).state == "PUBLISHED"
        yield desk, first


def test_the_earlier_of_two_active_plans_is_told_when_the_later_took_over_its_invoice(taken_over):
    desk, first = taken_over
    assert desk.rows("breaks", first) == []
    found = [row for row in desk.rows("breaks") if row["plan_id"] == "311"]
    assert ("POLICY_VIOLATION", "TWO_ACTIVE_PLANS", "1 active plan", "2 active plans", "high") in told(found)
    assert [row for row in desk.rows("breaks") if row["plan_id"] == "312"] == []
    flags = {row["plan_id"]: row["flags"] for row in desk.rows("plans")}
    assert (flags["311"], flags["312"]) == ("INVOICES_OWE_LESS", "")


def test_money_on_its_way_follows_the_invoice_to_the_plan_it_names_now(taken_over):
    desk, first = taken_over
    pending = [{row["plan_id"]: row["pending"] for row in desk.rows("plans", folder)} for folder in (first, None)]
    assert pending[0]["311"] == "30.00"
    assert (pending[1]["311"], pending[1]["312"]) == ("0.00", "30.00")


def test_one_of_two_invoices_taken_over_leaves_the_earlier_plan_asking_too_much(taken_over):
    desk, _ = taken_over
    found = [row for row in desk.rows("breaks") if row["plan_id"] == "314"]
    assert told(found)[0] == ("INVOICE_OPEN_DIFF", "", "100.00", "200.00", "high")
    policies = [(row["reason"], row["account_id"]) for row in found if row["code"] == "POLICY_VIOLATION"]
    assert ("TWO_ACTIVE_PLANS", "invoice:23") in policies


def test_a_plan_whose_only_invoice_was_deleted_is_named_by_none(taken_over):
    desk, _ = taken_over
    assert [row["reason"] for row in desk.rows("breaks") if row["plan_id"] == "316"] == ["PLAN_WITHOUT_INVOICE"]
