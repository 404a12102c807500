"""From the warehouse to result frames: images at a known load, located, computed part by part, checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import duckdb
import polars as pl

from checks.base import discover, merge_results, run
from schemas.rules import Rules
from sql import images
from transforms.locate import Located, locate
from transforms.positions import compute, unowned

PART = 250_000
"""Plans worked at a time: memory stays constant whatever the portfolio's size."""

KEY = ("provider", "tenant_id")


@dataclass(slots=True)
class Portfolio:
    """One as-of date and one known load, worked part by part.

    Iterate `parts()` to its end first: it yields the term positions in key order
    and collects everything else on the way.
    """

    con: duckdb.DuckDBPyConnection
    known: int
    as_of: date
    rules: Mapping[str, Rules]
    completeness: pl.DataFrame = field(init=False)
    accounts: pl.DataFrame = field(init=False)
    plan_accounts: pl.DataFrame = field(init=False)
    policies: pl.DataFrame = field(init=False)
    orphans: pl.DataFrame = field(init=False)
    integrity: pl.DataFrame = field(init=False)
    rows: dict[tuple[str, str], int] = field(init=False)
    _located: Located = field(init=False)
    _plans: list[pl.DataFrame] = field(default_factory=list)
    _payments: list[pl.DataFrame] = field(default_factory=list)
    _checked: list[tuple[pl.DataFrame, pl.DataFrame]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read the narrow tables of the whole portfolio and decide which money belongs to which plan."""
        self.completeness = images.completeness(self.con, self.known)
        self.accounts = images.accounts(self.con, self.known)
        self.plan_accounts = images.plan_accounts(self.con, self.known)
        self.policies = images.policies(self.con, self.known)
        self.orphans = images.orphans(self.con, self.known)
        self.integrity = images.integrity(self.con, self.known)
        plans = images.plans(self.con, self.known)
        payments = images.payments(self.con, self.known)
        self.rows = _rows(plans=plans, payments=payments, accounts=self.accounts, policies=self.policies)
        self._located = locate(plans, payments, self.plan_accounts, as_of=self.as_of, rules=self.rules)

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield `TERM_POSITIONS` in key order, a part of the plans at a time."""
        plans = self._located.plans.sort(*KEY, "plan_id")
        checks = [check for check in discover() if not check.whole]
        for start in range(0, max(plans.height, 1), PART):
            part = plans.slice(start, PART)
            ranks = part.select("plan_no", rank=pl.int_range(pl.len()))
            terms = images.terms(self.con, self.known, part["plan_no"])
            self._count_terms(part, terms)
            paid = self._located.payments.join(part.select("plan_no"), on="plan_no", how="semi")
            found = compute(part, terms, paid, as_of=self.as_of, rules=self.rules)
            self._plans.append(found.plans)
            self._payments.append(found.payments)
            frames = {"term_positions": found.terms, "plan_positions": found.plans, "payment_positions": found.payments, "completeness": self.completeness}
            self._checked.append(run(_over(checks, frames), frames, as_of=self.as_of, rules=self.rules))
            yield found.terms.join(ranks, on="plan_no", how="left", maintain_order="left").sort("rank", "term_no").drop("rank")

    def _count_terms(self, part: pl.DataFrame, terms: pl.DataFrame) -> None:
        counts = terms.join(part.select("plan_no", "provider"), on="plan_no").group_by("provider").len()
        for provider, count in counts.iter_rows():
            self.rows[provider, "terms"] = self.rows.get((provider, "terms"), 0) + count

    def plans(self) -> pl.DataFrame:
        """Return `PLAN_POSITIONS` of all parts in key order."""
        return pl.concat(self._plans).sort(*KEY, "plan_id")

    def payments(self) -> pl.DataFrame:
        """Return `PAYMENT_POSITIONS` of all parts, and of the money in no plan, in key order."""
        return pl.concat([*self._payments, unowned(self._located.payments)]).sort(*KEY, "payment_id", "plan_id", "account_id")

    def checked(self, plans: pl.DataFrame, payments: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return `BREAKS` and `CHECK_RESULTS` of every check, those over the whole portfolio included."""
        frames = {
            "plan_positions": plans,
            "payment_positions": payments,
            "accounts": self.accounts,
            "plan_accounts": self.plan_accounts,
            "orphans": self.orphans,
            "completeness": self.completeness,
        }
        done = {check.name for check in _over([check for check in discover() if not check.whole], {"term_positions": 0, "plan_positions": 0, "payment_positions": 0})}
        rest = [check for check in discover() if check.name not in done]
        return merge_results([*self._checked, run(rest, frames, as_of=self.as_of, rules=self.rules)])


def _over(checks: list, frames: Mapping[str, object]) -> list:
    return [check for check in checks if check.over.name in frames]


def _rows(**frames: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {
        (provider, entity): count
        for entity, frame in frames.items()
        for provider, count in frame.group_by("provider").len().iter_rows()
    }
