"""Compute the figures of a past day as known at two moments, and what made the difference.

What was known is read here; how a difference is taken apart is in `transforms/restatement`, how it is shown in
`flows/commands/life/restate.py`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl

from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.compute import parts_of
from flows.steps.own_lists.pauses import pauses_of, read_pauses
from flows.steps.run_key import run_key
from schemas.core import PAUSES, TERMS, WHO
from schemas.currencies import places
from sql.core import images
from sql.earlier import published_runs
from sql.runs import Run, find_runs, known_load
from transforms.delinquency.pauses import Pauses
from transforms.judging import Judging
from transforms.location.locate import locate
from transforms.positions import compute
from transforms.restatement.causes import Portfolio, moved, portfolio
from transforms.restatement.components import account_node, edges, plan_node, reached
from transforms.restatement.effects import FIGURES, NUMBERS, effects
from transforms.restatement.facts import Facts

NAMED = (*WHO, "plan_id", "currency")


@dataclass(frozen=True, slots=True)
class Span:
    """Two moments of knowledge, as loads; `run` is what was published at the first, null where nothing was."""

    since: int
    until: int
    run: Run | None


@dataclass(frozen=True, slots=True)
class Restated:
    """What the figures of a day were, and what they are.

    `before` has `NAMED` and the figures of every plan that was published, or computed where nothing was; `computed`
    what settings and program of now give for the same moment. `steps` is what `effects` returned, for the causes of
    `portfolio`; `old` and `new` are the facts of the plans in it.
    """

    span: Span
    before: pl.DataFrame
    computed: pl.DataFrame
    portfolio: Portfolio
    steps: pl.DataFrame
    old: Facts
    new: Facts


def span_of(con: duckdb.DuckDBPyConnection, as_of: date, *, since: datetime | None, until: datetime | None) -> Span:
    """Return the two moments to compare.

    Without `since`, the first is that of the second newest published run of the date, or of its only one.

    Raises:
        UsageError: nothing was published for the date and no `since` is given, or `until` lies before it.
    """
    runs = [run for run in published_runs(con) if run.as_of == as_of]
    if since is None and not runs:
        raise UsageError(f"no report as of {as_of} was published; say with --from since when changes are asked for")
    chosen = runs[-2:][:1]
    first, last = known_load(con, since) if since else chosen[0].known_load, known_load(con, until)
    if last < max(first, 1):
        raise UsageError("--to lies before --from, or before anything was loaded; give a later moment")
    if since:
        chosen = [run for run in runs if run.known_load == first][-1:]
    return Span(first, last, find_runs(con, run_id=chosen[0].run_id)[0] if chosen else None)


def restate(
    con: duckdb.DuckDBPyConnection, settings: Settings, span: Span, *, as_of: date, reports_dir: Path
) -> Restated:
    """Return the figures of the date as known at both moments, and the effect of every row that made a difference."""
    desk = _Desk(con, settings, as_of, images.plans(con, span.until))
    seen = images.first_seen(con, span.since, span.until)
    nodes = desk.reached(span, seen)
    old, new = desk.facts(span.since, nodes), desk.facts(span.until, nodes)
    changes = portfolio(old, new, seen, known=span.until)
    published = _published(span.run, reports_dir)
    is_same = span.run is not None and span.run.run_key == run_key(settings, as_of=as_of, known_at=span.run.known_at)
    computed = published if published is not None and is_same else desk.everything(span.since)
    return Restated(
        span=span,
        before=computed if published is None else published,
        computed=computed,
        portfolio=changes,
        steps=effects(changes, desk.figures),
        old=old,
        new=new,
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where facts are read and figures computed: the settings of now, one as-of date; `plans` are all that are known."""

    con: duckdb.DuckDBPyConnection
    settings: Settings
    as_of: date
    plans: pl.DataFrame

    def beside_terms(self, known: int) -> Facts:
        """Return the facts of the whole portfolio at a load, without terms."""
        con = self.con
        given = read_pauses(self.settings.run.pauses_file)
        stops = self.settings.run.pauses == "STOP"
        # A line of the file may be about a plan that was not known yet: its pause is for none then.
        paused = pauses_of(given, images.pauses(con, known), self.plans, stops=stops).stopping
        plans = images.plans(con, known)
        return Facts(
            accounts=images.accounts(con, known),
            plans=plans,
            plan_accounts=images.plan_accounts(con, known),
            terms=TERMS.empty(),
            payments=images.payments(con, known),
            pauses=paused.join(plans, on="plan_no", how="semi").unique(maintain_order=True),
        )

    def reached(self, span: Span, seen: pl.DataFrame) -> pl.DataFrame:
        """Return the nodes of all plans and accounts that what was seen in between can reach."""
        both = [(self.beside_terms(known), images.links(self.con, known)) for known in (span.since, span.until)]
        (old, _), (new, links) = both
        named = links.group_by(payment_no="linked_payment_no").agg(named_plan_no=pl.col("plan_no").min())
        at = seen.join(new.payments.select("payment_no", on="account_no"), on="payment_no", how="left", validate="m:1")
        at = at.join(named, on="payment_no", how="left", validate="m:1")
        seeds = [account_node(), plan_node(), account_node("on"), plan_node("named_plan_no")]
        pairs = pl.concat([*(edges(facts, links) for facts, links in both), moved(old.payments, new.payments)]).unique()
        return reached(pairs, pl.concat([at.select(node.alias("node")).to_series() for node in seeds]))

    def facts(self, known: int, nodes: pl.DataFrame) -> Facts:
        """Return the facts at a load of the plans and accounts of these nodes, and of the payments on them."""
        whole = self.beside_terms(known)
        named = images.links(self.con, known).join(nodes, left_on=plan_node(), right_on="node", how="semi")[
            "linked_payment_no"
        ]
        is_there = {
            "accounts": account_node().is_in(nodes["node"].implode()),
            "payments": account_node().is_in(nodes["node"].implode()) | pl.col("payment_no").is_in(named.implode()),
        }
        others = {name: plan_node().is_in(nodes["node"].implode()) for name in ("plans", "plan_accounts", "pauses")}
        kept = {name: whole.of(name).filter(rows) for name, rows in {**is_there, **others}.items()}
        # Terms may name a plan that no plan row is known for; such a plan has no figures.
        return replace(whole, **kept, terms=images.terms(self.con, known, kept["plans"]["plan_no"]))

    def figures(self, facts: Facts) -> pl.DataFrame:
        """Return `plan_no`, `NAMED` and `FIGURES` of every plan of these facts that exists on the date."""
        options = self.settings.options()
        located = locate(
            facts.plans,
            facts.payments,
            facts.plan_accounts,
            as_of=self.as_of,
            options=options,
            links=facts.links,
            accounts=facts.accounts,
        )
        return self._positions(located.plans, facts.terms, located.payments, facts.pauses)

    def everything(self, known: int) -> pl.DataFrame:
        """Return `NAMED` and `FIGURES` of every plan at a load, one part of the plans at a time."""
        facts = self.beside_terms(known)
        located = locate(
            facts.plans,
            facts.payments,
            facts.plan_accounts,
            as_of=self.as_of,
            options=self.settings.options(),
            links=images.links(self.con, known),
            accounts=facts.accounts,
        )
        parts = []
        for plan_nos in parts_of(located.plans):
            of_part = plan_nos.to_frame("plan_no")
            plans, payments = (
                frame.join(of_part, on="plan_no", how="semi", maintain_order="left")
                for frame in (located.plans, located.payments)
            )
            parts.append(self._positions(plans, images.terms(self.con, known, plan_nos), payments, facts.pauses))
        return pl.concat(parts).drop("plan_no")

    def _positions(
        self, plans: pl.DataFrame, terms: pl.DataFrame, payments: pl.DataFrame, pauses: pl.DataFrame
    ) -> pl.DataFrame:
        owned = payments.filter(pl.col("plan_no").is_not_null())
        stopping = Pauses(stopping=pauses, listed=PAUSES.empty())
        judging = Judging(self.as_of, self.settings.options(), stopping, self.settings.outcome_rules())
        done = compute(plans, terms, owned, judging)
        return done.plans.select("plan_no", *NAMED, *FIGURES)


def _published(run: Run | None, reports_dir: Path) -> pl.DataFrame | None:
    """Return `NAMED` and `FIGURES` as a run published them; None where its Parquet is not there."""
    path = reports_dir / (run.folder or "") / "plans.parquet" if run else None
    if path is None or not path.is_file():
        return None
    unit = places(pl.col("currency")).replace_strict({0: 10_000, 2: 100, 3: 10, 4: 1}, return_dtype=pl.Int64)
    names = {name: name.removesuffix("_minor") for name in FIGURES}
    # Money lies there in major units with four places.
    in_minor = [
        ((pl.col(shown) * 10_000).cast(pl.Int64) // unit).alias(name) if name != shown else pl.col(name)
        for name, shown in names.items()
    ]
    return pl.read_parquet(path, glob=False).select(*NAMED, *in_minor).with_columns(pl.col(NUMBERS).fill_null(0))
