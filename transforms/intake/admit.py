"""Decide which staged rows may enter the core, and say why the others may not.

Amounts become minor units exactly or the row stays out; a plan and its terms
come in together or stay out together. Where rows come from and where they go is
not decided here.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache

import polars as pl

from schemas.intake import ENTITIES, STAGED, Admitted
from transforms.intake.counts import (
    by_page,
    counts,
    home_currency,
    placed,
    seen,
    summed,
    summed_pages,
    summed_words,
    undecoded,
    unknown_words,
    unread_counts,
    unread_seen,
)
from transforms.intake.faults import (
    UNKNOWN_CURRENCY,
    SortedRows,
    faulty,
    missing,
    negative,
    sort_out,
    unreadable,
    with_minor,
    with_places,
)
from transforms.intake.payments import sorted_payments
from transforms.intake.plans import plans_and_terms

CONTRACT_CODES = ("MISSING_FIELD", "WRONG_TYPE")
"""Faults of decoding that, in every row, mean the provider changed its contract."""

PutAway = Callable[[Mapping[str, pl.DataFrame]], Callable[[], Mapping[str, pl.DataFrame]]]
"""Takes the good rows of a part and returns what brings them back."""

_DECIDED = [
    "row",
    "ordinal",
    "places",
    "unreadable",
    "is_repeat",
    "is_conflict",
    "is_listed",
    "is_nested",
    "is_balance_stated",
    "amount",
    "amount_units",
    "provider_outstanding",
    "stated_total",
    "stated_total_units",
    "each_payment",
    "balance",
    "balance_units",
    "total",
    "amount_due",
    "unknown_words",
    "takes_back",
    "default_monthly",
    "initial_balance",
    "restricted_override_minimum",
]
"""Columns needed only to decide about rows; later steps do not read them."""


class ContractError(Exception):
    """A provider broke its contract: one fault is in every row of an entity, so none of them can be trusted."""

    code = "contract"


def admit(
    staged: Mapping[str, pl.DataFrame], *, decode_rejects: pl.DataFrame, decoded_rows: Mapping[str, int]
) -> Admitted:
    """Return the staged rows of one tenant, each either accepted, or quarantined with every reason, or a repeat; see `admit_parts`."""
    return admit_parts([staged], decode_rejects=decode_rejects, decoded_rows=decoded_rows)


def admit_parts(
    parts: Iterable[Mapping[str, pl.DataFrame]],
    *,
    decode_rejects: pl.DataFrame,
    decoded_rows: Mapping[str, int],
    put_away: PutAway | None = None,
) -> Admitted:
    """Return the staged rows of one tenant, which come in parts, each either accepted, or quarantined, or a repeat.

    Args:
        parts: What `sql.intake.staging.staging` yields, one part at least.
        decode_rejects: Columns of `schemas.intake.DECODE_REJECTS`.
        decoded_rows: Top-level rows per page entity, rejected ones included.
        put_away: Keeps the good rows of a part out of memory until they are wanted; needed where there are several.

    Raises:
        ContractError: a field is missing or of another type in every row (two or more) of an entity.
    """
    if decode_rejects.height:
        check_contract(decode_rejects, decoded_rows)
    done: list[Admitted] = []
    away: list[Callable[[], Mapping[str, pl.DataFrame]]] = []
    for staged in parts:
        refused = placed(decode_rejects, staged["page_entities"])
        if done and put_away is not None:
            away.append(put_away(done[-1].accepted))
            done[-1] = replace(done[-1], accepted={})
        done.append(_admit(staged, refused))
    # What could not be decoded is in no part: it is counted once, in the currency of them all.
    unread = undecoded(refused, home_currency(part.counts for part in done))
    words = [part.unknown_words for part in done]
    return Admitted(
        accepted=done[-1].accepted,
        rejects=pl.concat([unread, *(part.rejects for part in done)]),
        counts=summed([*(part.counts for part in done), unread_counts(unread)]),
        page_counts=summed_pages([part.page_counts for part in done]),
        seen=pl.concat([*(part.seen for part in done), unread_seen(refused)]),
        unknown_words=words[0] if len(words) == 1 else summed_words(words),
        put_away=tuple(away),
    )


def _admit(staged: Mapping[str, pl.DataFrame], refused: pl.DataFrame) -> Admitted:
    """Return the rows of one part; what could not be decoded keeps its terms out and is not counted here."""
    nothing = {name for name in ENTITIES if staged[name].is_empty()}
    if {"plans", "terms"} <= nothing:
        plans, terms = _nothing("plans"), _nothing("terms")
    else:
        plans, terms = plans_and_terms(staged["plans"], staged["terms"], refused)
    sorted_rows = {"plans": plans, "terms": terms} | {
        name: _nothing(name) if name in nothing else sort_rows(staged) for name, sort_rows in _SORTED.items()
    }
    accepted = {name: entity.good.drop(_DECIDED, strict=False) for name, entity in sorted_rows.items()}
    return Admitted(
        accepted=accepted | {name: staged[name] for name in ("plan_accounts", "deletions")},
        rejects=pl.concat([entity.rejects for entity in sorted_rows.values()]),
        counts=counts(sorted_rows),
        page_counts=by_page(sorted_rows),
        seen=seen(sorted_rows),
        unknown_words=pl.concat([staged["tenant_words"], unknown_words(staged["payments"], staged["plans"])]),
    )


@cache
def _nothing(entity: str) -> SortedRows:
    """Return no rows of an entity, sorted; most fetches bring nothing of most entities."""
    empty = {name: pl.DataFrame(schema=dict(shape)) for name, shape in STAGED.items()}
    if entity in _SORTED:
        return _SORTED[entity](empty)
    none_refused = pl.DataFrame(schema={"entity": pl.String(), "key": pl.String()})
    plans, terms = plans_and_terms(empty["plans"], empty["terms"], none_refused)
    return plans if entity == "plans" else terms


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


def check_carried(carried: Mapping[tuple[str, str], tuple[int, int]], always: Collection[tuple[str, str]]) -> None:
    """Raise if a field that every earlier row had is missing in all rows, two or more; an empty field is not missing.

    Args:
        carried: By page entity and field: how many rows could have it, and how many did.
        always: Page entity and field of the fields that every earlier row had.

    Raises:
        ContractError: names the entity, the field and the number of rows.
    """
    for (entity, name), (rows, with_it) in sorted(carried.items()):
        if rows > 1 and with_it == 0 and (entity, name) in always:
            raise ContractError(
                f"{entity}: field {name!r} is in none of {rows} rows, and every row before carried it; nothing of this fetch "
                "was stored; compare the provider's documentation with its code. A provider that leaves out what is empty "
                "shows the field again once everything is fetched"
            )


def _accounts(accounts: pl.DataFrame) -> SortedRows:
    rows, refused = with_minor(with_places(accounts), "balance", "total", "amount_due")
    rows = rows.with_columns(money_minor=pl.coalesce("balance_minor", "amount_due_minor")).rename(
        {"amount_due_minor": "account_amount_due_minor"}
    )
    reasons = pl.concat([unreadable(rows), refused, faulty(rows, [UNKNOWN_CURRENCY, *missing("account_id")])])
    return sort_out(rows, reasons, entity="accounts", key="account_id")


def _policies(policies: pl.DataFrame, tiers: pl.DataFrame) -> SortedRows:
    amounts = ("default_monthly", "initial_balance", "restricted_override_minimum")
    rows, refused = with_minor(with_places(policies), *amounts)
    rows, bad_tiers = _with_tiers(rows, tiers)
    rows = rows.with_columns(money_minor=pl.col("initial_balance_minor"))
    rules = [
        UNKNOWN_CURRENCY,
        *missing("account_id"),
        *negative(*(f"{name}_minor" for name in amounts), "day_due", "maximum_term"),
    ]
    reasons = pl.concat([unreadable(rows), refused, bad_tiers, faulty(rows, rules)])
    return sort_out(rows, reasons, entity="policies", key="account_id")


def _customers(customers: pl.DataFrame) -> SortedRows:
    # A customer carries no money: one in an unknown currency is accepted, and counted without a currency.
    known = pl.when(pl.col("places").is_not_null()).then("currency")
    rows = with_places(customers).with_columns(known.alias("currency"), money_minor=pl.lit(None, pl.Int64))
    return sort_out(rows, unreadable(rows), entity="customers", key="customer_id")


_SORTED: Mapping[str, Callable[[Mapping[str, pl.DataFrame]], SortedRows]] = {
    "payments": lambda staged: sorted_payments(staged["payments"], staged["payment_parts"]),
    "accounts": lambda staged: _accounts(staged["accounts"]),
    "policies": lambda staged: _policies(staged["policies"], staged["tiers"]),
    "customers": lambda staged: _customers(staged["customers"]),
}
"""How the rows of each entity are sorted that is judged by itself."""


def _with_tiers(rows: pl.DataFrame, tiers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the list of tiers beside each policy, in the provider's order; null where it has none."""
    of_policy = rows.select("row", "page_no", "position", "places", "is_repeat")
    placed, refused = with_minor(
        tiers.join(of_policy, on=["page_no", "position"], how="inner"), "minimum", "maximum", "restricted_minimum"
    )
    tier = pl.struct("minimum_minor", "maximum_minor", "payment_count", "restricted_minimum_minor")
    lists = placed.sort("row", "ordinal").group_by("row", maintain_order=True).agg(tiers=tier)
    return rows.join(lists, on="row", how="left", maintain_order="left"), refused
