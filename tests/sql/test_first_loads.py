"""A tenant of which nothing is stored yet is not asked for: whatever others have stored, its first load costs no look-up.

Of what it wrote itself a load may ask; and a later load of the same tenant looks up what is stored.
"""

import re
from datetime import date

from sql.core import history

DAY = date(2026, 6, 30)
STORED = re.compile(r"\b(?:FROM|JOIN) (core\.\w+|meta\.(?:fetches|carried_fields))")
"""A statement that reads what loads have stored; what is to be numbered next is asked of every table."""
OF_ITSELF = {"links_by_case": "credit_case"}
"""Read after it was written by the same load: accounts that belong to a plan by their credit case."""


class Heard:
    """A connection that remembers what is asked of stored rows."""

    def __init__(self, con):
        self.con, self.read = con, []

    def __getattr__(self, name):
        return getattr(self.con, name)

    def sql(self, query, **given):
        self._hear(query)
        return self.con.sql(query, **given)

    def execute(self, query, *given):
        self._hear(query)
        return self.con.execute(query, *given)

    def _hear(self, query):
        if "coalesce(max(" not in query and not any(word in query for word in OF_ITSELF.values()):
            self.read += STORED.findall(query)


def rows(administration):
    plan = {
        "id": "10",
        "administration_id": administration,
        "debtor_id": "77",
        "active": True,
        "created_at": "2026-01-31T23:30:00Z",
        "updated_at": "2026-06-01T08:00:00Z",
        "approved_at": "2026-02-01T08:00:00Z",
    }
    term = {"plan_id": "10", "id": "9", "position": 0, "total_amount": "100.00", "amount_due": "40.00"}
    return {"payment_plans": [plan], "payment_terms": [term | {"due_date": "2026-03-01"}]}


def read_by(intake, tenant, **asked):
    heard = Heard(intake.con)
    intake.con = heard
    try:
        assert intake.fetch("payt", rows(tenant), tenant=tenant, day=DAY, **asked).is_new
    finally:
        intake.con = heard.con
    return sorted(set(heard.read))


def test_the_first_load_of_a_tenant_asks_nothing_about_what_is_stored(intake):
    history._NOTHING.clear()
    read_by(intake, "1")
    assert read_by(intake, "2") == []
    later = read_by(intake, "2")
    assert {"core.plan_keys", "core.plan_versions", "core.term_versions", "meta.fetches"} <= set(later)


def test_a_later_load_says_nothing_new_of_what_is_stored(intake):
    for _ in range(2):
        for tenant in ("1", "2"):
            intake.fetch("payt", rows(tenant), tenant=tenant, day=DAY)
    assert (intake.rows("core.plan_keys"), intake.rows("core.plan_versions"), intake.rows("core.term_versions")) == (
        2,
        2,
        2,
    )
