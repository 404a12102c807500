"""Pauses through a whole run: told by the provider, or in a file of one's own."""

import re
from datetime import date

import pytest

from flows.errors import SettingsError
from sandbox.world import World
from sandbox.worlds.generate_payt import Administration, stamp

AS_OF = date(2026, 4, 21)
MADE, DUE, LATER = date(2026, 2, 14), date(2026, 4, 1), date(2026, 7, 1)
PAUSED_ON = date(2026, 4, 11)
OFFICE = Administration("1001")
QUIET = stamp(date(2026, 4, 10))
PAUSED = {"paused_at": stamp(PAUSED_ON)}
HEAD = "provider,tenant_id,plan_id,start,end,reason"


def add(world, plan_id, *, debtor=None, invoice=None, case=None, owed=None):
    """Add a plan of two terms, the first 20 days late, with its debtor, its invoice and, where told, a case over it."""
    person, bill, cover = f"7{plan_id}", f"8{plan_id}", f"9{plan_id}"
    terms = [OFFICE.term(f"{plan_id}1", 10_000, 10_000, DUE), OFFICE.term(f"{plan_id}2", 10_000, 10_000, LATER)]
    world.payt.payment_plans.append(OFFICE.plan(plan_id, person, terms, MADE, updated_at=QUIET))
    world.payt.debtors.append(OFFICE.debtor(person, MADE) | (debtor or {}))
    links = {"active_payment_plan_id": plan_id}
    if case is not None:
        row = OFFICE.case(cover, person, 20_000, 20_000, MADE, updated_at=QUIET, **links, **case)
        world.payt.credit_cases.append(row)
        links = {"active_credit_case_id": cover}
    row = OFFICE.invoice(bill, person, 20_000, owed or 20_000, MADE, updated_at=QUIET, **links, **(invoice or {}))
    world.payt.invoices.append(row)


@pytest.fixture(scope="module")
def paused(open_desk, tmp_path_factory):
    world = World()
    world.payt.administrations.append(OFFICE.row("Receivables"))
    add(world, "11")
    add(world, "12", debtor=PAUSED)
    add(world, "13", invoice=PAUSED)
    add(world, "14", case=PAUSED)
    add(world, "15", debtor={"paused_at": stamp(date(2026, 4, 22))})
    add(world, "16", owed=15_000)
    world.clock = "2026-04-21T06:00:00Z"
    with open_desk(tmp_path_factory.mktemp("paused"), world) as desk:
        desk.without("totality", "payiq").configure(reports={"formats": ["csv", "html"]})
        desk.run(AS_OF)
        yield desk


def plans(desk, folder=None):
    return {row["plan_id"]: (row["flags"], int(row["days_past_due"])) for row in desk.rows("plans", folder)}


