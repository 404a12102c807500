"""Give breaks their identity, their severity and their state from run to run.

The checks return breaks as plain rows. Here they get an identity that does not depend on
amounts, a severity, and a state by comparison with the register of all breaks that
published runs have shown. Finding breaks does not belong here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from schemas.core import WHO
from schemas.currencies import places
from schemas.options import Options
from schemas.results import ACCEPTANCES, BREAK_REGISTER, BREAKS, LIVING_BREAKS
from schemas.seeds import numbers
from schemas.words import SEVERITIES, SEVERITY_RANKS
from transforms.calendars.business import business_between, repeated
from transforms.options import by_provider

RULED = ("POLICY_VIOLATION", "STATUS_CONTRADICTION")
"""Codes whose reason is the rule that was broken, and so a part of the identity."""

_RULE = pl.when(pl.col("code").is_in(RULED)).then(pl.col("reason")).otherwise(pl.lit(""))
_IDENTITY = ("provider", "tenant_id", "account_id", "plan_id", "term_id", "payment_id", "code", "side")
# Days are left out: they grow every morning while nothing about the break changes.
_PAYLOAD = ("reason", "kind", "expected", "actual", "difference_minor", "break_currency")
_ORDER = ("provider", "tenant_id", "plan_id", "term_id", "payment_id", "account_id", "code", "reason", "side")


def identified(breaks: pl.DataFrame) -> pl.DataFrame:
    """Return `breaks` with `fingerprint` and `payload_hash`, one row per fingerprint.

    The fingerprint is the SHA-256 of provider, tenant, account, plan, term id, payment id, code, side and rule,
    joined by `|`; an id that holds `|` or a backslash has it escaped by a backslash. Amounts are left out. Rows
    of one fingerprint are one break: their reasons become a set joined by `+`.
    """
    named = breaks.with_columns(_RULE.alias("rule"))
    named = named.with_columns(fingerprint=_sha256(named, (*_IDENTITY, "rule"))).drop("rule")
    if named["fingerprint"].is_duplicated().any():
        named = _joined(named)
    return named.with_columns(payload_hash=_sha256(named, _PAYLOAD))


def severity(*, is_old: pl.Expr) -> pl.Expr:
    """Return what the amount says (`severities.csv`), or the check where there is no amount; one step more where the break is old.

    A check may name a least severity, which no small amount lowers. Age alone makes no break critical, or every old break would be.
    """
    size, digits = pl.col("difference_minor").abs(), places(pl.col("break_currency"))
    unit = digits.replace_strict({0: 1, 2: 100, 3: 1000, 4: 10_000}, return_dtype=pl.Int64)
    least_amounts, ranks = numbers("severities"), dict(SEVERITY_RANKS)
    # The number of limits that the amount reaches is the rank of the severity.
    by_amount = pl.sum_horizontal([(size >= least_amounts[word] * unit).cast(pl.Int64) for word in SEVERITIES[1:]])
    declared, least = (
        pl.col(name).replace_strict(ranks, return_dtype=pl.Int64) for name in ("declared_severity", "least_severity")
    )
    rank = pl.max_horizontal(pl.when(size.is_null()).then(declared).otherwise(by_amount), least)
    lifted = rank + (is_old & (rank < ranks["high"])).cast(pl.Int64)
    return lifted.replace_strict(dict(enumerate(SEVERITIES)), return_dtype=pl.String)


def live(
    breaks: pl.DataFrame,
    register: pl.DataFrame,
    *,
    as_of: date,
    evaluated: pl.DataFrame,
    moves: bool = True,
    acceptances: pl.DataFrame | None = None,
    options: Mapping[str, Options] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the breaks of this run with their states, and the register after it.

    NEW: never seen. ONGOING, CHANGED: open before, with the same or another payload. REOPENED: had been resolved,
    or its acceptance no longer holds; first seen is kept. RESOLVED: was open, examined now, gone; shown this once.
    NOT_EVALUATED: was open, not found, but not examined either, so it stays open. ACCEPTED: its acceptance
    has not expired and its amount is not above the accepted maximum; it is no longer shown once it is gone.

    Args:
        breaks: `BREAKS` of this run.
        register: `BREAK_REGISTER` after the last published run, empty before the first.
        as_of: Civil date of this run.
        evaluated: `CHECK_RESULTS` of this run; a check that has no row for a tenant did not examine it.
        moves: False where the as-of date lies before that of the last published run: breaks then carry the state
            that the register has for them (NEW where it has none), and the register stays as it is.
        acceptances: `ACCEPTANCES`, or none.
        options: `Options` by provider, whose `escalate_days` say when a break is old; the defaults for the others.

    Returns:
        `LIVING_BREAKS`, ordered by their ids, and `BREAK_REGISTER`, ordered by fingerprint.
    """
    given = ACCEPTANCES.empty() if acceptances is None else acceptances
    present = _found(identified(breaks), register, as_of, given, moves=moves)
    if not moves:
        return _living(present, given, as_of, options or {}), BREAK_REGISTER.gate(register)
    gone = _gone(register, present, as_of, evaluated, given)
    closed = register.filter(~pl.col("is_open")).join(present, on="fingerprint", how="anti")
    after = pl.concat([frame.select(BREAK_REGISTER.columns) for frame in (present, gone, closed)]).sort("fingerprint")
    shown = pl.concat([present.select(BREAK_REGISTER.columns), gone.filter("is_shown").select(BREAK_REGISTER.columns)])
    return _living(shown, given, as_of, options or {}), BREAK_REGISTER.gate(after)


