"""A quiet day asks for little and reads less, and says what a day says that asks for everything and reads it all."""

import random
from datetime import date, timedelta

import pytest

from flows.commands.cli import execute
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds.scenarios import generate

pytestmark = pytest.mark.usefixtures("impatient")
AS_OF = date(2026, 6, 30)
TABLES = ("plans", "terms", "payments", "breaks", "aging", "aging_terms", "cash", "exposure", "kept", "integrity")
STORED = """
    SELECT 'plan' AS kind, k.plan_id AS id, count(*) AS versions, count(c.row_no) AS ended
    FROM core.plan_versions AS v JOIN core.plan_keys AS k USING (plan_no) LEFT JOIN core.plan_closures AS c USING (row_no)
    GROUP BY ALL
    UNION ALL
    SELECT 'payment', k.payment_id || ' ' || k.share, count(*), count(c.row_no)
    FROM core.payment_versions AS v JOIN core.payment_keys AS k USING (payment_no)
    LEFT JOIN core.payment_closures AS c USING (row_no)
    GROUP BY ALL
    ORDER BY ALL
"""
COUNTED = """
    SELECT load_no, entity, currency, * LIKE '%fetched%', * LIKE '%accepted%', * LIKE '%quarantined%', * LIKE '%deduplicated%',
        complete
    FROM meta.integrity ORDER BY ALL
"""
SWEPT = 'SELECT load_no, sweep, complete, since IS NULL, pages, "rows" FROM meta.fetches ORDER BY ALL'


def asked(desk, work):
    """How many requests PayIQ got while `work` ran."""
    before = len(desk.sandbox.requests["payiq"])
    work()
    return len(desk.sandbox.requests["payiq"]) - before


def stored(desk, sql):
    import duckdb

    with duckdb.connect(desk.folder / "planrecon.duckdb", read_only=True) as con:
        return con.sql(sql).fetchall()


def figures(desk):
    """What readers see, what is stored and what was counted; `fresh_at` is the moment of the fetch and left out."""
    tables = {
        name: [{key: value for key, value in row.items() if key != "fresh_at"} for row in desk.rows(name)]
        for name in TABLES
    }
    return tables, *(stored(desk, sql) for sql in (STORED, COUNTED, SWEPT))


def pay(book, key, number, cents):
    """Book a payment that the setup tells of, as we assume."""
    book.payments.setdefault(key, []).append(payiq.payment(number, key, cents, AS_OF))
    book.setups[key]["Accounts"][0]["UpdateDate"] = f"2026-06-30T{number % 24:02d}:00:00Z"


@pytest.fixture
def pair(desk):
    """Two desks on the same world: one assumes that the setup tells, the other asks every account for everything."""
    quiet = desk(generate(seed=5, plans=16, as_of=AS_OF, providers=("payiq",)), "quiet").without("payt", "totality")
    exact = desk(generate(seed=5, plans=16, as_of=AS_OF, providers=("payiq",)), "exact").without("payt", "totality")
    quiet.world.clock = exact.world.clock = None
    exact.configure(**{"providers.payiq.assumed": {"setup_tells": "no"}})
    for one in (quiet, exact):
        one.configure(gates={"quarantine_share": 1.0})  # so few plans that one refused row is many
    return quiet, exact


def begin(pair):
    """Both desks as after their first day."""
    for desk in pair:
        desk.begin(AS_OF)


def both(pair, change, **how):
    """Change both worlds, run both desks; return the requests of each."""
    requests = []
    for desk in pair:
        with desk.world.changing():
            change(desk.world.payiq)
        requests.append(asked(desk, lambda desk=desk: desk.run(AS_OF, **how)))
    return requests


@pytest.mark.slow
def test_days_with_few_changes_say_what_days_say_that_ask_for_everything(pair):
    draw = random.Random(11)
    quiet, _ = pair
    first, _ = both(pair, lambda _book: None)
    for day in range(2):
        keys = draw.sample(sorted(quiet.world.payiq.setups), 2)

        def change(book, keys=keys, day=day):
            for key in keys:
                pay(book, key, 880_000 + day * 10 + keys.index(key), 100 * day + 50)

        little, everything = both(pair, change)
        assert little < everything
        assert figures(quiet) == figures(pair[1])
    assert little < 0.7 * first
    kept = stored(quiet, "SELECT load_no, sum(pages) FROM raw.kept_pages GROUP BY load_no ORDER BY load_no")
    assert [load for load, _ in kept] == [2, 3]
    assert execute(["verify", "--config", str(quiet.file)]) == 0

    before = (
        figures(quiet),
        stored(quiet, "FROM raw.kept_pages ORDER BY ALL"),
        stored(quiet, "FROM raw.page_counts ORDER BY ALL"),
    )
    assert execute(["rebuild", "--config", str(quiet.file)]) == 0
    again = (
        figures(quiet),
        stored(quiet, "FROM raw.kept_pages ORDER BY ALL"),
        stored(quiet, "FROM raw.page_counts ORDER BY ALL"),
    )
    assert again == before


