"""The equations between what was received, what is stored and what was published, asked in SQL of their own.

Each is a query for the rows that break it, so an empty answer is a good one. Nothing of the pipeline is used: a sum that
it got wrong cannot come out the same here by the same mistake.
"""

from collections.abc import Iterator, Mapping
from glob import escape
from pathlib import Path

import duckdb

LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""How databases are opened that others wrote."""

_PAGES = """
    CREATE OR REPLACE TEMP VIEW pages AS
    SELECT load_no, page_no, sweep, "rows", is_counted, load_no AS read_load_no, page_no AS read_page_no FROM raw.pages
    UNION ALL
    SELECT
        k.load_no, k.page_no + p.page_no - k.like_page_no, p.sweep, p."rows", p.is_counted, p.load_no, p.page_no
    FROM raw.kept_pages AS k INNER JOIN raw.pages AS p
        ON p.load_no = k.like_load_no AND p.page_no BETWEEN k.like_page_no AND k.like_page_no + k.pages - 1
"""
"""The pages of every load: those it read, and those that count as they did when an earlier load read them."""

_LOADS = {
    "fetched {1} are not accepted + quarantined + deduplicated": """
        SELECT load_no, entity FROM meta.integrity
        WHERE fetched != accepted + quarantined + deduplicated
            OR coalesce(amount_fetched_minor, 0) != coalesce(amount_accepted_minor, 0)
                + coalesce(amount_quarantined_minor, 0) + coalesce(amount_deduplicated_minor, 0)
    """,
    "the {1} in quarantine are not those that were counted": """
        SELECT load_no, entity FROM (
            SELECT load_no, entity, currency, quarantined AS n, amount_quarantined_minor AS m FROM meta.integrity
            UNION ALL
            SELECT load_no, entity, currency, -"rows", -amount_minor FROM meta.quarantine
        ) GROUP BY load_no, entity, currency HAVING sum(n) != 0 OR coalesce(sum(m), 0) != 0
    """,
    "the rows of {1} are not those of its pages": """
        SELECT load_no, sweep FROM (
            SELECT load_no, sweep, pages AS p, "rows" AS n FROM meta.fetches
            UNION ALL
            SELECT load_no, sweep, -1, -"rows" FROM pages
        ) SEMI JOIN (FROM meta.loads WHERE mode != 'REPLAY') USING (load_no)
        GROUP BY load_no, sweep HAVING sum(p) != 0 OR sum(n) != 0
    """,
    "the money of its {1} is not that of the pages": """
        WITH counted AS (
            SELECT load_no FROM pages ANTI JOIN (SELECT refused_load_no AS load_no FROM meta.replayed) USING (load_no)
            SEMI JOIN (FROM meta.loads WHERE mode != 'REPLAY') USING (load_no)
            GROUP BY load_no HAVING bool_and(coalesce(is_counted, false))
        )
        SELECT load_no, entity FROM (
            SELECT load_no, entity, currency, amount_fetched_minor AS m FROM meta.integrity
            UNION ALL
            SELECT p.load_no, c.entity, c.currency, -c.amount_fetched_minor
            FROM pages AS p INNER JOIN raw.page_counts AS c ON (c.load_no, c.page_no) = (p.read_load_no, p.read_page_no)
        ) SEMI JOIN counted USING (load_no) GROUP BY load_no, entity, currency HAVING coalesce(sum(m), 0) != 0
    """,
    "the next fetch of {1} would begin after this one did": """
        SELECT load_no, sweep FROM (
            SELECT
                load_no, sweep, watermark,
                max(coalesce(started_clock, fetched_at)) OVER (
                    PARTITION BY f.provider, f.tenant_id, sweep ORDER BY load_no
                ) AS began
            FROM meta.fetches AS f INNER JOIN meta.loads USING (load_no)
        ) WHERE watermark > began
    """,
}
"""What is wrong with a load, and the query for its number and the word in the sentence."""

KEYS = {
    "plan": ("plan_no", "coalesce(removed_on, deleted_on)"),
    "term": ("plan_no, term_id", "removed_on"),
    "payment": ("payment_no", "removed_on"),
    "account": ("account_no", "removed_on"),
    "policy": ("account_no", "NULL"),
}
"""Versioned tables: the key of a row, and the day since which it is gone."""

_VERSIONS = """
    SELECT
        count(*) FILTER (open > 1),
        count(*) FILTER (open < 2 AND NOT newest_is_open AND NOT newest_is_gone),
        count(*) FILTER (open < 2 AND NOT newest_is_open AND newest_is_gone)
    FROM (
        SELECT
            count(*) FILTER (c.row_no IS NULL) AS open,
            max_by(c.row_no IS NULL, v.load_no) AS newest_is_open,
            max_by({gone} IS NOT NULL, v.load_no) AS newest_is_gone
        FROM core.{name}_versions AS v LEFT JOIN core.{name}_closures AS c USING (row_no)
        GROUP BY {key}
    )
