"""The share of the amount due that fresh pending money covers.

It is shown beside the amount due and never subtracted from it.
"""

import polars as pl

_MILLION = 1_000_000


def coverage_ppm(fresh: pl.Series, amount_due: pl.Series) -> pl.Series:
    """Return min(fresh pending, amount due) over amount due in parts per million, half up; null when nothing is due.

    Args:
        fresh: Pending money that is not stale, per plan, minor units.
        amount_due: Outstanding of the terms due by the as-of date, minor units.
    """
    # 128 bits: a million times the largest amount does not fit into 64.
    due = pl.lit(amount_due).cast(pl.Int128)
    covered = pl.min_horizontal(pl.lit(fresh), pl.lit(amount_due)).clip(lower_bound=0).cast(pl.Int128)
    share = (covered * _MILLION * 2 + due) // (due * 2)
    return pl.select(pl.when(due > 0).then(share).cast(pl.Int64)).to_series()
