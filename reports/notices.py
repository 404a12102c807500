"""Tell what moved among the breaks since the last published run: one digest per run, also of a quiet one.

What goes on as it was is not told. Whoever is told every morning so sees by a missing digest that something is wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from reports.markdown import listed
from schemas.words import SEVERITY_RANKS

MOST = 20
"""Breaks named under each heading, the worst first; `breaks.csv` has all."""

HEADINGS: Mapping[str, str] = {
    "NEW": "new",
    "CHANGED": "changed",
    "RESOLVED": "resolved",
    "REOPENED": "reopened",
    "OVERDUE": "past its deadline",
}
"""The states that are told, in this order; `OVERDUE` is open for longer than its provider's `escalate_days` only now."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What moved: how many breaks under each of `HEADINGS`, and a sentence for each of the worst of them."""

    counts: Mapping[str, int]
    lines: Mapping[str, Sequence[str]]

    @property
    def first_line(self) -> str:
        """Return the digest in one line, which there always is."""
        moved = ", ".join(f"{self.counts[state]:,} {word}" for state, word in HEADINGS.items() if self.counts[state])
        return f"breaks since the last published run: {moved or 'nothing moved'}"

    def markdown(self) -> str:
        """Return the digest as Markdown."""
        return "\n\n".join([f"## {self.first_line}", *self._sections()]) + "\n"

    def _sections(self) -> Iterator[str]:
        for state, word in HEADINGS.items():
            if self.counts[state]:
                more = self.counts[state] - len(self.lines[state])
                rest = [f"and {more:,} more, in breaks.csv"] if more else []
                yield f"### {word}\n\n{listed([*self.lines[state], *rest])}"


def notices(living: pl.DataFrame, severity_before: Mapping[str, str]) -> Notices:
    """Return what moved.

    Args:
        living: `LIVING_BREAKS` of this run.
        severity_before: Severity by fingerprint of the breaks that the last published run showed.
    """
    now = pl.col("severity").replace_strict(SEVERITY_RANKS, return_dtype=pl.Int64)
    then = pl.col("was").replace_strict(SEVERITY_RANKS, default=None, return_dtype=pl.Int64)
    was = pl.col("fingerprint").replace_strict(dict(severity_before), default=None, return_dtype=pl.String)
    ranked = living.with_columns(was=was if severity_before else pl.lit(None, pl.String)).with_columns(
        rank=now, old=then
    )
    # Severity rises by age alone, once; where the break itself changed, that is what is told.
    rose = (pl.col("break_state") == "ONGOING") & (pl.col("rank") > pl.col("old")).fill_null(value=False)
    told = ranked.with_columns(told=pl.when(rose).then(pl.lit("OVERDUE")).otherwise("break_state"))
    told = told.sort("rank", "code", "fingerprint", descending=[True, False, False])
    parts = {state: told.filter(pl.col("told") == state) for state in HEADINGS}
    return Notices(
        counts={state: rows.height for state, rows in parts.items()},
        lines={state: [_line(row) for row in rows.head(MOST).to_dicts()] for state, rows in parts.items()},
    )


def _line(row: Mapping[str, str | None]) -> str:
    reason = f" {row['reason']}" if row["reason"] else ""
    place = f"plan {row['plan_id']}" if row["plan_id"] else f"account {row['account_id']}" if row["account_id"] else ""
    return f"{row['severity']} {row['code']}{reason}, {row['provider']} {place}: {row['explanation']}".replace(
        " :", ":"
    )
