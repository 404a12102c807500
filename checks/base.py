"""What a check is, and how all of them are run in one pass.

A check is a declaration: one module with one `CHECK`. Here are the declaration,
the finder of the modules and the runner. Rules themselves, and the life of a
break over runs, do not belong here.

    CheckError        a check is wrongly written: its predicate is null on a row
                      it applies to, or a frame it reads was not given
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import NamedTuple

import polars as pl

from checks.tenants import summed
from schemas.core import WHO
from schemas.options import Options
from schemas.results import BREAKS, CHECK_RESULTS, PLAN_POSITIONS, TERM_POSITIONS
from schemas.schedules import DIFFERENCES, PLAN_RULES
from schemas.table import Table
from schemas.words import Severity

Frames = Mapping[str, pl.DataFrame]
"""Table name to frame; beside those of the schemas, `completeness`: one row per provider, tenant and entity."""

JUDGED = ("ACTIVE", "FINISHED", "UNKNOWN")
"""Statuses whose terms all carry weight; any other voids or replaces a part of the plan."""

PARTED = (TERM_POSITIONS, PLAN_POSITIONS, DIFFERENCES, PLAN_RULES)
"""Tables of which a part of the plans has its own rows."""

_FALSE = pl.lit(value=False)
_CURRENCY = pl.col("currency")
_NO_TEXT = pl.lit(None, dtype=pl.String)
_NO_NUMBER = pl.lit(None, dtype=pl.Int64)
_Who = tuple[str, str]
_Counts = Mapping[_Who, Mapping[str, int]]
_BREAK_ORDER = ("provider", "tenant_id", "plan_id", "term_id", "payment_id", "account_id", "code", "reason")


class _Told(NamedTuple):
    """A row of `CHECK_RESULTS`."""

    check: str
    code: str
    reason: str
    provider: str
    tenant_id: str
    examined: int
    not_applicable: int
    breaks: int
    is_evaluated: bool


class CheckError(Exception):
    """A check cannot be trusted as it is written; the message names it and the rows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """One rule: where it looks, when it is broken, what the break says.

    Expressions see the columns of `over` (or of what `prepare` returns), `as_of`,
    and the provider's `grace_days`, `settlement_days` and `stale_pending_days`.

    Attributes:
        code: Break code; never reused for another meaning.
        severity: How bad a break is where no amount says so.
        reason: What narrows the code; empty if nothing does.
        over: Table whose rows are examined, one by one.
        applies: Rows the rule can be asked of; never null.
        when: True where the rule is broken; never null where it applies.
        explanation: One sentence for a clerk, with the figures; see `checks.wording`.
        timing: True where time alone will mend the difference; null counts as false.
        difference_minor: Actual less expected; its currency is `currency`.
        narrowed: Reason per row, instead of `reason`.
        at_least: Severity of each row that no small amount lowers; null where the amount alone decides.
        prepare: Builds the rows where columns of `over` do not suffice.
        whole: Rows of different parts must be seen in one call.
        needs: Entities whose fetch must be complete before a break may count as gone.
        from_absence: The break itself says that something is not there, so it needs the complete fetch too.
    """

    code: str
    severity: Severity
    over: Table
    applies: pl.Expr
    when: pl.Expr
    explanation: pl.Expr
    needs: tuple[str, ...]
    reason: str = ""
    narrowed: pl.Expr | None = None
    at_least: pl.Expr = _NO_TEXT
    side: str = "provider"
    timing: pl.Expr = _FALSE
    expected: pl.Expr = _NO_TEXT
    actual: pl.Expr = _NO_TEXT
    difference_minor: pl.Expr | None = None
    difference_days: pl.Expr = _NO_NUMBER
    currency: pl.Expr = _CURRENCY
    prepare: Callable[[Frames], pl.DataFrame] | None = None
    whole: bool = False
    from_absence: bool = False
    name: str = ""
    doc: str = ""


def by_part(checks: Sequence[Check]) -> tuple[list[Check], list[Check]]:
    """Split checks into those for each part's plans and terms, and those for the whole portfolio.

    The first look at the tables of `PARTED`, and need no other but `policies`, `plan_facts` and `term_changes`. The second come last,
    once: they also see money in no plan, accounts and links, and what only all plans together can say.
    """
    parts = [check for check in checks if not check.whole and check.over in PARTED]
    return parts, [check for check in checks if check not in parts]


