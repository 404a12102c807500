"""The worked example, typed by hand, through HTTP, the warehouse and the report files.

Four monthly terms of 100.00, due on the first of March to June 2025. 100.00 came on 1 March, 60.00 on
5 April, 140.00 on 10 May. Five days of grace. The dates on which a figure moves; the computation alone is held
to all twelve in tests/transforms.
"""

from datetime import date

import pytest

from sandbox.worlds.golden import PAYT_PLAN, TOTALITY_PAYMENTS, golden, golden_reversed

LAST = date(2025, 6, 7)

# as of, amount due, overdue, past grace (5 days), remaining, days past due, MBA, OTS, open per term
TABLE = """
2025-03-01   0   0   0  300   0  0  0  0/100/100/100
2025-04-05  40  40   0  240   4  0  0  0/40/100/100
2025-05-01 140  40  40  240  30  1  1  0/40/100/100
2025-05-02 140 140  40  240  31  1  1  0/40/100/100
2025-05-09 140 140 140  240  38  1  1  0/40/100/100
2025-05-10   0   0   0  100   0  0  0  0/0/0/100
2025-06-07 100 100 100  100   6  0  0  0/0/0/100
"""

# as of, then state and days late of terms 2, 3 and 4; term 1 was paid on the day it was due
STATES = """
2025-03-01 NOT_DUE         0 NOT_DUE   0 NOT_DUE  0
2025-04-05 IN_GRACE        4 NOT_DUE   0 NOT_DUE  0
2025-05-01 PARTIAL_OVERDUE 30 DUE_TODAY 0 NOT_DUE 0
2025-05-02 PARTIAL_OVERDUE 31 IN_GRACE 1 NOT_DUE  0
2025-05-09 PARTIAL_OVERDUE 38 MISSED   8 NOT_DUE  0
2025-05-10 PAID_LATE       39 PAID_LATE 9 NOT_DUE 0
2025-06-07 PAID_LATE       39 PAID_LATE 9 MISSED  6
"""

# as of, outcome, broken at, cured at, whether every term so far was kept
OUTCOMES = """
2025-03-01 ON_TRACK -          -          -
2025-05-02 AT_RISK  -          -          false
2025-05-09 BROKEN   2025-05-07 -          false
2025-05-10 CURED    2025-05-07 2025-05-10 false
2025-06-07 AT_RISK  2025-05-07 2025-05-10 false
"""

# Payt as fetched after everything was paid: it keeps one payment date per term, so before
# 10 May the second term was open in full. Same columns as TABLE, past grace left out.
PAYT_LOOKING_BACK = """
2025-03-01   0   0  300   0  0/100/100/100
2025-04-05 100 100  300   4  0/100/100/100
2025-05-01 200 100  300  30  0/100/100/100
2025-05-02 200 200  300  31  0/100/100/100
2025-05-10   0   0  100   0  0/0/0/100
2025-06-07 100 100  100   6  0/0/0/100
"""

ROWS = [line.split() for line in TABLE.strip().splitlines()]
STATE_ROWS = [line.split() for line in STATES.strip().splitlines()]
OUTCOME_ROWS = [line.split() for line in OUTCOMES.strip().splitlines()]
BACK_ROWS = [line.split() for line in PAYT_LOOKING_BACK.strip().splitlines()]
FIGURES = ("amount_due", "overdue", "overdue_past_grace", "outstanding", "days_past_due", "mba_months", "ots_months")


def of(rows, provider):
    return sorted(
        (row for row in rows if row["provider"] == provider),
        key=lambda row: (row.get("plan_id", ""), row.get("due_date")),
    )


def written(row):
    """A line of TABLE as a report writes it: money with two places."""
    return [f"{value}.00" for value in row[1:5]] + row[5:8]


def open_per_term(rows):
    return "/".join(row["outstanding"].removesuffix(".00") for row in rows)


@pytest.fixture(scope="module")
def reports(open_desk, tmp_path_factory):
    """The report folder of every date: one run, then reports from the warehouse alone."""
    with open_desk(tmp_path_factory.mktemp("golden"), golden()) as desk:
        desk.configure(run={"grace_days": 5})
        folders = {"2025-06-07": desk.run(LAST).folder}
        asked = desk.sandbox.requests["totality"]
        count = len(asked)
        for day in sorted({row[0] for row in ROWS + STATE_ROWS + OUTCOME_ROWS} - set(folders)):
            folders[day] = desk.report(date.fromisoformat(day)).folder
        assert len(asked) == count, "a report asked a provider"
        yield lambda name, day: desk.rows(name, folders[day])


