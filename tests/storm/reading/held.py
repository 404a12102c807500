"""What the warehouse holds beside what the providers hold: rows as its tables have them, and as the slow answer reads a world."""

from collections import Counter
from dataclasses import dataclass, field, fields

import duckdb
from oracles.model import Options
from oracles.read import read

from sandbox.world import PROVIDERS, World

CURRENT = {
    "plans": """
        SELECT provider, tenant_id, plan_id, currency, is_active, created_on FROM core.plan_versions JOIN core.plan_keys USING (plan_no)
        WHERE row_no NOT IN (SELECT row_no FROM core.plan_closures) AND removed_on IS NULL AND deleted_on IS NULL""",
    "terms": """
        SELECT provider, tenant_id, plan_id, term_id, t.due_date, t.amount_minor, t.provider_outstanding_minor
        FROM core.term_versions AS t JOIN core.plan_keys USING (plan_no)
        WHERE t.row_no NOT IN (SELECT row_no FROM core.term_closures) AND t.removed_on IS NULL
        AND plan_no IN (SELECT plan_no FROM core.plan_versions WHERE row_no NOT IN (SELECT row_no FROM core.plan_closures)
            AND removed_on IS NULL AND deleted_on IS NULL)""",
    "payments": """
        SELECT k.provider, k.tenant_id, payment_id, a.account_id, v.amount_minor, v.effective_date, v.provider_status
        FROM core.payment_versions AS v JOIN core.payment_keys AS k USING (payment_no)
        LEFT JOIN core.account_keys AS a USING (account_no)
        WHERE v.row_no NOT IN (SELECT row_no FROM core.payment_closures) AND v.removed_on IS NULL""",
    "accounts": """
        SELECT provider, tenant_id, account_id, coalesce(account_amount_due_minor, balance_minor)
        FROM core.account_versions JOIN core.account_keys USING (account_no)
        WHERE row_no NOT IN (SELECT row_no FROM core.account_closures) AND removed_on IS NULL""",
}  # fmt: skip
KEYS = {"plans": 3, "terms": 4, "payments": 4, "accounts": 3}
"""How many columns from the left name a row."""


def truth(world):
    """What the providers hold, by entity and key, as the slow answer reads it."""
    with world.lock:
        facts = read(World.from_json(world.to_json()), Options())
    who = {name: {} for name in KEYS}
    for plan in facts.plans:
        key = (plan.provider, plan.tenant, plan.plan_id)
        who["plans"][key] = (plan.currency, plan.active, plan.created)
        for term in plan.terms:
            who["terms"][(*key, term.term_id)] = (term.due, term.amount, term.owed)
    for one in facts.payments:
        who["payments"][one.provider, one.tenant, one.payment_id, one.account_id] = (
            one.amount,
            one.effective,
            one.status,
        )
    who["accounts"] = {key: (one.owed,) for key, one in facts.accounts.items()}
    for loan in world.totality.loans:  # the slow answer needs no balances of these
        who["accounts"]["totality", Options().totality_tenant, loan["uuid"]] = (loan["balance"],)
    for setup in world.payiq.setups.values():
        for row in setup["Accounts"]:
            who["accounts"]["payiq", Options().payiq_tenant, str(row["AccountID"])] = (int(row["AmountDue"] * 100),)
    return who


def stored(path):
    """What the warehouse holds now: rows as they are, also two of one key; and the keys of rows that were refused."""
    with duckdb.connect(str(path), read_only=True) as con:
        rows = {name: con.sql(sql).fetchall() for name, sql in CURRENT.items()}
        refused = {
            key for (key,) in con.sql("SELECT row_key FROM meta.quarantine WHERE row_key IS NOT NULL").fetchall()
        }
    return rows, refused


@dataclass
class Verdict:
    """What one seed found: rows lost, doubled, stale or ghosts after a quiet run, and what was wrong and looked right."""

    seed: int = 0
    reads: int = 0
    rows: int = 0
    changes: int = 0
    faults: int = 0
    incomplete: int = 0
    lost: list = field(default_factory=list)
    doubled: list = field(default_factory=list)
    stale: list = field(default_factory=list)
    ghosts: list = field(default_factory=list)
    wrong: list = field(default_factory=list)

    @property
    def is_right(self):
        return not (self.lost or self.doubled or self.stale or self.ghosts or self.wrong)

    def add(self, other):
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def compare(self, world, path, *, when, is_full):
        """Hold every row of the warehouse against the world; rows in quarantine are told, not lost, until all is fetched.

        What a provider took away of which no list tells may stand until everything is fetched again.
        """
        held, (rows, refused) = truth(world), stored(path)
        known = set() if is_full else refused
        for name, count in KEYS.items():
            found = Counter(row[:count] for row in rows[name])
            self.doubled += [(when, name, key) for key, times in found.items() if times > 1]
            given = {row[:count]: row[count:] for row in rows[name]}
            for key, row in held[name].items():
                if known.intersection(map(str, key[2:])) or {f"psp:{key[2]}", f"invoice:{key[2]}"} & known:
                    continue
                if key not in given:
                    self.lost.append((when, name, key))
                elif given[key] != row:
                    self.stale.append((when, name, key, given[key], row))
            telling = PROVIDERS if is_full else ("payt",)
            self.ghosts += [(when, name, key) for key in given if key not in held[name] and key[0] in telling]
        self.rows += sum(map(len, held.values()))
