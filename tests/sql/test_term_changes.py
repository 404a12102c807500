"""What became of agreed terms, fetch by fetch: changed, come, gone, and what is none of it."""

from datetime import date

import pytest

from sql.core import images

DAYS = tuple(date(2026, 3, day) for day in (1, 2, 3, 4, 5, 6))


def plan(**changed):
    told = {"uuid": "P", "loan_uuid": "L", "is_active": True, "created_at": "2026-03-01T12:00:00Z"}
    return told | {"updated_at": "2026-03-01T12:00:00Z"} | changed


def term(name, due, amount, **changed):
    told = {"uuid": name, "loan_uuid": "L", "payment_plan_uuid": "P", "amount": amount, "payment_date": due}
    return told | {"updated_at": "2026-03-01T12:00:00Z"} | changed


FIRST = term("a", "2026-04-01", 100), term("b", "2026-05-01", 100)


@pytest.fixture
def shown(intake):
    """Bring one fetch of everything a day; return what is known to have changed after each."""

    def bring(*lists, incomplete=()):
        known = []
        for number, terms in enumerate(lists):
            cut = ("scheduled_payments",) if number in incomplete else ()
            tables = {"payment_plans": [plan()], "scheduled_payments": list(terms)}
            load = intake.fetch("totality", tables, day=DAYS[number], incomplete=cut)
            known.append(load.load_no)
        return [images.term_changes(intake.con, load_no).drop("plan_no").rows() for load_no in known]

    return bring


def test_what_stays_as_it_was_agreed_is_no_change(shown):
    assert shown(FIRST, FIRST[::-1]) == [[], []]


def test_another_day_or_amount_is_a_change_from_the_fetch_that_first_showed_it(shown):
    later, less = term("a", "2026-04-08", 100), term("b", "2026-05-01", 90)
    found = shown(FIRST, (later, FIRST[1]), (later, less), (later, less))
    moved = ("a", date(2026, 4, 1), 100, date(2026, 4, 8), 100, DAYS[1])
    lowered = ("b", date(2026, 5, 1), 100, date(2026, 5, 1), 90, DAYS[2])
    assert found == [[], [moved], [moved, lowered], [moved, lowered]]


def test_a_change_taken_back_is_none(shown):
    assert shown(FIRST, (term("a", "2026-04-08", 100), FIRST[1]), FIRST)[2] == []


def test_a_change_of_other_facts_is_none(shown):
    paid = term("a", "2026-04-01", 100, payment_uuid="X", updated_at="2026-03-02T12:00:00Z")
    assert shown(FIRST, (paid, FIRST[1]))[1] == []


def test_terms_that_came_or_went_are_changes(shown):
    found = shown(FIRST, (FIRST[0], term("c", "2026-06-01", 70)))[1]
    assert found == [
        ("b", date(2026, 5, 1), 100, None, None, DAYS[1]),
        ("c", None, None, date(2026, 6, 1), 70, DAYS[1]),
    ]


def test_a_term_that_came_and_went_was_never_agreed(shown):
    assert shown(FIRST, (*FIRST, term("c", "2026-06-01", 70)), FIRST)[2] == []


def test_a_term_of_a_list_that_was_cut_short_is_late_and_not_new(shown):
    assert shown(FIRST[:1], FIRST, FIRST, incomplete=(0,)) == [[], [], []]


def test_a_proposal_may_change_until_it_is_approved(intake):
    told = {"administration_id": "1", "debtor_id": "D", "created_at": "2026-03-01T12:00:00Z", "active": False}
    proposed = told | {"id": "7", "proposed_at": "2026-03-01T12:00:00Z", "updated_at": "2026-03-01T12:00:00Z"}
    approved = proposed | {"approved_at": "2026-03-02T12:00:00Z", "active": True, "updated_at": "2026-03-02T12:00:00Z"}
    rows = [
        {"plan_id": "7", "id": "71", "total_amount": total, "amount_due": total, "due_date": due}
        for total, due in (("10.00", "2026-04-01"), ("11.00", "2026-04-01"), ("11.00", "2026-04-02"))
    ]
    found = []
    for number, (one, row) in enumerate(((proposed, rows[0]), (approved, rows[1]), (approved, rows[2]))):
        load = intake.fetch("payt", {"payment_plans": [one], "payment_terms": [row]}, day=DAYS[number])
        found.append(images.term_changes(intake.con, load.load_no).drop("plan_no", "term_id").rows())
    assert found == [[], [], [(date(2026, 4, 1), 1100, date(2026, 4, 2), 1100, DAYS[2])]]


def test_a_plan_that_was_gone_and_is_back_carries_the_day_it_was_gone(intake):
    lists = ([plan()], [], [], [plan()], [])
    days = []
    for number, plans in enumerate(lists):
        load = intake.fetch("totality", {"payment_plans": plans}, day=DAYS[number])
        days.append(images.plan_facts(intake.con, load.load_no)["was_gone_on"].to_list())
    assert days == [[None], [None], [None], [DAYS[1]], [None]]