@pytest.mark.parametrize("provider", ["totality", "payiq"])
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_figure_of_the_worked_example_stands_in_the_report(reports, provider, row):
    [plan] = of(reports("plans", row[0]), provider)
    assert [plan[name] for name in FIGURES] == written(row)
    assert open_per_term(of(reports("terms", row[0]), provider)) == row[8]


@pytest.mark.parametrize("provider", ["totality", "payiq"])
@pytest.mark.parametrize("row", STATE_ROWS, ids=[row[0] for row in STATE_ROWS])
def test_every_term_has_its_state_and_its_days_late(reports, provider, row):
    first, *others = of(reports("terms", row[0]), provider)
    assert (first["state"], first["days_late"], first["satisfied_on"]) == ("PAID_ON_TIME", "0", "2025-03-01")
    assert [value for term in others for value in (term["state"], term["days_late"])] == row[1:]


@pytest.mark.parametrize("provider", ["totality", "payiq"])
@pytest.mark.parametrize("row", OUTCOME_ROWS, ids=[row[0] for row in OUTCOME_ROWS])
def test_every_day_has_its_outcome(reports, provider, row):
    [plan] = of(reports("plans", row[0]), provider)
    columns = ("outcome", "broken_at", "cured_at", "kept_so_far")
    assert [plan[name] or "-" for name in columns] == row[1:]


@pytest.mark.parametrize("provider", ["totality", "payiq"])
def test_one_term_of_four_was_kept_one_in_part_and_two_were_broken(reports, provider):
    """Evaluated on 7 June: 100.00, 60.00, nothing and nothing had come of 400.00 by the deadlines."""
    [row] = [row for row in of(reports("kept", "2025-06-07"), provider) if row["evaluated"] == "4"]
    assert [row[name] for name in ("window_days", "kept", "partly_kept", "broken")] == ["365", "1", "1", "2"]
    assert (row["kept_rate_count"], row["kept_rate_amount"]) == ("0.250000", "0.400000")


@pytest.mark.parametrize("row", BACK_ROWS, ids=[row[0] for row in BACK_ROWS])
def test_a_provider_that_keeps_balances_shows_a_term_paid_later_as_open_in_full(reports, row):
    [plan] = of(reports("plans", row[0]), "payt")
    figures = ("amount_due", "overdue", "outstanding")
    assert [plan[name] for name in figures] == [f"{value}.00" for value in row[1:4]]
    assert plan["days_past_due"] == row[4]
    assert open_per_term(of(reports("terms", row[0]), "payt")) == row[5]


@pytest.mark.parametrize(("day", "bucket"), [("2025-05-01", "1-30"), ("2025-05-02", "31-60")])
def test_the_day_after_thirty_falls_into_the_next_bucket(reports, day, bucket):
    rows = of([{**row, "plan_id": row["bucket"]} for row in reports("aging", day)], "totality")
    assert [(row["bucket"], row["plans"], row["outstanding"]) for row in rows] == [(bucket, "1", "240.00")]


def test_a_finished_example_has_no_breaks_on_any_day(reports):
    assert {len(reports("breaks", row[0])) for row in ROWS} == {0}