"""
_VERSION_FAULTS = (
    "have two versions that hold at once",
    "are not shown as they were received last",
    "are shown again although a later fetch took them away",
)


def unbalanced(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield what does not add up in an open warehouse: rows and money of each load, and which version of a row holds."""
    con.execute(_PAGES)
    for fault, query in _LOADS.items():
        found = con.sql(f"SELECT DISTINCT * FROM ({query}) ORDER BY ALL").fetchall()
        yield from (f"load {row[0]}: {fault.format(*row)}" for row in found)
    for name, (key, gone) in KEYS.items():
        [counts] = con.sql(_VERSIONS.format(name=name, key=key, gone=gone)).fetchall()
        yield from (
            f"{count} of core.{name}_versions {fault}"
            for count, fault in zip(counts, _VERSION_FAULTS, strict=True)
            if count
        )


_UNSEEN_CHANGES = """
    WITH made AS (
        SELECT
            w.intent_id, w.provider, w.tenant_id, w.plan_id, min(l.load_no) AS load_no,
            CAST(least(any_value(w.ended_at), min(f.started_clock)) AS DATE) AS happened_on
        FROM meta.writes AS w
        INNER JOIN meta.loads AS l ON (l.provider, l.tenant_id) = (w.provider, w.tenant_id)
        INNER JOIN meta.fetches AS f USING (load_no)
        WHERE w.state = 'done' AND w.operation = 'create' AND w.plan_id IS NOT NULL AND l.fetched_at >= w.ended_at
            AND NOT EXISTS (
                FROM meta.writes AS o WHERE (o.provider, o.tenant_id, o.plan_id) = (w.provider, w.tenant_id, w.plan_id)
                    AND o.intent_id != w.intent_id
            )
            AND 2 = (
                SELECT count(DISTINCT entity) FROM meta.integrity AS i
                WHERE i.load_no = l.load_no AND i.complete AND i.entity IN ('plans', 'terms')
            )
        GROUP BY ALL
    ),
    unseen AS (
        FROM made WHERE NOT EXISTS (
            FROM core.plan_keys AS k INNER JOIN core.plan_versions USING (plan_no)
            WHERE (k.provider, k.tenant_id, k.plan_id) = (made.provider, made.tenant_id, made.plan_id)
        )
    ),
    told AS (
        SELECT u.intent_id, u.plan_id, max_by(r.run_id, r.run_no) AS run_id
        FROM unseen AS u INNER JOIN meta.runs AS r
            ON r.state = 'PUBLISHED' AND r.known_load >= u.load_no AND r.as_of >= u.happened_on
        GROUP BY ALL
    )
    SELECT intent_id, plan_id
    FROM told ANTI JOIN (FROM out.breaks WHERE code = 'AGREEMENT_DIFF') USING (run_id, plan_id)
    ORDER BY ALL
"""
"""Plans that we made and left alone since, that a complete fetch after it did not show, and that the newest run to know it does not miss."""