@pytest.mark.slow
def test_what_the_setup_does_not_tell_is_found_when_everything_is_asked_again(pair):
    quiet, exact = pair
    begin(pair)
    settled = sorted(
        key
        for key, setup in quiet.world.payiq.setups.items()
        if not setup["Accounts"][0]["PendingPayments"]
        and len(quiet.world.payiq.payments.get(key, [])) > 1
        and not is_near(quiet.world.payiq, setup)
    )
    vanished, changed = settled[:2]

    def silent(book):
        del book.payments[vanished][0]
        plan_id = book.setups[changed]["Accounts"][0]["ExistingPaymentPlanID"]
        book.plans[plan_id]["PaymentAmount"] = payiq.money(1234)

    both(pair, silent)
    assert figures(quiet) != figures(exact), "the assumption does not hold here"
    both(pair, lambda _book: None, full=True)
    tables, versions, *_ = figures(quiet)
    assert (tables["plans"], tables["terms"], tables["payments"]) == tuple(
        figures(exact)[0][name] for name in ("plans", "terms", "payments")
    )
    assert versions == figures(exact)[1]
    gone = [row for row in versions if row[0] == "payment" and row[2] == 2 and row[3] == 1]
    assert gone, "the payment that vanished has a version that says so"


def is_near(book, setup):
    plan_id = setup["Accounts"][0]["ExistingPaymentPlanID"]
    if plan_id is None:
        return True
    plan = book.plans[plan_id]
    days = (day for day, _ in payiq.terms(plan, date.fromisoformat(plan["CreateDate"][:10])))
    return any(abs(day - AS_OF) <= timedelta(days=3) for day in days)


@pytest.mark.slow
def test_an_account_with_a_fault_or_a_refused_row_is_asked_for_everything_again(pair):
    quiet, exact = pair
    begin(pair)
    keys = sorted(key for key, setup in quiet.world.payiq.setups.items() if not is_near(quiet.world.payiq, setup))
    gone, odd = keys[:2]

    def spoil(book):
        book.setups[gone]["Accounts"][0]["ExistingPaymentPlanID"] = 999_999_999
        pay(book, odd, 870_001, 100)
        book.payments[odd][-1]["Total"] = "1.234"

    both(pair, spoil)
    assert figures(quiet) == figures(exact)

    def mend(book):
        book.payments[odd][-1]["Total"] = payiq.money(100)  # and the setup is as it was

    both(pair, mend)
    assert figures(quiet) == figures(exact)
    assert [row for row in quiet.rows("payments") if row["payment_id"] == "870001"]


@pytest.mark.slow
def test_an_account_that_left_the_file_is_not_judged_and_comes_back_as_it_was(pair):
    lines = {}
    for desk in pair:
        path = desk.folder / "payiq_accounts.csv"
        lines[desk.folder] = path.read_text(encoding="utf-8")
    begin(pair)
    for desk in pair:
        path = desk.folder / "payiq_accounts.csv"
        head, _, *rest = lines[desk.folder].splitlines(keepends=True)
        path.write_text("".join([head, *rest]), encoding="utf-8")
    both(pair, lambda _book: None)
    assert figures(pair[0]) == figures(pair[1])
    for desk in pair:
        (desk.folder / "payiq_accounts.csv").write_text(lines[desk.folder], encoding="utf-8")
    both(pair, lambda _book: None)
    assert figures(pair[0]) == figures(pair[1])


@pytest.mark.slow
def test_lists_on_which_nothing_happened_are_not_read_again(desk):
    desk = desk(generate(seed=5, plans=6, as_of=AS_OF, providers=("payt", "totality"))).without("payiq")
    desk.world.clock = None
    for _ in range(3):
        desk.run(AS_OF)
    tables = desk.tables()
    kept = stored(
        desk, "SELECT provider, count(DISTINCT load_no) FROM raw.kept_pages JOIN meta.loads USING (load_no) GROUP BY 1"
    )
    assert {provider for provider, _ in kept} == {"payt", "totality"}, kept
    desk.run(AS_OF, full=True)
    assert desk.tables() == tables
    assert execute(["verify", "--config", str(desk.file)]) == 0
