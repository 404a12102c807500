"""Decide which staged rows may enter the core, and say why the others may not.

Amounts become minor units exactly or the row stays out; a plan and its terms
come in together or stay out together. Where rows come from and where they go is
not decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.intake import COUNTS, REJECTS, Admitted
from transforms import derive
from transforms.faults import (
    UNKNOWN_CURRENCY,
    Fault,
    entries,
    found,
    missing,
    negative,
    unreadable,
    with_minor,
    with_places,
)

EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
"""Due dates outside are typing errors, not plans."""

CONTRACT_CODES = ("MISSING_FIELD", "WRONG_TYPE")
"""Faults of decoding that, in every row, mean the provider changed its contract."""

_DECIDED = (
    *(
        "row",
        "ordinal",
        "places",
        "unreadable",
        "is_repeat",
        "is_conflict",
        "is_listed",
        "is_nested",
        "is_balance_stated",
    ),
    *(
        "amount",
        "amount_units",
        "provider_outstanding",
        "stated_total",
        "stated_total_units",
        "each_payment",
        "balance",
    ),
    *("balance_units", "total", "amount_due", "default_monthly", "initial_balance", "restricted_override_minimum"),
)
"""Columns that were needed to decide; nothing behind admission reads them."""

_PLAN_KEPT_OUT = ("PLAN_QUARANTINED", "plan_id", "its plan was refused; a plan and its terms come in together")
_TERM_KEPT_OUT = (
    "TERM_QUARANTINED",
    "plan_id",
    "a term of the plan was refused; a plan and its terms come in together",
)


class ContractError(Exception):
    """A provider broke its contract: one fault hits every row of an entity, so nothing of it can be believed."""

    code = "contract"


@dataclass(frozen=True, slots=True)
class _Sorted:
    """One entity's rows: all of them with `money_minor`, which of them are good, and why the others are not."""

    rows: pl.DataFrame
    good: pl.DataFrame
    rejects: pl.DataFrame


def admit(
    staged: Mapping[str, pl.DataFrame], *, decode_rejects: pl.DataFrame, decoded_rows: Mapping[str, int]
) -> Admitted:
    """Return the staged rows of one tenant, each either accepted, or quarantined with every reason, or a repeat.

    Args:
        staged: What `sql.staging.stage` returned.
        decode_rejects: Columns of `schemas.intake.DECODE_REJECTS`.
        decoded_rows: Top-level rows per page entity, rejected ones included.

    Raises:
        ContractError: a field is missing or of another type in every row (two or more) of an entity.
    """
    check_contract(decode_rejects, decoded_rows)
    refused = _placed(decode_rejects, staged["page_entities"])
    plans, terms = _plans_and_terms(staged["plans"], staged["terms"], refused)
    sorted_rows = {
        "plans": plans,
        "terms": terms,
        "payments": _payments(staged["payments"], staged["payment_parts"]),
        "accounts": _accounts(staged["accounts"]),
        "policies": _policies(staged["policies"], staged["tiers"]),
    }
    undecoded = _undecoded(refused, _home_currency(sorted_rows))
    accepted = {name: entity.good.drop(_DECIDED, strict=False) for name, entity in sorted_rows.items()}
    return Admitted(
        accepted=accepted | {name: staged[name] for name in ("plan_accounts", "deletions")},
        rejects=pl.concat([undecoded, *(entity.rejects for entity in sorted_rows.values())]),
        counts=_counts(sorted_rows, undecoded),
        seen=_seen(sorted_rows, refused),
        unknown_words=_unknown_words(staged["payments"]),
    )


def check_contract(decode_rejects: pl.DataFrame, decoded_rows: Mapping[str, int]) -> None:
    """Raise if one field is missing or of another type in every row, two or more, of a page entity.

    Raises:
        ContractError: names the entity, the field and the number of rows.
    """
    changed = decode_rejects.filter(pl.col("code").is_in(CONTRACT_CODES))
    by_field = changed.group_by("page_entity", "code", "column").agg(
        rows=pl.struct("page_no", "position").n_unique().cast(pl.Int64)
    )
    for row in by_field.sort("page_entity", "code", "column").iter_rows(named=True):
        if row["rows"] > 1 and row["rows"] == decoded_rows.get(row["page_entity"]):
            raise ContractError(
                f"{row['page_entity']}: field {row['column']!r} is {row['code']} in all {row['rows']} rows; the provider "
                "changed its contract, nothing of this fetch was stored; compare its documentation with the provider's code"
            )


