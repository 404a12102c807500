"""What passes between staging, admission and the versions of the core.

The frames here exist only while a load is on its way in. What a row of the
finished core means is in `core.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from schemas.table import GateError

_PLACE = "source page_no:int position:int"

_KINDS: Mapping[str, pl.DataType] = {
    "": pl.String(),
    "int": pl.Int64(),
    "bool": pl.Boolean(),
    "day": pl.Date(),
    "moment": pl.Datetime("us", "UTC"),
}


def _shape(text: str, **others: pl.DataType) -> dict[str, pl.DataType]:
    """Return dtypes of columns named in `text`, each with `:kind` behind it unless it is text, and of `others`."""
    pairs = (column.partition(":") for column in text.split())
    return {name: _KINDS[kind] for name, _, kind in pairs} | others


_RULE = pl.Struct(
    _shape(
        "arrangement frequency pattern days_in_period:int first_due_date:day first_day:int second_day:int "
        "first_weekday:int second_weekday:int first_week:int second_week:int term_count:int term_amount_minor:int "
        "is_partial:bool weekend_shift:int holiday_shift:int missing_input"
    )
)

STAGED_PLANS = _shape(
    f"{_PLACE} plan_id account_id customer_id currency basis created_on:day created_at:moment updated_on:day "
    "updated_at:moment proposed_on:day approved_on:day rejected_on:day deactivated_on:day is_active:bool stated_total "
    "stated_total_units:int cadence anchor_day:int is_derived:bool starts_on:day each_payment plan_type "
    "fires_on_due_day:bool unreadable is_repeat:bool",
    rule=_RULE,
    custom_terms=pl.List(pl.Struct(_shape("due_date:day amount_minor:int"))),
    unknown_words=pl.List(pl.Struct(_shape("name value"))),
)
"""One row per received plan. `rule` is what the provider makes its terms of, `custom_terms` the list it takes them from."""

STAGED_TERMS = _shape(
    f"{_PLACE} ordinal:int is_nested:bool is_balance_stated:bool plan_id term_id term_sequence:int currency "
    "nominal_due_date:day due_date:day amount amount_units:int provider_outstanding provider_paid_on:day "
    "updated_on:day linked_payment_id unreadable is_repeat:bool"
)
"""One row per received term; `is_nested` came within its plan."""

STAGED_PAYMENTS = _shape(
    f"{_PLACE} payment_id share account_id currency amount amount_units:int effective_date:day effective_at:moment "
    "created_on:day planned_on:day is_first_sight:bool class provider_status reversed_on:day reversed_at:moment "
    "fees_units:int takes_back:bool is_money:bool unreadable is_repeat:bool is_listed:bool"
)
"""One row per received payment and account it is for; `is_listed` false stands only beside an account."""

STAGED_PAYMENT_PARTS = _shape("page_no:int position:int share amount reversal")
"""One row per invoice that a payment's share names."""

STAGED_ACCOUNTS = _shape(
    f"{_PLACE} account_id parent_account_id customer_id currency kind_of_account reference account_status balance "
    "balance_units:int total amount_due account_due_date:day is_stopped:bool active_plan_id updated_on:day "
    "paused_on:day unreadable is_repeat:bool"
)
"""One row per received account."""

STAGED_POLICIES = _shape(
    f"{_PLACE} account_id currency allow_due_day:bool enforce_due_date:bool day_due:int plan_type default_monthly "
    "initial_balance maximum_term:int restricted_override_minimum updated_on:day unreadable is_repeat:bool"
)
"""One row per account whose plans the provider has rules for."""

STAGED: Mapping[str, Mapping[str, pl.DataType]] = {
    "plans": STAGED_PLANS,
    "terms": STAGED_TERMS,
    "payments": STAGED_PAYMENTS,
    "payment_parts": STAGED_PAYMENT_PARTS,
    "accounts": STAGED_ACCOUNTS,
    "policies": STAGED_POLICIES,
    "tiers": _shape("page_no:int position:int ordinal:int minimum maximum payment_count:int restricted_minimum"),
    "plan_accounts": _shape("plan_id account_id"),
    "deletions": _shape("entity key deleted_on:day"),
    "customers": _shape(f"{_PLACE} customer_id currency paused_on:day updated_on:day unreadable is_repeat:bool"),
}
"""The frames a provider's staging makes, whatever the provider; natural keys, amounts as written, days civil."""

ALWAYS_SAID = frozenset(
    _shape("source page_no position ordinal is_nested is_balance_stated is_derived is_first_sight is_money is_repeat")
)
"""Columns of staged frames that say what becomes of a row: no provider leaves one out, and none is null."""

ENTITIES = ("plans", "terms", "payments", "accounts", "policies", "customers")
"""What is counted, at the providers that show it; links, deletions and tenants feed these and are not counted themselves."""