def has_happened(day: pl.Expr) -> pl.Expr:
    """Tell whether there is a `day` that the as-of date has reached; false, never null, without one."""
    return day.is_not_null() & (day <= pl.col("as_of"))


@cache
def discover() -> tuple[Check, ...]:
    """Return every check of this package, by file name, with name and docstring filled in."""
    package = importlib.import_module("checks")
    modules = [importlib.import_module(f"checks.{info.name}") for info in pkgutil.iter_modules(package.__path__)]
    return tuple(
        replace(module.CHECK, name=module.__name__.rpartition(".")[2], doc=module.__doc__ or "")
        for module in sorted(modules, key=lambda module: module.__name__)
        if hasattr(module, "CHECK")
    )


def run(
    checks: Sequence[Check], frames: Frames, *, as_of: date, options: Mapping[str, Options] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the breaks these checks find, and one result per check, provider and tenant.

    Checks of the first kind of `by_part` may be given one part of the plans at a time;
    add the answers with `merge_results`.

    Args:
        checks: Any subset of `discover()`.
        frames: The tables the checks look at, and `completeness`. Term checks also read `plan_positions`.
        as_of: Civil date the frames describe.
        options: `Options` by provider; the defaults for a provider that is not in it.

    Returns:
        `BREAKS` in a fixed order, and `CHECK_RESULTS`. A tenant is evaluated for a check
        where `completeness` knows the tenant and calls none of the needed entities incomplete.

    Raises:
        CheckError: A predicate is null on a row it applies to, or a frame is missing.
    """
    facts = _facts(as_of, options or {})
    lacking = _lacking(frame(frames, "completeness"))
    results: list[_Told] = []
    found = []
    for group in _passes(checks):
        first = group[0]
        rows = first.prepare(frames) if first.prepare else frame(frames, first.over.name)
        asked = _asked(group, rows, facts)
        counts = _count(group, asked)
        for position, check in enumerate(group):
            told = _results(check, position, counts, lacking)
            if any(each.breaks for each in told):
                hits = rows.filter(asked[f"a{position}"] & asked[f"w{position}"]).with_columns(facts)
                found.append(_breaks(check, told, hits, frames))
            results += told
    return _merged(found, [pl.DataFrame(results, dict(CHECK_RESULTS.dtypes), orient="row")])


def merge_results(parts: Iterable[tuple[pl.DataFrame, pl.DataFrame]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return breaks and results of several calls of `run` as if it had been one."""
    given = list(parts)
    return _merged([breaks for breaks, _ in given], [results for _, results in given])


def _merged(found: Sequence[pl.DataFrame], results: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    breaks = pl.concat([BREAKS.empty(), *found]).sort(_BREAK_ORDER)
    summed = (
        pl.concat([CHECK_RESULTS.empty(), *results])
        .group_by("check", "code", "reason", *WHO)
        .agg(pl.col("examined", "not_applicable", "breaks").sum(), pl.col("is_evaluated").all())
        .sort("check", *WHO)
    )
    return BREAKS.gate(breaks), CHECK_RESULTS.gate(summed)


def frame(frames: Frames, name: str) -> pl.DataFrame:
    """Return the table of that name, or raise `CheckError` saying that it was not given."""
    if name not in frames:
        raise CheckError(f"the frame {name} was not given; pass it to checks.base.run, empty if there is nothing")
    return frames[name]


def _facts(as_of: date, options: Mapping[str, Options]) -> list[pl.Expr]:
    """Return the columns every expression may use beside those of its table."""
    facts = [pl.lit(as_of).alias("as_of")]
    for option in ("grace_days", "settlement_days", "stale_pending_days"):
        by_provider = {provider: getattr(own, option) for provider, own in options.items()}
        default = getattr(Options(), option)
        column = pl.col("provider").replace_strict(by_provider, default=default, return_dtype=pl.Int64)
        facts.append((column if by_provider else pl.lit(default, dtype=pl.Int64)).alias(option))
    return facts


def _passes(checks: Sequence[Check]) -> list[list[Check]]:
    """Group checks that look at the same rows, so that these are read once."""
    groups: dict[tuple[str, object], list[Check]] = {}
    for check in checks:
        groups.setdefault((check.over.name, check.prepare), []).append(check)
    return list(groups.values())


def _asked(group: Sequence[Check], rows: pl.DataFrame, facts: Sequence[pl.Expr]) -> pl.DataFrame:
    """Return whose each row is and for check i of the group: a_i, whether it applies, and w_i, whether it is broken."""
    columns = [
        each for i, check in enumerate(group) for each in (check.applies.alias(f"a{i}"), check.when.alias(f"w{i}"))
    ]
    return rows.lazy().with_columns(facts).select(*WHO, *columns).collect() if rows.height else rows.select(WHO)


def _count(group: Sequence[Check], asked: pl.DataFrame) -> _Counts:
    """Return, per tenant, rows examined and for check i of the group: applies_i, breaks_i, unknown_i, which is 0."""
    if asked.is_empty():
        return {}
    sums = [pl.len().cast(pl.Int64).alias("examined")]
    for i in range(len(group)):
        applies, when = pl.col(f"a{i}"), pl.col(f"w{i}")
        unknown = applies.is_null() | (applies.fill_null(value=False) & when.is_null())
        sums += [
            applies.sum().cast(pl.Int64).alias(f"applies_{i}"),
            (applies & when).sum().cast(pl.Int64).alias(f"breaks_{i}"),
            unknown.sum().cast(pl.Int64).alias(f"unknown_{i}"),
        ]
    counts = summed(asked, sums)
    for i, check in enumerate(group):
        if total := counts[f"unknown_{i}"].sum():
            provider, tenant = counts.filter(pl.col(f"unknown_{i}") > 0).row(0)[:2]
            raise CheckError(
                f"check {check.name or check.code}: the predicate is null on {total} rows it applies to, first of "
                f"{provider}/{tenant}; narrow `applies` or compare null-safe"
            )
    return {(row["provider"], row["tenant_id"]): row for row in counts.to_dicts()}


def _lacking(completeness: pl.DataFrame) -> dict[_Who, set[str]]:
    """Return every tenant fetched with the entities of which its fetch was incomplete."""
    lacking: dict[_Who, set[str]] = {}
    for provider, tenant, entity, complete in completeness.select(*WHO, "entity", "complete").iter_rows():
        lacking.setdefault((provider, tenant), set()).update(() if complete else (entity,))
    return lacking


def _results(check: Check, position: int, counts: _Counts, lacking: Mapping[_Who, set[str]]) -> list[_Told]:
    """Return the `CHECK_RESULTS` rows of one check: every tenant fetched or examined."""
    named = (check.name or check.code.lower(), check.code, check.reason)
    fields = ("examined", f"applies_{position}", f"breaks_{position}")
    told = []
    for who in {**lacking, **counts}:
        examined, applies, breaks = (counts.get(who, {}).get(name, 0) for name in fields)
        is_evaluated = who in lacking and lacking[who].isdisjoint(check.needs)
        if check.from_absence and not is_evaluated:
            # What is absent from an incomplete fetch may only be late, so the rule was not asked there.
            applies = breaks = 0
        told.append(_Told(*named, *who, examined, examined - applies, breaks, is_evaluated))
    return told


def _breaks(check: Check, results: Sequence[_Told], hits: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """Return the broken rows as `BREAKS`, of the tenants whose result counts any."""
    tenants = [(each.provider, each.tenant_id) for each in results if each.breaks]
    hits = hits.join(pl.DataFrame(tenants, dict.fromkeys(WHO, pl.String), orient="row"), on=WHO, how="semi")
    if "account_id" not in hits.columns and "plan_no" in hits.columns:
        accounts = frame(frames, "plan_positions").select("plan_no", "account_id")
        hits = hits.join(accounts, on="plan_no", how="left", validate="m:1")
    names = [pl.col(name) if name in hits.columns else _NO_TEXT.alias(name) for name in BREAKS.columns[2:6]]
    has_money = check.difference_minor is not None
    return hits.select(
        *WHO,
        *names,
        code=pl.lit(check.code),
        reason=pl.lit(check.reason) if check.narrowed is None else check.narrowed,
        side=pl.lit(check.side),
        kind=pl.when(check.timing).then(pl.lit("timing")).otherwise(pl.lit("real")),
        declared_severity=pl.lit(str(check.severity)),
        least_severity=check.at_least,
        expected=check.expected,
        actual=check.actual,
        difference_minor=_NO_NUMBER if check.difference_minor is None else check.difference_minor,
        difference_days=check.difference_days,
        break_currency=check.currency if has_money else _NO_TEXT,
        explanation=check.explanation,
    )