def _plans_and_terms(plans: pl.DataFrame, terms: pl.DataFrame, refused: pl.DataFrame) -> tuple[_Sorted, _Sorted]:
    plan_rows, plan_faults = _plan_faults(plans)
    sound = plan_rows.filter(pl.col("is_derived") & ~pl.col("is_repeat")).join(plan_faults, on="row", how="anti")
    term_rows, term_faults = _term_faults(terms, _derived(sound))
    bad = pl.concat(
        [
            plan_rows.join(plan_faults, on="row", how="semi")["plan_id"],
            term_rows.join(term_faults, on="row", how="semi")["plan_id"],
            refused.filter(pl.col("entity") == "plans")["key"],
        ]
    ).drop_nulls()
    by_term = plan_rows.filter(~pl.col("is_repeat"), pl.col("plan_id").is_in(bad.implode())).join(
        plan_faults, on="row", how="anti"
    )
    plan_rejects = pl.concat([plan_faults, _because(by_term, _TERM_KEPT_OUT)])
    by_plan = term_rows.filter(~pl.col("is_repeat"), pl.col("plan_id").is_in(bad.implode())).join(
        term_faults, on="row", how="anti"
    )
    own = entries(term_rows, term_faults, entity="terms", key="term_id")
    kept_out = pl.concat([term_faults.select("row"), by_plan.select("row")])
    return (
        _sorted(plan_rows, plan_rejects, entity="plans", key="plan_id"),
        _Sorted(term_rows, _good(term_rows, kept_out), pl.concat([own, _with_their_plan(by_plan)])),
    )


