"""A fetch that is staged, judged and stored in parts says what it says in one piece."""

from datetime import date

import pytest

from flows.commands.cli import execute
from flows.steps import loading
from sandbox.worlds import generate_payt as payt
from sandbox.worlds.scenarios import generate

pytestmark = [pytest.mark.usefixtures("impatient"), pytest.mark.slow]
AS_OF = date(2026, 6, 30)
TABLES = ("plans", "terms", "payments", "breaks", "aging", "aging_terms", "cash", "exposure", "kept", "integrity")
STORED = {
    "terms": """
        SELECT plan_id, term_id, due_date, amount_minor, v.load_no, c.load_no AS ended
        FROM core.term_versions AS v JOIN core.plan_keys USING (plan_no) LEFT JOIN core.term_closures AS c USING (row_no)
    """,
    "plans": """
        SELECT plan_id, account_id, deleted_on, removed_on, ended_on, v.load_no, c.load_no AS ended
        FROM core.plan_versions AS v JOIN core.plan_keys USING (plan_no) LEFT JOIN core.account_keys USING (account_no)
        LEFT JOIN core.plan_closures AS c USING (row_no)
    """,
    "payments": """
        SELECT payment_id, share, amount_minor, reversed_on, removed_on, v.load_no, c.load_no AS ended
        FROM core.payment_versions AS v JOIN core.payment_keys USING (payment_no)
        LEFT JOIN core.payment_closures AS c USING (row_no)
    """,
    "accounts": """
        SELECT account_id, balance_minor, active.plan_id, removed_on, v.load_no, c.load_no AS ended
        FROM core.account_versions AS v JOIN core.account_keys USING (account_no)
        LEFT JOIN core.plan_keys AS active ON active.plan_no = v.active_plan_no
        LEFT JOIN core.account_closures AS c USING (row_no)
    """,
    "links": "SELECT plan_id, account_id, load_no FROM core.plan_links JOIN core.plan_keys USING (plan_no) "
    "JOIN core.account_keys USING (account_no)",
    "named": "SELECT 'plan' AS kind, plan_id AS id FROM core.plan_keys UNION ALL SELECT 'account', account_id FROM "
    "core.account_keys UNION ALL SELECT 'payment', payment_id || share FROM core.payment_keys",
    "pauses": "SELECT customer_id, paused_on, load_no FROM core.customer_pauses",
    "refused": "SELECT * EXCLUDE (first_seen, last_seen) FROM meta.quarantine",
    "words": "SELECT load_no, entity, kind, name, value, rows FROM meta.drift",
    "counts": "SELECT * EXCLUDE (fresh_at) FROM meta.integrity",
    "pages": "FROM raw.page_counts",
    "hashes": "FROM raw.rows",
    "sweeps": 'SELECT load_no, sweep, complete, pages, "rows", watermark IS NULL FROM meta.fetches',
}


def stored(desk):
    import duckdb

    with duckdb.connect(desk.folder / "planrecon.duckdb", read_only=True) as con:
        return {name: sorted(con.sql(sql).fetchall(), key=repr) for name, sql in STORED.items()}


def shown(desk):
    """The rows of the reports, but for the moment of the fetch."""
    return {
        name: [{key: value for key, value in row.items() if key != "fresh_at"} for row in desk.rows(name)]
        for name in TABLES
    }


@pytest.fixture
def pair(desk, monkeypatch):
    """Two desks on alike worlds of three providers, the second of which loads a few rows at a time."""
    world = [generate(seed=8, plans=30, as_of=AS_OF) for _ in range(2)]
    whole, in_parts = desk(world[0], "whole"), desk(world[1], "in parts")
    staging = loading.staging

    def parted(con, rows, options, part):
        path = con.sql("SELECT path FROM duckdb_databases() WHERE path IS NOT NULL").fetchall()[0][0]
        return staging(con, rows, options, part=7 if "in parts" in path else part)

    monkeypatch.setattr(loading, "staging", parted)
    for one in (whole, in_parts):
        one.world.clock = None
        one.configure(gates={"quarantine_share": 1.0, "change_share": 1.0})
    return whole, in_parts


def both(pair, change, **how):
    for desk in pair:
        with desk.world.changing():
            change(desk.world)
        assert desk.run(AS_OF, **how).state == "PUBLISHED"
    whole, in_parts = pair
    assert shown(in_parts) == shown(whole)
    for name, rows in stored(whole).items():
        assert stored(in_parts)[name] == rows, name


def spoil(world):
    """Rows that are refused, twice the same row, a word nobody knows, and a term that two plans show."""
    plans, terms = world.payt.payment_plans, world.totality.scheduled_payments
    plans[0]["payment_terms"][0]["total_amount"] = "1.2.3"
    plans[1]["created_at"] = "yesterday"
    plans.append(dict(plans[2]))
    world.payt.payments[0]["payment_date"] = "2026-02-31"
    world.payt.payments[1]["total_amount"] = None
    terms[0]["paymentDate"] = "2026-13-01"
    other = next(term for term in terms if term["paymentPlanUuid"] != terms[5]["paymentPlanUuid"])
    terms.append(terms[5] | {"paymentPlanUuid": other["paymentPlanUuid"], "updatedAt": "2026-06-29T10:00:00Z"})
    world.totality.payments[0]["status"] = "unheard of"


def change(world):
    """A plan with other terms, one that ended, a payment that was deleted, a pause."""
    day = {"updated_at": payt.stamp(AS_OF)}
    plans = world.payt.payment_plans
    plans[3]["payment_terms"].pop()
    plans[3] |= day
    plans[4] |= day | {"active": False, "deactivated_at": payt.stamp(AS_OF)}
    world.payt.debtors[0] |= day | {"paused_at": payt.stamp(AS_OF)}
    world.totality.payment_plans[1] |= {"isActive": False, "updatedAt": "2026-06-30T10:00:00Z"}


def take_away(world):
    """Rows that only a fetch of everything finds gone, and one that is refused where it stood before."""
    world.payt.payment_plans.pop(5)
    world.payt.payments.pop(3)
    world.payt.payments[4]["total_amount"] = "a lot"
    world.totality.scheduled_payments.pop(8)
    world.totality.payment_plans.pop(2)
    world.totality.payments.pop(1)


def test_days_loaded_in_parts_say_what_days_say_that_are_loaded_whole(pair):
    both(pair, spoil)
    both(pair, change)
    both(pair, take_away, full=True)
    in_parts = pair[1]
    before = stored(in_parts)
    assert execute(["rebuild", "--config", str(in_parts.file)]) == 0
    assert stored(in_parts) == before
