"""A plan's rules with the names of the plan, for the checks on rules that contradict themselves."""

import polars as pl

from checks.base import Frames, frame
from schemas.core import WHO

WEEKLY = ("WEEKLY", "BIWEEKLY")


def ruled(frames: Frames) -> pl.DataFrame:
    """Return the rules of plans that exist, with who, `plan_id`, `account_id`, `created_on` and `is_in_force`."""
    plans = frame(frames, "plan_positions").select(
        "plan_no", *WHO, "plan_id", "account_id", "created_on", "is_in_force"
    )
    return frame(frames, "plan_rules").join(plans, on="plan_no", how="inner", validate="1:1")