def _plan_faults(plans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows, refused = with_minor(with_places(plans), "stated_total", "each_payment")
    rows = rows.with_columns(money_minor=pl.col("stated_total_minor"))
    derived = pl.col("is_derived")
    count = derive.count_terms(pl.col("stated_total_minor"), pl.col("each_payment_minor"))
    gaps = [
        Fault(
            "NO_SCHEDULE", "stated_total", "is needed to work out the terms", derived & pl.col("stated_total").is_null()
        ),
        Fault("NO_SCHEDULE", "each_payment", "a plan that pays nothing has no terms", derived & _pays_nothing()),
        Fault("NO_SCHEDULE", "anchor_day", "is needed to work out the terms", derived & pl.col("anchor_day").is_null()),
        Fault(
            "NO_SCHEDULE",
            "stated_total",
            "would need more than a hundred years of months",
            derived & (count > derive.MAX_TERMS),
        ),
        Fault("OUT_OF_RANGE", "anchor_day", "is no day of a month", ~pl.col("anchor_day").is_between(1, 31)),
    ]
    rules = [UNKNOWN_CURRENCY, *missing("plan_id", "created_on"), *negative("stated_total_minor"), *gaps]
    return rows, pl.concat([unreadable(rows), refused, found(rows, rules)])


def _pays_nothing() -> pl.Expr:
    return pl.col("each_payment").is_null() | (pl.col("each_payment_minor") <= 0)


def _derived(plans: pl.DataFrame) -> pl.DataFrame:
    """Return the terms of plans that give a rule instead, as staged terms whose money is known."""
    terms = derive.monthly_terms(
        plans.select(
            "plan_id",
            "starts_on",
            "anchor_day",
            total_minor=pl.col("stated_total_minor"),
            each_minor=pl.col("each_payment_minor"),
        )
    )
    of_plan = plans.select("plan_id", "source", "page_no", "position", "currency")
    return (
        terms.join(of_plan, on="plan_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("due_date").alias("nominal_due_date"),
            pl.col("term_sequence").alias("ordinal"),
            pl.col("amount_minor").alias("amount_units"),
            is_nested=pl.lit(True),
            is_balance_stated=pl.lit(False),
            is_repeat=pl.lit(False),
        )
        .drop("amount_minor")
    )


def _term_faults(terms: pl.DataFrame, derived: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    together = pl.concat(
        [terms, derived.select(pl.col(name) for name in terms.columns if name in derived.columns)], how="diagonal"
    )
    rows, refused = with_minor(with_places(together), "amount", "provider_outstanding")
    rows = _repeated_ids(rows).with_columns(money_minor=pl.col("amount_minor"))
    stated = pl.col("is_balance_stated") & pl.col("provider_outstanding").is_null()
    rules = [
        UNKNOWN_CURRENCY,
        *missing("term_id", "due_date"),
        Fault(
            "MISSING_FIELD",
            "amount",
            "is needed and not there",
            pl.col("amount").is_null() & pl.col("amount_units").is_null(),
        ),
        Fault("MISSING_FIELD", "provider_outstanding", "is needed and not there", stated),
        *negative("provider_outstanding_minor"),
        Fault(
            "OUT_OF_RANGE", "due_date", "is before 1900 or after 2999", ~pl.col("due_date").is_between(EARLIEST, LATEST)
        ),
        Fault("DUPLICATE_ID", "term_id", "stands twice in its plan with different contents", pl.col("is_conflict")),
    ]
    return rows, pl.concat([unreadable(rows), refused, found(rows, rules)])


def _repeated_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Mark a term that stands twice in its plan: alike it is a repeat, different it is a conflict."""
    fresh = rows.filter(~pl.col("is_repeat") & pl.col("is_nested"))
    twice = fresh.select("plan_id", "term_id").is_duplicated()
    plain = rows.with_columns(is_conflict=pl.lit(False))
    if not twice.any():
        return plain
    same = ["plan_id", "term_id", "due_date", "amount_minor", "provider_outstanding_minor", "provider_paid_on"]
    again = fresh.filter(twice)
    repeats = again.filter(~pl.struct(same).is_first_distinct())["row"]
    kept = again.filter(pl.struct(same).is_first_distinct())
    conflicts = kept.filter(kept.select("plan_id", "term_id").is_duplicated())["row"]
    return plain.with_columns(
        is_repeat=pl.col("is_repeat") | pl.col("row").is_in(repeats.implode()),
        is_conflict=pl.col("row").is_in(conflicts.implode()),
    )


def _payments(payments: pl.DataFrame, parts: pl.DataFrame) -> _Sorted:
    rows, refused = with_minor(with_places(payments), "amount")
    rows, bad_parts = _with_parts(rows, parts)
    rows = rows.with_columns(
        pl.coalesce("parts_minor", "amount_minor").alias("amount_minor"), pl.col("class").fill_null("unknown")
    ).with_columns(money_minor=pl.col("amount_minor"))
    is_back = pl.col("class").is_in(["reversed", "partly_reversed"])
    rules = [
        UNKNOWN_CURRENCY,
        *missing("payment_id", "effective_date", "created_on"),
        Fault(
            "MISSING_FIELD",
            "amount",
            "is needed and not there",
            pl.col("amount").is_null() & pl.col("amount_units").is_null(),
        ),
        Fault("NEGATIVE", "amount", "is less than zero and was reversed", is_back & (pl.col("amount_minor") < 0)),
    ]
    reasons = pl.concat([unreadable(rows), refused, bad_parts, found(rows, rules)])
    is_partly = pl.col("class") == "partly_reversed"
    given = pl.when(pl.col("reversal_minor") > 0).then("reversal_minor")
    rows = rows.with_columns(
        pl.when(is_back).then("reversed_on").alias("reversed_on"),
        pl.when(pl.col("class") == "reversed")
        .then("amount_minor")
        .when(is_partly)
        .then(given)
        .alias("reversed_amount_minor"),
        is_reversal_amount_known=~(is_partly & given.is_null()),
    )
    return _sorted(rows, reasons, entity="payments", key="payment_id")


def _with_parts(rows: pl.DataFrame, parts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the sum of each payment's parts and of what was reversed beside it, null where there are none."""
    if parts.is_empty():
        nothing = pl.lit(None, pl.Int64)
        return rows.with_columns(parts_minor=nothing, reversal_minor=nothing), found(rows, [])
    where = ["page_no", "position", "share"]
    listed = rows.filter(pl.col("is_listed").fill_null(value=True)).select(*where, "row", "places", "is_repeat")
    placed, refused = with_minor(parts.join(listed, on=where, how="inner"), "amount", "reversal")
    sums = placed.group_by("row").agg(
        parts_minor=pl.when(pl.col("amount_minor").count() > 0).then(pl.col("amount_minor").sum()),
        reversal_minor=pl.col("reversal_minor").sum(),
    )
    return rows.join(sums, on="row", how="left", maintain_order="left"), refused


def _accounts(accounts: pl.DataFrame) -> _Sorted:
    rows, refused = with_minor(with_places(accounts), "balance", "total", "amount_due")
    rows = rows.with_columns(money_minor=pl.coalesce("balance_minor", "amount_due_minor")).rename(
        {"amount_due_minor": "account_amount_due_minor"}
    )
    reasons = pl.concat([unreadable(rows), refused, found(rows, [UNKNOWN_CURRENCY, *missing("account_id")])])
    return _sorted(rows, reasons, entity="accounts", key="account_id")


def _policies(policies: pl.DataFrame, tiers: pl.DataFrame) -> _Sorted:
    amounts = ("default_monthly", "initial_balance", "restricted_override_minimum")
    rows, refused = with_minor(with_places(policies), *amounts)
    rows, bad_tiers = _with_tiers(rows, tiers)
    rows = rows.with_columns(money_minor=pl.col("initial_balance_minor"))
    rules = [
        UNKNOWN_CURRENCY,
        *missing("account_id"),
        *negative(*(f"{name}_minor" for name in amounts), "day_due", "maximum_term"),
    ]
    reasons = pl.concat([unreadable(rows), refused, bad_tiers, found(rows, rules)])
    return _sorted(rows, reasons, entity="policies", key="account_id")


def _with_tiers(rows: pl.DataFrame, tiers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the list of tiers beside each policy, in the provider's order; null where it has none."""
    of_policy = rows.select("row", "page_no", "position", "places", "is_repeat")
    placed, refused = with_minor(
        tiers.join(of_policy, on=["page_no", "position"], how="inner"), "minimum", "maximum", "restricted_minimum"
    )
    tier = pl.struct("minimum_minor", "maximum_minor", "payment_count", "restricted_minimum_minor")
    lists = placed.sort("row", "ordinal").group_by("row", maintain_order=True).agg(tiers=tier)
    return rows.join(lists, on="row", how="left", maintain_order="left"), refused


def _sorted(rows: pl.DataFrame, reasons: pl.DataFrame, *, entity: str, key: str) -> _Sorted:
    return _Sorted(rows, _good(rows, reasons.select("row")), entries(rows, reasons, entity=entity, key=key))


def _good(rows: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    fresh = rows.filter(~pl.col("is_repeat"))
    return fresh.join(bad, on="row", how="anti", maintain_order="left") if bad.height else fresh


def _because(rows: pl.DataFrame, reason: tuple[str, str, str]) -> pl.DataFrame:
    code, column, text = reason
    return rows.select("row", code=pl.lit(code), column=pl.lit(column), reason=pl.lit(text))


def _with_their_plan(terms: pl.DataFrame) -> pl.DataFrame:
    """Return one entry per plan for terms that came inside it, one per term for those that came alone."""
    key = pl.when("is_nested").then("plan_id").otherwise("term_id")
    code, column, reason = _PLAN_KEPT_OUT
    grouped = terms.group_by("page_no", "position", key.alias("key"), "currency", maintain_order=True).agg(
        rows=pl.len().cast(pl.Int64), amount_minor=pl.col("money_minor").sum()
    )
    return grouped.select(
        entity=pl.lit("terms"),
        page_no="page_no",
        position="position",
        code=pl.lit(code),
        column=pl.lit(column),
        reason=pl.lit(reason),
        key="key",
        rows="rows",
        amount_minor="amount_minor",
        currency="currency",
    )


def _placed(decode_rejects: pl.DataFrame, page_entities: pl.DataFrame) -> pl.DataFrame:
    """Say which entity each undecodable row would have fed, and under which key and sweep."""
    known = page_entities.select("page_entity", "entity", "child_entity", "sweep", "key_prefix")
    joined = decode_rejects.join(known, on="page_entity", how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("entity", "child_entity", "key_prefix").fill_null(""),
        key=pl.concat_str(pl.col("key_prefix").fill_null(""), pl.col("key")),
        is_first=pl.struct("page_no", "position").is_first_distinct(),
    )


def _undecoded(refused: pl.DataFrame, currency: str | None) -> pl.DataFrame:
    """Return the quarantine entries of rows that decoding refused, and of the children that went with them."""
    shape = ["page_no", "position", "code", "column", "reason", "key"]
    money = {"amount_minor": pl.lit(None, pl.Int64), "currency": pl.lit(currency, pl.String)}
    counted = pl.when(pl.col("is_first")).then(pl.lit(1)).otherwise(pl.lit(0)).cast(pl.Int64)
    is_counted = pl.col("entity") != ""
    top = refused.filter(is_counted | (pl.col("child_entity") == "")).select(
        pl.when(is_counted).then("entity").otherwise("page_entity").alias("entity"), *shape, rows=counted, **money
    )
    loose = pl.when(is_counted).then("rows").otherwise(pl.max_horizontal("rows", pl.lit(1)))
    children = refused.filter(pl.col("child_entity") != "", pl.col("is_first")).select(
        pl.col("child_entity").alias("entity"), *shape, rows=loose.cast(pl.Int64), **money
    )
    return pl.concat([top, children.filter(pl.col("rows") > 0)]).select(
        pl.col(name).cast(dtype) for name, dtype in REJECTS.items()
    )


def _home_currency(sorted_rows: Mapping[str, _Sorted]) -> str | None:
    """Return the only currency of the fetch, if there is but one: rows nobody could read are counted under it."""
    distinct = pl.concat(
        [entity.rows.filter(pl.col("places").is_not_null())["currency"].unique() for entity in sorted_rows.values()]
    ).unique()
    return str(distinct[0]) if distinct.len() == 1 else None


def _counts(sorted_rows: Mapping[str, _Sorted], undecoded: pl.DataFrame) -> pl.DataFrame:
    parts = [_entity_counts(name, entity) for name, entity in sorted_rows.items()]
    unread = undecoded.filter(pl.col("entity").is_in(list(sorted_rows))).select(
        "entity", "currency", fetched="rows", quarantined="rows", repeated=pl.lit(0), unreadable="rows"
    )
    together = pl.concat([*parts, unread], how="diagonal_relaxed")
    summed = together.group_by("entity", "currency").agg(
        *(pl.col(name).sum() for name in ("fetched", "quarantined", "repeated", "unreadable")),
        *(
            pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)
            for name in COUNTS
            if name.startswith("amount_")
        ),
    )
    return summed.select(pl.col(name).cast(dtype) for name, dtype in COUNTS.items()).sort("entity", "currency")


def _entity_counts(name: str, entity: _Sorted) -> pl.DataFrame:
    fresh_bad = entity.rows.filter(~pl.col("is_repeat")).join(entity.good.select("row"), on="row", how="anti")
    rows = entity.rows.with_columns(is_bad=pl.col("row").is_in(fresh_bad["row"].implode()))
    amount, is_bad, is_repeat = pl.col("money_minor"), pl.col("is_bad"), pl.col("is_repeat")
    is_silent = amount.is_null() & (is_bad | is_repeat) & _had_money(rows)
    known = pl.when(pl.col("places").is_not_null()).then("currency")
    return rows.group_by(known.alias("currency")).agg(
        pl.lit(name).alias("entity"),
        fetched=pl.len().cast(pl.Int64),
        quarantined=is_bad.sum().cast(pl.Int64),
        repeated=is_repeat.sum().cast(pl.Int64),
        unreadable=is_silent.sum().cast(pl.Int64),
        amount_fetched_minor=pl.when(amount.count() > 0).then(amount.sum()),
        amount_quarantined_minor=pl.when(amount.count() > 0).then(amount.filter(is_bad).sum()),
        amount_repeated_minor=pl.when(amount.count() > 0).then(amount.filter(is_repeat).sum()),
    )


def _had_money(rows: pl.DataFrame) -> pl.Expr:
    written = [
        name
        for name in (
            "amount",
            "amount_units",
            "stated_total",
            "stated_total_units",
            "balance",
            "balance_units",
            "amount_due",
            "initial_balance",
        )
        if name in rows.columns
    ]
    return pl.any_horizontal(pl.col(name).is_not_null() for name in written)


def _seen(sorted_rows: Mapping[str, _Sorted], refused: pl.DataFrame) -> pl.DataFrame:
    keys = {"plans": "plan_id", "terms": "term_id", "payments": "payment_id", "accounts": "account_id"}
    rows = {name: entity.rows for name, entity in sorted_rows.items()}
    rows["terms"] = rows["terms"].filter(~pl.col("is_nested"))  # those inside a plan are seen with it
    parts = [
        rows[entity].select(pl.lit(entity).alias("entity"), "source", pl.col(key).alias("key"))
        for entity, key in keys.items()
    ]
    unread = refused.select(
        pl.when(pl.col("entity") == "").then("child_entity").otherwise("entity").alias("entity"),
        pl.col("sweep").alias("source"),
        "key",
    )
    return pl.concat([*parts, unread]).unique()


def _unknown_words(payments: pl.DataFrame) -> pl.DataFrame:
    """Return one row per status outside the provider's list: entity, name, value, rows."""
    unknown = payments.filter(pl.col("class").is_null() & pl.col("provider_status").is_not_null())
    return (
        unknown.group_by(pl.col("provider_status").alias("value"))
        .agg(rows=pl.len().cast(pl.Int64))
        .select(entity=pl.lit("payments"), name=pl.lit("status"), value="value", rows="rows")
        .sort("value")
    )