DECODE_REJECTS: Mapping[str, pl.DataType] = {
    "page_no": pl.Int64(),
    "page_entity": pl.String(),
    "position": pl.Int64(),
    "code": pl.String(),
    "column": pl.String(),
    "reason": pl.String(),
    "key": pl.String(),
    "rows": pl.Int64(),
}
"""Rows that decoding refused: `page_entity` is the entity of the page, `rows` the children that went with the row."""

REJECTS: Mapping[str, pl.DataType] = {
    "entity": pl.String(),
    "page_no": pl.Int64(),
    "position": pl.Int64(),
    "code": pl.String(),
    "column": pl.String(),
    "reason": pl.String(),
    "key": pl.String(),
    "rows": pl.Int64(),
    "amount_minor": pl.Int64(),
    "currency": pl.String(),
}
"""One row per reason. The first reason of a row carries its `rows` and money, further ones 0 and null."""

HELD: Mapping[str, pl.DataType] = {"load_no": pl.Int64(), **REJECTS, "is_decoded": pl.Boolean()}
"""`REJECTS` of load `load_no` whose rows a replay brought in; `is_decoded` false: decoding had refused the row already."""

COUNTS: Mapping[str, pl.DataType] = {
    "entity": pl.String(),
    "currency": pl.String(),
    "fetched": pl.Int64(),
    "quarantined": pl.Int64(),
    "repeated": pl.Int64(),
    "unreadable": pl.Int64(),
    "amount_fetched_minor": pl.Int64(),
    "amount_quarantined_minor": pl.Int64(),
    "amount_repeated_minor": pl.Int64(),
}
"""One row per entity and currency: what staging brought, what stayed out, what this fetch showed twice."""

PAGE_COUNTS: Mapping[str, pl.DataType] = {
    "page_no": pl.Int64(),
    "entity": pl.String(),
    "currency": pl.String(),
    "fetched": pl.Int64(),
    "amount_fetched_minor": pl.Int64(),
}
"""One row per page, entity and currency: the rows that came on it."""

UNKNOWN_WORDS: Mapping[str, pl.DataType] = {
    "entity": pl.String(),
    "name": pl.String(),
    "value": pl.String(),
    "rows": pl.Int64(),
}
"""One row per word outside the provider's closed lists: the field it stands in, the word, rows that carry it."""


@cache
def nothing_staged(name: str) -> pl.DataFrame:
    """Return no rows of `STAGED[name]`; most fetches bring nothing of most entities."""
    return pl.DataFrame(schema=dict(STAGED[name]))


def in_shape(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return a staged frame with the columns of `STAGED[name]` in order; those a provider says nothing of are null.

    Raises:
        GateError: a column that the shape does not have, one of another type, or one of `ALWAYS_SAID` missing or null.
    """
    shape = STAGED[name]
    wrong = [column for column, dtype in frame.schema.items() if shape.get(column) != dtype]
    if wrong:
        raise GateError(
            f"the staged {name} are refused: {', '.join(wrong)}: no such column, or one of another type; correct the staging"
        )
    needed = [column for column in shape if column in ALWAYS_SAID]
    unsaid = [column for column in needed if column not in frame.columns or frame[column].has_nulls()]
    if unsaid:
        raise GateError(
            f"the staged {name} are refused: {', '.join(unsaid)}: not said of every row; correct the staging"
        )
    return frame.select(
        pl.col(column) if column in frame.columns else pl.lit(None, dtype).alias(column)
        for column, dtype in shape.items()
    )


@dataclass(frozen=True, slots=True)
class Admitted:
    """What one tenant's fetch brought, sorted into good rows and reasons.

    `accepted` holds one frame per entity plus `plan_accounts` and `deletions`,
    natural keys and minor units; `seen` lists every key the fetch showed, good or
    not (entity, source, key; a null key stands for a row that could not tell it),
    so that absence is never concluded from a bad row. `unknown_words` counts words
    outside the provider's closed lists, `page_counts` the rows of each page.

    The good rows of a large fetch come in parts, a plan in one part with its terms: `accepted` is the last part,
    `put_away` brings the others back one at a time. The other fields are of the whole fetch.
    """

    accepted: Mapping[str, pl.DataFrame]
    rejects: pl.DataFrame
    counts: pl.DataFrame
    seen: pl.DataFrame
    unknown_words: pl.DataFrame = field(default_factory=pl.DataFrame)
    page_counts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(PAGE_COUNTS)))
    put_away: tuple[Callable[[], Mapping[str, pl.DataFrame]], ...] = ()

    def parts(self) -> Iterator[Mapping[str, pl.DataFrame]]:
        """Yield the good rows, part by part."""
        for bring_back in self.put_away:
            yield bring_back()
        yield self.accepted
