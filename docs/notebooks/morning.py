"""The morning's figures as a notebook: what is due, whom to call, how old it is, and a place for questions of one's own.

pip install "planrecon[notebook]"
marimo edit docs/notebooks/morning.py -- --latest reports/latest

It reads `read.duckdb` of that folder, else of `$REPORTS_LATEST`, else of `reports/latest`, and writes nothing.
"""

import marimo

app = marimo.App(width="medium", app_title="planrecon: the morning")


@app.cell
def _():
    import os
    from pathlib import Path

    import duckdb
    import marimo as mo

    return Path, duckdb, mo, os


@app.cell
def _(Path, duckdb, mo, os):
    latest = Path(mo.cli_args().get("latest") or os.environ.get("REPORTS_LATEST") or "reports/latest").resolve()
    mo.stop(
        not (latest / "read.duckdb").is_file(),
        mo.md(
            f"There is no `read.duckdb` in `{latest}`. Call `planrecon run` first, or give the folder with `--latest`."
        ),
    )
    con = duckdb.connect(str(latest / "read.duckdb"), read_only=True)

    def ask(sql):
        """Return the rows of one SELECT as a polars frame."""
        return con.sql(sql).pl()

    return ask, latest


@app.cell
def _(ask, latest, mo):
    figures = ask("""
        SELECT
            provider, currency, sum(plans_in_force) AS plans, sum(missed_terms) AS missed_terms,
            sum(due_today) AS due_today, sum(amount_due) AS amount_due, sum(overdue) AS overdue,
            sum(pending) AS pending, sum(outstanding) AS outstanding
        FROM v_customers
        WHERE plans_in_force > 0
        GROUP BY provider, currency
        ORDER BY provider, currency
    """)
    mo.vstack([mo.md(f"# The morning\n\n`{latest}`"), mo.ui.table(figures, selection=None)])
    return (figures,)


@app.cell
def _(ask, mo):
    calls = ask("""
        SELECT
            provider, plan_id, customer_id, reference, currency, overdue, days_past_due, next_due_date, last_receipt_date
        FROM v_plans
        WHERE work_lists LIKE '%CALL_TODAY%'
        ORDER BY currency, overdue DESC, provider, plan_id
    """)
    mo.vstack([mo.md("## Call today: past due, no money on its way"), mo.ui.table(calls, selection=None)])
    return (calls,)


@app.cell
def _(ask, mo):
    ages = ask("""
        SELECT currency, bucket, sum(terms) AS terms, sum(outstanding) AS outstanding
        FROM v_aging_terms
        GROUP BY currency, bucket, bucket_no
        ORDER BY currency, bucket_no
    """)
    mo.vstack([mo.md("## How old it is, by term"), mo.ui.table(ages, selection=None)])
    return (ages,)


@app.cell
def _(mo):
    question = mo.ui.code_editor(
        "SELECT provider, code, reason, count(*) AS breaks\nFROM v_breaks\nGROUP BY ALL\nORDER BY breaks DESC, provider, code, reason",
        language="sql",
        label="## Ask: the views are in the cookbook; nothing can be written",
    )
    question  # noqa: B018 - the last expression of a cell is what it shows
    return (question,)


@app.cell
def _(ask, mo, question):
    answer = ask(question.value)
    mo.ui.table(answer, selection=None)
    return (answer,)


if __name__ == "__main__":
    app.run()
