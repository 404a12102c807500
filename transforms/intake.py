"""Decide which staged rows may enter the core, and say why the others may not.

Amounts become minor units exactly or the row stays out; a plan and its terms
come in together or stay out together. Where rows come from and where they go is
not decided here.
"""

from collections.abc import Mapping

import polars as pl

from schemas.intake import Admitted


class ContractError(Exception):
    """A provider broke its contract: one fault hits every row of an entity, so nothing of it can be believed."""

    code = "contract"


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
    raise NotImplementedError