@pytest.mark.slow
def test_payt_agrees_with_the_table_where_each_day_was_fetched_on_its_own(desk):
    """Payt tells today's balance; fetched before and after each payment, every line of the table comes out."""
    world = golden()
    [plan] = world.payt.payment_plans
    [invoice] = world.payt.invoices
    received, world.payt.payments[:] = list(world.payt.payments), []
    table = desk(world).without("totality", "payiq").configure(run={"grace_days": 5})
    paid = {
        date(2025, 3, 1): (("0.00", "2025-03-01"), ("100.00", None), ("100.00", None), ("100.00", None)),
        date(2025, 4, 5): (("0.00", "2025-03-01"), ("40.00", None), ("100.00", None), ("100.00", None)),
        date(2025, 5, 10): (("0.00", "2025-03-01"), ("0.00", "2025-05-10"), ("0.00", "2025-05-10"), ("100.00", None)),
    }
    days = [date.fromisoformat(row[0]) for row in ROWS]
    starts = [*paid, date(9999, 1, 1)]
    for (since, states), until in zip(paid.items(), starts[1:], strict=True):
        with world.changing():
            world.payt.payments.append(received.pop(0))
            plan["updated_at"] = invoice["updated_at"] = f"{since}T09:30:00Z"
            invoice["open_amount"] = f"{sum(float(owed) for owed, _ in states):.2f}"
            for term, (owed, paid_on) in zip(plan["payment_terms"], states, strict=True):
                term |= {"amount_due": owed, "payment_date": paid_on}
        fetched = table.run(since).folder
        for day in (day for day in days if since <= day < until):
            folder = fetched if day == since else table.report(day).folder
            [shown] = table.rows("plans", folder)
            [line] = [row for row in ROWS if row[0] == str(day)]
            assert shown["plan_id"] == PAYT_PLAN
            assert [shown[name] for name in FIGURES] == written(line)
            assert open_per_term(of(table.rows("terms", folder), "payt")) == line[8]
            assert shown["flags"] == ""
            assert table.rows("breaks", folder) == []


@pytest.fixture(scope="module")
def restated(open_desk, tmp_path_factory):
    """The example before and after the 60.00 was returned: effective 5 April, known only after the first reports."""
    with open_desk(tmp_path_factory.mktemp("restated"), golden()) as desk:
        desk.configure(run={"grace_days": 5})
        before = desk.run(LAST)
        old = desk.report(date(2025, 4, 30)).folder
        stored = {path.name: path.read_bytes() for path in old.iterdir()}
        [[known_at]] = desk.query(f"SELECT max(known_at) FROM v_runs WHERE run_id = '{before.run_id}'")
        with desk.world.changing():
            desk.world.totality = golden_reversed().totality
        desk.run(LAST)
        yield desk, old, stored, known_at


@pytest.mark.slow
def test_a_reversal_known_later_restates_the_day_it_concerns(restated):
    desk, _, _, _ = restated
    [april] = of(desk.rows("plans", desk.report(date(2025, 4, 30)).folder), "totality")
    assert (april["overdue"], april["days_past_due"], april["received"]) == ("100.00", "29", "100.00")
    folder = desk.report(date(2025, 5, 20)).folder
    [may] = of(desk.rows("plans", folder), "totality")
    assert (may["overdue"], may["days_past_due"]) == ("60.00", "19")
    assert open_per_term(of(desk.rows("terms", folder), "totality")) == "0/0/60/100"
    [returned] = [row for row in desk.rows("payments", folder) if row["payment_id"] == TOTALITY_PAYMENTS[1]]
    assert (returned["class"], returned["reversed_on"], returned["reversed_amount"], returned["allocated"]) == (
        "reversed",
        "2025-04-05",
        "60.00",
        "0.00",
    )


def test_the_report_that_was_stored_does_not_change(restated):
    desk, old, stored, _ = restated
    assert {path.name: path.read_bytes() for path in old.iterdir()} == stored
    [plan] = of(desk.rows("plans", old), "totality")
    assert (plan["overdue"], plan["received"]) == ("40.00", "160.00")


def test_a_report_as_known_before_repeats_the_old_one_byte_for_byte(restated):
    desk, old, _, known_at = restated
    again = desk.report(date(2025, 4, 30), known_at=known_at).folder
    assert again != old
    assert desk.tables(again) == desk.tables(old)
    shown = desk.command("report", "--as-of", "2025-04-30", "--known-at", known_at.isoformat())
    assert shown.returncode == 0, shown.stderr
    newest = max((desk.reports / "as_of=2025-04-30").iterdir())
    assert desk.tables(newest) == desk.tables(old)


def test_the_other_providers_are_untouched_by_a_reversal_at_one(restated):
    desk, old, _, _ = restated
    now = desk.report(date(2025, 4, 30)).folder
    for name in ("plans", "terms", "payments", "aging"):
        for provider in ("payt", "payiq"):
            kept = [row for row in desk.rows(name, old) if row["provider"] == provider]
            assert [row for row in desk.rows(name, now) if row["provider"] == provider] == kept