def unproven(con: duckdb.DuckDBPyConnection, steps: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield changes at providers that the log does not bear out, or whose plan is neither there nor missed.

    `steps` has the states that each intent has been in by the log.
    """
    kept = con.sql("SELECT intent_id, state FROM meta.writes ORDER BY ALL").fetchall()
    for intent_id, state in kept:
        if state not in steps.get(intent_id, ()):
            yield f"change {intent_id} is {state} there and never was by its log"
    for intent_id, plan_id in con.sql(_UNSEEN_CHANGES).fetchall():
        yield f"change {intent_id} made plan {plan_id}, which no later fetch shows and no break misses"


_PLAN = "provider, tenant_id, plan_id"
_BROKEN_ROWS = {
    "terms whose amount - waived - received is not outstanding": (
        ("terms",),
        "FROM terms WHERE amount - waived - received IS DISTINCT FROM outstanding",
    ),
    "plans whose figures do not add up": (
        ("plans",),
        """
        FROM plans
        WHERE amount - waived - received IS DISTINCT FROM outstanding OR overdue + due_today IS DISTINCT FROM amount_due
            OR amount_due + not_due IS DISTINCT FROM outstanding
        """,
    ),
    "plans that are not the sum of their terms": (
        ("plans", "terms"),
        f"""
        SELECT {_PLAN} FROM (
            SELECT {_PLAN}, terms AS n, missed_terms AS k, amount AS a, waived AS w, received AS r, outstanding AS o FROM plans
            UNION ALL
            SELECT {_PLAN}, -1, -CAST(state = 'MISSED' AS INTEGER), -amount, -waived, -received, -outstanding FROM terms
        )
        GROUP BY ALL
        HAVING sum(n) != 0 OR sum(k) != 0 OR sum(a) != 0 OR sum(w) != 0 OR sum(r) != 0 OR sum(o) != 0
        """,
    ),
    "plans whose terms are not their stated total, without a break that says so": (
        ("plans", "breaks"),
        f"""
        FROM plans ANTI JOIN (FROM breaks WHERE code = 'TOTAL_DIFF') USING ({_PLAN})
        WHERE stated_total != amount - waived AND status IN ('ACTIVE', 'FINISHED', 'UNKNOWN')
        """,
    ),
    "plans with more received than the payments that are allocated to them": (
        ("plans", "payments"),
        f"""
        SELECT {_PLAN} FROM (
            SELECT {_PLAN}, received AS m FROM plans WHERE basis = 'PAYMENTS'
            UNION ALL
            SELECT {_PLAN}, -p.allocated FROM payments AS p SEMI JOIN (FROM plans WHERE basis = 'PAYMENTS') USING ({_PLAN})
        )
        GROUP BY ALL HAVING sum(m) != 0
        """,
    ),
    "payments that are listed twice for one account": (
        ("payments",),
        "SELECT 1 FROM payments GROUP BY provider, tenant_id, payment_id, account_id HAVING count(*) > 1",
    ),
    "missed terms that are not due before the as-of date, or not owed": (
        ("terms",),
        "FROM terms WHERE state = 'MISSED' AND NOT (due_date < as_of AND outstanding > 0 AND received = 0)",
    ),
    "buckets that are not the plans in force": (
        ("plans", "aging"),
        """
        SELECT 1 FROM (
            SELECT provider, tenant_id, currency, bucket, 1 AS n, amount_due AS d, overdue AS v, outstanding AS o
            FROM plans WHERE is_in_force
            UNION ALL
            SELECT provider, tenant_id, currency, bucket, -plans, -amount_due, -overdue, -outstanding FROM aging
        )
        GROUP BY provider, tenant_id, currency, bucket
        HAVING sum(n) != 0 OR sum(d) != 0 OR sum(v) != 0 OR sum(o) != 0
        """,
    ),
}
"""What is wrong with rows of a run folder, the tables it takes, and the query for the rows."""


def inconsistent(con: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[str]:
    """Yield what does not add up within the tables of a run folder; a table that was pruned is passed over."""
    for name in ("plans", "terms", "payments", "breaks", "aging"):
        con.execute(f"DROP VIEW IF EXISTS {name}")
        if (path := folder / f"{name}.parquet").is_file():
            con.read_parquet(escape(str(path)), hive_partitioning=False).create_view(name)
    for fault, (tables, query) in _BROKEN_ROWS.items():
        if all((folder / f"{name}.parquet").is_file() for name in tables):
            [(count,)] = con.sql(f"SELECT count(*) FROM ({query})").fetchall()
            if count:
                yield f"{count} {fault}"
