"""The computation of a portfolio in Parquet files, by the tree that this process runs in: the present one or the first version.

`python benchmarks/computing.py positions FOLDER` computes positions with delinquency, `all` also the schedules of the
plans' own rules, pairs, differences, reasons and all checks; `again` the same with the reasons that `all` left behind. What the store would say comes from the files of
`portfolio.py`; all else is that of an empty warehouse. The last line of the output is JSON.
"""

import importlib.util
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

AS_OF = date(2026, 6, 30)
IS_FIRST = importlib.util.find_spec("flows.portfolio") is not None
CONFIGURATION = """
[warehouse]
path = "{here}/planrecon.duckdb"
state_dir = "{here}/state"
[reports]
dir = "{here}/reports"
[providers.payt]
client_id = "none"
client_secret = "none"
[providers.totality]
base_url = "http://127.0.0.1:9"
client_id = "none"
client_secret = "none"
calendar = "US"
[providers.payiq]
base_url = "http://127.0.0.1:9"
api_key = "none"
signing_secret = "none"
accounts_file = "{here}/accounts.csv"
calendar = "US"
"""


@contextmanager
def empty_warehouse() -> Iterator[tuple[duckdb.DuckDBPyConnection, Any]]:
    """Yield a connection to a warehouse in which nothing was ever loaded, and the settings."""
    if IS_FIRST:
        from flows.settings import load
    else:
        from flows.configuration import load
    from sql.warehouse import Warehouse

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "planrecon.toml"
        config.write_text(CONFIGURATION.format(here=Path(folder).as_posix()), encoding="utf-8")
        (Path(folder) / "accounts.csv").write_text("CustomerToken,ReferenceNumber,OtherData\n", encoding="utf-8")
        settings = load(config)
        (Path(folder) / "state").mkdir()
        (Path(folder) / "reports").mkdir()
        with Warehouse.open(settings.warehouse.path, state_dir=settings.warehouse.state_dir) as warehouse:
            yield warehouse.con, settings


def stored(images: Any, folder: Path) -> Callable[[pl.Series], pl.DataFrame]:
    """Let `images` tell of plans, payments and rules what the files say; return what reads the terms of some plans."""
    from schemas import core, schedules

    def read(name: str, table: Any) -> pl.DataFrame:
        return shaped(pl.read_parquet(folder / f"{name}.parquet"), table)

    def terms(_con: object, _known: object, plan_nos: pl.Series) -> pl.DataFrame:
        found = pl.scan_parquet(folder / "terms.parquet").filter(
            pl.col("plan_no").is_between(plan_nos.min(), plan_nos.max())
        )
        return shaped(found.collect(), core.TERMS)

    before = images.completeness
    images.plans = lambda *_: read("plans", core.PLANS)
    images.payments = lambda *_: read("payments", core.PAYMENTS)
    images.plan_rules = lambda *_: read("plan_rules", schedules.PLAN_RULES)
    images.completeness = lambda con, known: complete(before(con, known), read("plans", core.PLANS))
    images.terms = terms
    return lambda plan_nos: terms(None, None, plan_nos)


