"""The file of customers: which ids at the providers are one person, or one invoice, of one's own."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from checks.base import Frames
from checks.plans_at_two_providers import owned_plans
from flows.errors import SettingsError
from flows.given import Line, read_table
from providers import PROVIDERS
from schemas.core import OWN_CUSTOMERS

COLUMNS = ("provider", "tenant_id", "customer_id", "account_id", "customer")
"""Of these `tenant_id` may be empty, all tenants of the provider are then meant, and one of `customer_id` and `account_id`."""


@dataclass(frozen=True, slots=True)
class OwnCustomer:
    """One line of the file: an id of a provider, and whose it is; empty texts where a cell is."""

    provider: str
    tenant_id: str
    customer_id: str
    account_id: str
    customer: str


def read_customers(file: Path | None) -> list[OwnCustomer]:
    """Return the lines of a file, in its order; none where no file is set.

    Raises:
        SettingsError: the file cannot be read, or a line says nothing; the message names the line, and no id.
    """
    if file is None:
        return []
    return [_own(line) for line in read_table(file, COLUMNS, required=COLUMNS, error=SettingsError)]


def _own(line: Line) -> OwnCustomer:
    where, cells = f"customers_file {line.place}", line.cells
    own = OwnCustomer(*(cells.get(name, "") for name in COLUMNS))
    if own.provider.lower() not in PROVIDERS:
        raise SettingsError(f"{where}: provider {own.provider!r} is none of ours; use one of {', '.join(PROVIDERS)}")
    if not own.customer:
        raise SettingsError(f"{where} has no customer; give your own id of the person or invoice, or remove the line")
    if not (own.customer_id or own.account_id):
        raise SettingsError(
            f"{where} has neither customer_id nor account_id; give the provider's id, or remove the line"
        )
    return OwnCustomer(own.provider.lower(), own.tenant_id, own.customer_id, own.account_id, own.customer)


def customers_of(given: list[OwnCustomer]) -> pl.DataFrame:
    """Return `OWN_CUSTOMERS`, each once."""
    rows = [(own.provider, own.tenant_id, own.customer_id, own.account_id, own.customer) for own in given]
    frame = pl.DataFrame(rows, schema=dict(OWN_CUSTOMERS.dtypes), orient="row").unique(maintain_order=True)
    is_empty = pl.col("tenant_id", "customer_id", "account_id") == ""
    return OWN_CUSTOMERS.gate(
        frame.with_columns(pl.when(~is_empty).then(pl.col("tenant_id", "customer_id", "account_id")))
    )


def with_own_customers(plans: pl.DataFrame, links: Frames) -> pl.DataFrame:
    """Return `PLAN_POSITIONS`, in their order, with `own_customer`: of several the first by name.

    Args:
        plans: `PLAN_POSITIONS`.
        links: `accounts`, `plan_accounts` and `own_customers`; without rows in the last nothing is looked up.
    """
    if links["own_customers"].is_empty():
        return plans
    owners = owned_plans({**links, "plan_positions": plans}, plans).unique("plan_no", keep="first", maintain_order=True)
    told = owners.rename({"customer": "own_customer"})
    named = plans.drop("own_customer").join(told, on="plan_no", how="left", maintain_order="left", validate="1:1")
    return named.select(plans.columns)
