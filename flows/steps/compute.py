"""From the warehouse to result frames: images at a known load, located, computed part by part, checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb
import polars as pl

from checks.base import by_part, discover, merge_results, run
from checks.duplicate_payment import plans_in_question
from checks.equal_plans import plans_alike
from flows.steps.pauses import Pause, pauses_of
from schemas.conventions import Conventions
from schemas.options import Options
from sql import writes
from sql.core import images
from sql.runs import loaded_at
from transforms.breaks.clusters import LEAST, clusters
from transforms.breaks.write_backs import agreements, shown_by_now
from transforms.calendars.closed_days import Calendar
from transforms.conformance.judge import Expectations, expect, judge, with_nominal_dates
from transforms.delinquency.aging import aging_terms
from transforms.delinquency.pauses import Pauses
from transforms.location.locate import Located, locate
from transforms.location.references import with_references
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
    options: Mapping[str, Options]
    conventions: Mapping[str, Conventions]
    calendars: Mapping[str, Calendar]
    zone: str = "UTC"
    pauses: Sequence[Pause] = ()
    stops: bool = False
    completeness: pl.DataFrame = field(init=False)
    accounts: pl.DataFrame = field(init=False)
    plan_accounts: pl.DataFrame = field(init=False)
    policies: pl.DataFrame = field(init=False)
    orphans: pl.DataFrame = field(init=False)
    integrity: pl.DataFrame = field(init=False)
    plan_facts: pl.DataFrame = field(init=False)
    term_changes: pl.DataFrame = field(init=False)
    _rules: pl.DataFrame = field(init=False)
    _custom: pl.DataFrame = field(init=False)
    rows: dict[tuple[str, str], int] = field(init=False)
    _changes: pl.DataFrame = field(init=False)
    _agreed: pl.DataFrame = field(init=False)
    _located: Located = field(init=False)
    _ids: pl.DataFrame = field(init=False)
    _paused: Pauses = field(init=False)
    _plans: list[pl.DataFrame] = field(default_factory=list)
    _payments: list[pl.DataFrame] = field(default_factory=list)
    _aged: list[pl.DataFrame] = field(default_factory=list)
    _terms: list[pl.DataFrame] = field(default_factory=list)
    _differences: list[pl.DataFrame] = field(default_factory=list)
    _checked: list[tuple[pl.DataFrame, pl.DataFrame]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read the narrow tables of the whole portfolio and decide which money belongs to which plan."""
        self.completeness = images.completeness(self.con, self.known)
        self.accounts = images.accounts(self.con, self.known)
        self.plan_accounts = images.plan_accounts(self.con, self.known)
        self.policies = images.policies(self.con, self.known)
        self.orphans = images.orphans(self.con, self.known)
        self.integrity = images.integrity(self.con, self.known)
        self.plan_facts = images.plan_facts(self.con, self.known)
        self.term_changes = images.term_changes(self.con, self.known)
        self._custom = images.custom_terms(self.con, self.known)
        plans = images.plans(self.con, self.known)
        payments = images.payments(self.con, self.known)
        self.rows = images.current_rows(self.con, self.known)
        self._rules = _whole(images.plan_rules(self.con, self.known), plans)
        self._ids = plans.select("plan_no", *KEY, "plan_id")
        own = images.pauses(self.con, self.known)
        self._paused = pauses_of(self.pauses, own, self._ids, stops=self.stops)
        self._changes = self._shown_by_now(plans)
        self._agreed = writes.agreed_terms(self.con)
        links = images.links(self.con, self.known)
        self._located = locate(
            plans,
            payments,
            self.plan_accounts,
            as_of=self.as_of,
            options=self.options,
            links=links,
            accounts=self.accounts,
        )
        self.orphans = _existing(self.orphans, self._located.payments)

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield `TERM_POSITIONS` in key order, a part of the plans at a time."""
        plans = self._located.plans.sort(*KEY, "plan_id")
        parted, _ = by_part(discover())
        wanted = self._plans_in_question()
        for start in range(0, max(plans.height, 1), PART):
            part = plans.slice(start, PART)
            terms = images.terms(self.con, self.known, part["plan_no"])
            paid = self._located.payments.join(part.select("plan_no"), on="plan_no", how="semi")
            expected = self._expected(part, terms)
            positions = compute(
                part.sort("plan_no"),
                with_nominal_dates(terms, expected),
                paid,
                as_of=self.as_of,
                options=self.options,
                pauses=self._paused,
            )
            found = judge(
                positions.plans, positions.terms, expected, conventions=self.conventions, calendars=self.calendars
            )
            self._plans.append(found.plans)
            self._payments.append(positions.payments)
            self._aged.append(positions.aged)
            self._differences.append(found.differences)
            again = pl.concat([wanted, found.differences["plan_no"]]).unique()
            self._terms.append(found.terms.filter(pl.col("plan_no").is_in(again.implode())))
            frames = {
                "term_positions": found.terms,
                "plan_positions": found.plans,
                "differences": found.differences,
                "plan_rules": expected.rules,
                "policies": self.policies,
                "plan_facts": self.plan_facts,
                "term_changes": self.term_changes,
                "completeness": self.completeness,
            }
            self._checked.append(run(parted, frames, as_of=self.as_of, options=self.options))
            yield found.terms

    def _expected(self, part: pl.DataFrame, terms: pl.DataFrame) -> Expectations:
        """Return the terms that the part's own rules give, beside those the provider shows."""
        own = part.select("plan_no")
        return expect(
            terms,
            self._rules.join(own, on="plan_no", how="semi"),
            self._custom.join(own, on="plan_no", how="semi"),
            as_of=self.as_of,
            conventions=self.conventions,
            calendars=self.calendars,
        )

    def plans(self) -> pl.DataFrame:
        """Return `PLAN_POSITIONS` of all parts in key order."""
        return with_references(pl.concat(self._plans).sort(*KEY, "plan_id"), self.accounts)

    def payments(self) -> pl.DataFrame:
        """Return `PAYMENT_POSITIONS` of all parts, and of the money in no plan."""
        return pl.concat([*self._payments, unowned(self._located.payments)])

    def aging_terms(self) -> pl.DataFrame:
        """Return what open terms of all parts owe, by their own age."""
        return aging_terms(self._aged)

    def _plans_in_question(self) -> pl.Series:
        """Return the plans whose terms have to be seen again once the whole portfolio is known."""
        doubtful = plans_in_question(
            {
                "payment_positions": self._located.payments,
                "plan_positions": self._located.plans,
                "plan_accounts": self.plan_accounts,
            }
        )
        return pl.concat([doubtful, plans_alike(self._located.plans), self._changes["plan_no"].drop_nulls()])

    def _shown_by_now(self, plans: pl.DataFrame) -> pl.DataFrame:
        """Return the changes made through us that the providers must show by now."""
        return shown_by_now(
            writes.intents(self.con),
            plans,
            self.completeness,
            writes.provider_clocks(self.con, self.known),
            as_of=self.as_of,
            known_at=loaded_at(self.con, self.known),
            zone=self.zone,
        )

    def checked(self, plans: pl.DataFrame, payments: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return `BREAKS` and `CHECK_RESULTS` of every check, those over the whole portfolio included."""
        _, rest = by_part(discover())
        terms = pl.concat(self._terms)
        frames = {
            "term_positions": terms,
            "plan_positions": plans,
            "payment_positions": payments,
            "accounts": self.accounts,
            "plan_accounts": self.plan_accounts,
            "policies": self.policies,
            "differences": pl.concat(self._differences),
            "orphans": self.orphans,
            "agreements": agreements(self._changes, self._agreed, plans, terms),
            "completeness": self.completeness,
        }
        return merge_results([*self._checked, run(rest, frames, as_of=self.as_of, options=self.options)])

    def causes(self, most: int) -> list[str]:
        """Return one sentence for each group of schedule breaks with one probable cause, the largest first."""
        made = pl.concat(self._plans).select("plan_no", *KEY, "created_on")
        found = pl.concat(self._differences).join(made, on="plan_no", how="inner", validate="m:1")
        groups = clusters(found).filter(pl.col("breaks") >= LEAST)
        return groups["explanation"].head(most).to_list()

    def named_links(self) -> pl.DataFrame:
        """Return the links of plans and accounts by the providers' own ids."""
        accounts = self.accounts.select("account_no", "account_id", "reference")
        return (
            self.plan_accounts.join(self._ids, on="plan_no", how="inner", validate="m:1")
            .join(accounts, on="account_no", how="inner", validate="m:1")
            .select(*KEY, "plan_id", "account_id", "linked_on", "reference")
        )


def _whole(rules: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the rules of plans that still go on, with their calendar.

    A provider takes terms away when a plan ends, so what an ended plan once showed may never have been seen. No
    provider names its closed days either: its plans avoid those of its section.
    """
    going_on = plans.filter(pl.all_horizontal(pl.col("ended_on", "deactivated_on", "deleted_on").is_null()))
    own = rules.join(going_on.select("plan_no"), on="plan_no", how="semi")
    return own.with_columns(calendar=pl.coalesce("calendar", "convention_set"))


def _existing(orphans: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """Return the orphans of the as-of date: a payment that does not exist yet cannot be one."""
    there = payments.select(*KEY, "payment_id").unique()
    known = orphans.filter(pl.col("payment_id").is_not_null()).join(there, on=[*KEY, "payment_id"], how="semi")
    return pl.concat([orphans.filter(pl.col("payment_id").is_null()), known])
