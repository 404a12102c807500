"""A peer with packages that are no dependencies: positions in pandas, by an environment of its own.

Run by that environment's Python as a script: it can import nothing of the program.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGES = ("pandas==3.1.1", "pyarrow==26.0.1")
AS_OF = "2026-06-30"


def environment(folder: Path) -> str | None:
    """Make the environment once; return its Python, null where the packages cannot be installed."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        uv = Path(sys.executable).with_name("uv")
        commands = ([uv, "venv", "-q", folder], [uv, "pip", "install", "-q", "-p", python, *PACKAGES])
        if not uv.exists() or any(
            subprocess.run(each, capture_output=True, check=False).returncode for each in commands
        ):
            return None
        (folder / "ready").touch()
    return str(python)


def positions(folder: Path, out: Path) -> dict[str, Any]:
    """Spread what was received over the terms, as pandas' own guide would: group, cumulate, clip."""
    import pandas as pd

    plans, terms, payments = (pd.read_parquet(folder / f"{name}.parquet") for name in ("plans", "terms", "payments"))
    paid = payments.groupby("account_no")["amount_minor"].sum().rename("paid")
    plans = plans.merge(paid, left_on="account_no", right_index=True, how="left").fillna({"paid": 0})
    terms = terms.merge(plans[["plan_no", "paid"]], on="plan_no", how="left").sort_values(["plan_no", "due_date"])
    before = terms.groupby("plan_no")["amount_minor"].cumsum() - terms["amount_minor"]
    left = (terms["paid"] - before).clip(lower=0)
    terms["received"] = left.where(left < terms["amount_minor"], terms["amount_minor"]).astype("int64")
    terms["outstanding"] = terms["amount_minor"] - terms["received"]
    due = pd.to_datetime(terms["due_date"])
    late = (due < AS_OF) & (terms["outstanding"] > 0)
    terms["overdue"] = terms["outstanding"].where(late, 0)
    terms["days"] = (pd.Timestamp(AS_OF) - due).dt.days.where(late, 0)
    of_plans = terms.groupby("plan_no").agg(
        received=("received", "sum"), overdue=("overdue", "sum"), days=("days", "max")
    )
    terms.to_parquet(out / "terms.parquet", compression="zstd")
    of_plans.to_parquet(out / "plans.parquet", compression="zstd")
    sums = {name: int(of_plans[name].sum()) for name in ("received", "overdue")}
    return {"plans": len(of_plans), "terms": len(terms), **sums}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as made_here:
        print(json.dumps(positions(Path(sys.argv[1]), Path(made_here))))