def _sha256(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    parts = [
        pl.col(name)
        .cast(pl.String)
        .fill_null("")
        .str.replace_all("\\", "\\\\", literal=True)
        .str.replace_all("|", "\\|", literal=True)
        for name in names
    ]
    texts = frame.select(pl.concat_str(parts, separator="|")).to_series()
    return pl.Series([hashlib.sha256(text.encode()).hexdigest() for text in texts], dtype=pl.String)


def _joined(breaks: pl.DataFrame) -> pl.DataFrame:
    rest = [name for name in BREAKS.columns if name not in {"reason", "kind", "explanation"}]
    return (
        breaks.sort("reason")
        .group_by("fingerprint", maintain_order=True)
        .agg(
            pl.col(rest).first(),
            pl.col("reason").unique(maintain_order=True).str.join("+"),
            pl.col("kind").min(),  # one real part makes the break real
            pl.col("explanation").unique(maintain_order=True).str.join(" "),
        )
        .select(*BREAKS.columns, "fingerprint")
    )


def _is_accepted(breaks: pl.DataFrame, as_of: date, acceptances: pl.DataFrame) -> pl.Series:
    """Return, per row of `breaks`, whether an acceptance covers it on this day and at this amount."""
    terms = acceptances.select("fingerprint", "expires_on", "maximum_minor", is_given=pl.lit(value=True))
    rows = breaks.select("fingerprint", "difference_minor")
    joined = rows.join(terms, on="fingerprint", how="left", validate="m:1", maintain_order="left")
    in_time = pl.col("expires_on").is_null() | (pl.col("expires_on") >= as_of)
    in_size = pl.col("difference_minor").abs() <= pl.col("maximum_minor")
    return joined.select(
        pl.col("is_given").fill_null(value=False) & in_time & in_size.fill_null(value=True)
    ).to_series()


def _found(
    breaks: pl.DataFrame, register: pl.DataFrame, as_of: date, acceptances: pl.DataFrame, *, moves: bool
) -> pl.DataFrame:
    """Return the breaks found now as register rows."""
    known = register.select(
        "fingerprint", "first_seen", "reopened", was="break_state", was_open="is_open", was_payload="payload_hash"
    )
    is_new, is_back = pl.col("first_seen").is_null(), ~pl.col("was_open") | (pl.col("was") == "ACCEPTED")
    moved = (
        pl.when(is_back)
        .then(pl.lit("REOPENED"))
        .when(pl.col("was_payload") != pl.col("payload_hash"))
        .then(pl.lit("CHANGED"))
        .otherwise(pl.lit("ONGOING"))
    )
    # A run for an earlier day changes no state: what the register says is shown.
    state = moved if moves else pl.col("was")
    may_accept = pl.lit(moves) | is_new
    return (
        breaks.join(known, on="fingerprint", how="left", validate="1:1")
        .with_columns(_is_accepted(breaks, as_of, acceptances).alias("is_accepted"))
        .with_columns(
            break_state=pl.when(pl.col("is_accepted") & may_accept)
            .then(pl.lit("ACCEPTED"))
            .when(is_new)
            .then(pl.lit("NEW"))
            .otherwise(state)
        )
        .with_columns(
            first_seen=pl.col("first_seen").fill_null(as_of),
            last_seen=pl.lit(as_of),
            is_open=pl.lit(value=True),
            reopened=pl.col("reopened").fill_null(0) + (pl.col("break_state") == "REOPENED").cast(pl.Int64),
        )
    )


def _gone(
    register: pl.DataFrame,
    present: pl.DataFrame,
    as_of: date,
    evaluated: pl.DataFrame,
    acceptances: pl.DataFrame,
) -> pl.DataFrame:
    """Return what was open and is not found now, with its state and `is_shown`."""
    examined = evaluated.group_by(*WHO, "code", rule=_RULE).agg(is_examined=pl.col("is_evaluated").all())
    open_before = register.filter("is_open").join(present, on="fingerprint", how="anti")
    gone = (
        open_before.with_columns(rule=_RULE)
        .join(examined, on=[*WHO, "code", "rule"], how="left", validate="m:1", maintain_order="left")
        .with_columns(pl.col("is_examined").fill_null(value=False))
    )
    gone = gone.with_columns(_is_accepted(gone, as_of, acceptances).alias("is_accepted"))
    return gone.with_columns(
        is_shown=~(pl.col("is_examined") & (pl.col("break_state") == "ACCEPTED")),
        is_open=~pl.col("is_examined"),
        break_state=pl.when(pl.col("is_examined"))
        .then(pl.lit("RESOLVED"))
        .when(pl.col("is_accepted"))
        .then(pl.lit("ACCEPTED"))
        .otherwise(pl.lit("NOT_EVALUATED")),
    )


def _living(rows: pl.DataFrame, acceptances: pl.DataFrame, as_of: date, options: Mapping[str, Options]) -> pl.DataFrame:
    """Return register rows as breaks of this run, with their acceptances, also those that hold no longer."""
    # A run for an earlier day may know breaks from later ones: their age is 0, not negative.
    age = (pl.lit(as_of) - pl.col("first_seen")).dt.total_days().clip(lower_bound=0)
    by_name = dict.fromkeys(rows["provider"].unique().to_list(), Options()) | dict(options)
    open_for = business_between(rows["provider"], rows["first_seen"], repeated(as_of, rows.height), options=by_name)
    is_old = open_for > by_provider(rows, by_name, lambda option: option.escalate_days, pl.Int64())
    living = rows.with_columns(severity(is_old=pl.lit(is_old)).alias("severity"), as_of=pl.lit(as_of), age_days=age)
    living = living.with_columns(reference=pl.lit(None, dtype=pl.String))
    living = living.join(acceptances, on="fingerprint", how="left", validate="m:1", maintain_order="left")
    return LIVING_BREAKS.gate(living.select(LIVING_BREAKS.columns).sort(_ORDER))