def listed(folder):
    """Of each work list on the page: its number and money, and the plans on it."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    item = r'<h3 id="([a-z-]+)">[^<]+ · (\d+)</h3><span class="note">([^<]*)</span></div>(.*?)</table>'
    return {
        name: (int(count), money, sorted(re.findall(r'data-label="Plan"><bdi>([^<]+)</bdi>', table)))
        for name, count, money, table in re.findall(item, page, re.DOTALL)
    }


def test_a_pause_of_debtor_invoice_or_case_flags_the_plan_and_stops_no_days(paused):
    found = plans(paused)
    assert [found[name] for name in ("12", "13", "14")] == [("PAUSED", 20)] * 3
    assert (found["11"], found["15"]) == (("", 20), ("", 20))


def test_paused_plans_and_those_whose_invoices_owe_less_have_lines_of_their_own_and_are_not_chased(paused):
    found = listed(paused.latest)
    assert found["paused"] == (3, "EUR 300.00", ["12", "13", "14"])
    assert found["call"] == (2, "EUR 200.00", ["11", "15"])
    assert found["not-owed"] == (1, "EUR 100.00", ["16"])


def test_the_provider_s_pause_stops_days_where_that_is_chosen(paused):
    paused.configure(run={"pauses": "STOP"})
    try:
        found = plans(paused, paused.report(AS_OF).folder)
    finally:
        paused.configure(run={"pauses": None})
    assert [found[name] for name in ("12", "13", "14")] == [("PAUSED", 9)] * 3
    assert (found["11"], found["15"]) == (("", 20), ("", 20))


def test_before_its_day_a_pause_has_not_begun(paused):
    found = plans(paused, paused.report(date(2026, 4, 10)).folder)
    assert {flags for flags, _ in found.values()} <= {"", "INVOICES_OWE_LESS"}
    assert found["12"] == ("", 9)


@pytest.mark.parametrize("stops", [False, True], ids=["flag", "stop"])
def test_every_figure_equals_the_slow_answer(paused, compare, stops):
    word = {"pauses": "STOP"} if stops else {}
    paused.configure(run=word)
    try:
        folder = paused.report(AS_OF).folder
    finally:
        paused.configure(run={"pauses": None})
    assert compare(paused, folder, AS_OF, **word) == []


def test_a_file_of_pauses_always_stops_days_and_overlaps_count_once(paused):
    lines = [
        "\ufeff" + HEAD.replace(",", ";"),
        "payt;1001;11;2026-04-05;2026-04-08;on holiday",
        "Payt;;11;2026-04-07;2026-04-10;",
        "",
        "payt;1001;15;2026-04-15;;agreed by telephone",
    ]
    (paused.folder / "pauses.csv").write_text("\r\n".join(lines), encoding="utf-8")
    paused.configure(run={"pauses_file": "pauses.csv"})
    try:
        found = plans(paused, paused.report(AS_OF).folder)
    finally:
        paused.configure(run={"pauses_file": None})
    assert (found["11"], found["15"], found["12"]) == (("", 15), ("PAUSED", 13), ("PAUSED", 20))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("stripe,1001,11,2026-04-05,,", "line 2: provider 'stripe' is none of"),
        ("payt,1001,99,2026-04-05,,", "line 2: payt has no plan '99' of tenant '1001'"),
        ("payt,2002,11,2026-04-05,,", "line 2: payt has no plan '11' of tenant '2002'"),
        ("payt,1001,,2026-04-05,,", "line 2 has no plan_id"),
        ("payt,1001,11,05-04-2026,,", "line 2: start '05-04-2026' is no date"),
        ("payt,1001,11,2026-04-05,2026-04-05,", "line 2: end 2026-04-05 is not after start"),
        ("payt,1001,11,,,", "line 2 has no start"),
        ("payt,1001,11,0202-04-05,,", "line 2: start '0202-04-05' lies before"),
    ],
)
def test_a_line_that_is_no_pause_is_refused_by_its_number(paused, line, words):
    (paused.folder / "wrong.csv").write_text(f"{HEAD}\n{line}\n", encoding="utf-8")
    paused.configure(run={"pauses_file": "wrong.csv"})
    try:
        with pytest.raises(SettingsError) as refused:
            paused.report(AS_OF)
    finally:
        paused.configure(run={"pauses_file": None})
    assert words in str(refused.value)
    assert "pauses_file" in str(refused.value)


def test_a_file_of_pauses_that_is_not_there_is_refused_before_anything_is_fetched(paused):
    paused.configure(run={"pauses_file": "nowhere.csv"})
    try:
        with pytest.raises(SettingsError, match=r"nowhere\.csv"):
            paused.run(AS_OF)
    finally:
        paused.configure(run={"pauses_file": None})


def test_a_pause_ends_on_the_day_a_later_version_shows_none(desk):
    """Paused from the 11th; the debtor is let go on the 16th, so five days were paused."""
    world = World()
    world.payt.administrations.append(OFFICE.row("Receivables"))
    add(world, "12", debtor=PAUSED)
    add(world, "13", invoice=PAUSED)
    world.clock = "2026-04-15T06:00:00Z"
    open_one = desk(world).without("totality", "payiq").configure(run={"pauses": "STOP"})
    assert plans(open_one, open_one.run(date(2026, 4, 15)).folder) == {"12": ("PAUSED", 9), "13": ("PAUSED", 9)}
    with world.changing():
        for row in (world.payt.debtors[0], world.payt.invoices[1]):
            row |= {"paused_at": None, "updated_at": "2026-04-16T06:30:00Z"}
        world.clock = "2026-04-21T06:00:00Z"
    folder = open_one.run(AS_OF).folder
    assert plans(open_one, folder) == {"12": ("", 15), "13": ("", 15)}
    # Known now, the 15th was inside the pause.
    assert plans(open_one, open_one.report(date(2026, 4, 15)).folder) == {"12": ("PAUSED", 9), "13": ("PAUSED", 9)}


def test_a_pause_that_cannot_be_read_is_quarantined_and_the_one_known_before_stays(desk):
    world = World()
    world.payt.administrations.append(OFFICE.row("Receivables"))
    add(world, "11")
    add(world, "12", debtor=PAUSED)
    add(world, "13", invoice=PAUSED)
    add(world, "14", case=PAUSED)
    world.clock = "2026-04-21T06:00:00Z"
    desk = desk(world).without("totality", "payiq").configure(gates={"quarantine_share": 1})
    desk.run(AS_OF)
    before = plans(desk)
    rows = (world.payt.debtors, world.payt.invoices, world.payt.credit_cases)
    with world.changing():
        for row in [each for several in rows for each in several if each.get("paused_at")]:
            row |= {"paused_at": "soon", "updated_at": world.clock}
        world.payt.debtors[0] |= {"paused_at": 20260411, "updated_at": world.clock}
    finished = desk.run(AS_OF)
    assert finished.state == "PUBLISHED"
    assert plans(desk) == before
    assert [before[name][0] for name in ("12", "13", "14")] == ["PAUSED"] * 3
    found = desk.query("SELECT DISTINCT entity, code, column_name, row_key FROM v_quarantine ORDER BY ALL")
    assert [tuple(row) for row in found] == [
        ("accounts", "BAD_DATE", "paused_on", "case:914"),
        ("accounts", "BAD_DATE", "paused_on", "invoice:813"),
        ("customers", "BAD_DATE", "paused_on", "712"),
        ("customers", "WRONG_TYPE", "paused_at", "711"),
    ]
    [debtors] = [row for row in desk.rows("integrity") if row["entity"] == "customers"]
    fetched, accepted, *others = (int(debtors[name]) for name in ("fetched", "accepted", "quarantined", "deduplicated"))
    assert accepted == 0
    assert fetched == sum(others) >= 2