def complete(empty: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return that plans and terms of every tenant came in whole, as the tree's store says it."""
    entities = pl.DataFrame({"entity": ["plans", "terms", "payments", "accounts"]})
    said = plans.select("provider", "tenant_id").unique().sort("provider").join(entities, how="cross")
    said = said.with_columns(complete=pl.lit(value=True), fresh_at=pl.lit(AS_OF).cast(empty.schema["fresh_at"]))
    return pl.concat([empty, said.select((pl.col(name).cast(dtype) for name, dtype in empty.schema.items()))])


def shaped(frame: pl.DataFrame, table: Any) -> pl.DataFrame:
    """Return the frame as the tree's own table has it, columns that the files do not have null."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in table.dtypes.items()
    )


class Written:
    """Counts results and writes them as Parquet, a file for each part."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.parts, self.terms = folder, 0, 0

    def add(self, terms: pl.DataFrame) -> None:
        self.parts, self.terms = self.parts + 1, self.terms + terms.height
        terms.write_parquet(self.folder / f"terms-{self.parts}.parquet", compression="zstd", compression_level=1)

    def result(self, plans: pl.DataFrame, breaks: pl.DataFrame | None = None) -> dict[str, Any]:
        """Write the plans and return what was found, to be held against the manifest."""
        plans.write_parquet(self.folder / "plans.parquet", compression="zstd", compression_level=1)
        found = {
            "plans": plans.height,
            "terms": self.terms,
            "received": int(plans["received_minor"].sum()),
            "overdue": int(plans["overdue_minor"].sum()),
        }
        return found if breaks is None else found | {"breaks": dict(sorted(Counter(breaks["code"]).items()))}


def everything(folder: Path, written: Written, *, again: bool = False) -> dict[str, Any]:
    """Compute the whole portfolio part by part."""
    with empty_warehouse() as (con, settings):
        if IS_FIRST:
            return _first_version(folder, written, con, settings)
        return _present(folder, written, con, settings, again=again)


def _present(
    folder: Path, written: Written, con: duckdb.DuckDBPyConnection, settings: Any, *, again: bool
) -> dict[str, Any]:
    from flows.steps import inputs
    from flows.steps.compute import assemble, compute_part, in_question, parts_of, together
    from flows.steps.remembering import remember, remembered

    terms_of = stored(inputs.images, folder)
    known = inputs.read_inputs(con, 0, as_of=AS_OF, settings=settings)
    if again:
        known = replace(known, reasons=remembered(folder))
    kept = in_question(known)

    def computed() -> Iterator[Any]:
        for plan_nos in parts_of(known.plans):
            part = compute_part(known, plan_nos, terms_of(plan_nos))
            written.add(part.terms)
            yield part.reduced(kept)

    whole = together(list(computed()))
    result = assemble(known, whole)
    remember(folder, known.reasons, [whole.reasons])
    return written.result(result.plans, result.breaks)


def _first_version(folder: Path, written: Written, con: duckdb.DuckDBPyConnection, settings: Any) -> dict[str, Any]:
    from flows import portfolio

    stored(portfolio.images, folder)
    known = portfolio.Portfolio(con, 0, AS_OF, settings.rules(), settings.conventions(), settings.calendars())
    for terms in known.parts():
        written.add(terms)
    plans = known.plans()
    breaks, _ = known.checked(plans, known.payments())
    return written.result(plans, breaks)


def positions_alone(folder: Path, written: Written) -> dict[str, Any]:
    """Compute positions with delinquency, part by part where the tree does, and nothing of schedules or checks."""
    from schemas import core

    plans, payments = (
        shaped(pl.read_parquet(folder / f"{table.name}.parquet"), table) for table in (core.PLANS, core.PAYMENTS)
    )
    size, located, computed = _placed(plans, payments)
    found = []
    for start in range(0, plans.height, size):
        part = located.plans.sort("plan_no").slice(start, size)
        within = pl.col("plan_no").is_between(part["plan_no"].min(), part["plan_no"].max())
        terms = shaped(pl.scan_parquet(folder / "terms.parquet").filter(within).collect(), core.TERMS)
        made = computed(part, terms, located.payments.filter(within))
        written.add(made.terms)
        found.append(made.plans)
    return written.result(pl.concat(found))


def _placed(plans: pl.DataFrame, payments: pl.DataFrame) -> tuple[int, Any, Callable[..., Any]]:
    """Return the size of a part, plans and payments of the date, and what computes the positions of a part."""
    from schemas.core import PLAN_ACCOUNTS

    names = plans["provider"].unique()
    if IS_FIRST:
        from flows.portfolio import PART
        from schemas.rules import Rules
        from transforms.locate import locate

        from transforms.positions import compute

        means: dict[str, Any] = {"as_of": AS_OF, "rules": {name: Rules() for name in names}}
        return PART, locate(plans, payments, PLAN_ACCOUNTS.empty(), **means), partial(compute, **means)
    from flows.steps.compute import PART
    from schemas.options import Options, OutcomeRules
    from transforms.delinquency.pauses import NO_PAUSES
    from transforms.judging import Judging
    from transforms.location.locate import locate
    from transforms.positions import compute

    options = {name: Options() for name in names}
    judging = Judging(AS_OF, options, NO_PAUSES, OutcomeRules())
    located = locate(plans, payments, PLAN_ACCOUNTS.empty(), as_of=AS_OF, options=options)
    return PART, located, partial(compute, judging=judging)


WAYS: dict[str, Callable[[Path, Written], dict[str, Any]]] = {
    "positions": positions_alone,
    "all": everything,
    "again": partial(everything, again=True),
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as out:
        print(json.dumps(WAYS[sys.argv[1]](Path(sys.argv[2]), Written(Path(out)))))
