"""One run of the program in a process of its own, its stages measured; prints one JSON object.

`python -m benchmarks.job planrecon.toml 2026-06-30T21:00` runs the whole job, with the program's
clock set to that moment (UTC); the as-of date is its day.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.meter import Meter, Spent

STARTED = time.perf_counter()


def main(config: Path, moment: datetime) -> dict[str, Any]:
    """Run the job; return what each stage used, the rows received and the sizes of the files left behind."""
    from flows import log
    from flows.configuration import load
    from flows.steps.pipeline import reconcile_portfolio
    from flows.steps.request import Request
    from flows.steps.runners import Direct

    log.configure()
    log.LOGGER.setLevel("WARNING")
    settings = load(config)
    meter = measured(moment)
    meter.stages["start"] = Spent(time.process_time(), time.perf_counter() - STARTED)
    finished = reconcile_portfolio(Request(settings, moment.date()), Direct())
    meter.charge()
    return {
        "state": finished.state,
        "stages": {name: spent.as_dict() for name, spent in meter.stages.items()},
        "rows": received(finished.folder),
        "store": settings.warehouse.path.stat().st_size,
        "reports": sum(file.stat().st_size for file in finished.folder.iterdir()),
        "totals": totals(finished.folder),
    }


def measured(moment: datetime) -> Meter:
    """Set the program's clock and put its functions under their stages."""
    from flows import clock
    from flows.steps import compute, inputs, loading, pipeline, publish, waiting
    from flows.steps.spread import parts

    began = time.perf_counter()
    clock.now = lambda: moment + timedelta(seconds=time.perf_counter() - began)  # type: ignore[assignment]  # a set clock
    clock.today = lambda _zone: moment.date()  # type: ignore[assignment]  # the same
    meter = Meter()
    meter.wrap(pipeline, "fetch", "pull")
    meter.wrap(loading, "received", "decode")
    meter.wrap(waiting, "load_snapshot", "load")
    meter.wrap(publish, "read_inputs", "read")
    meter.wrap(parts.images, "terms", "read")
    meter.wrap(inputs, "locate", "compute")
    meter.wrap(parts, "compute_part", "compute")
    meter.wrap(publish, "assemble", "compute")
    meter.wrap(compute, "run merge_results plans_in_question", "checks")
    meter.wrap(publish, "live", "checks")
    meter.wrap(pipeline, "publish", "publish")
    return meter


def received(folder: Path) -> int:
    """Return the rows the providers sent that this run counted: plans, terms, payments, accounts, policies."""
    import polars as pl

    counts = pl.read_parquet(folder / "integrity.parquet")
    return int(counts["fetched"].sum())


def totals(folder: Path) -> dict[str, Any]:
    """Return rows and sums of the terms, to see that two runs say the same."""
    import polars as pl

    terms = pl.read_parquet(folder / "terms.parquet")
    return {"terms": terms.height, "outstanding": str(terms["outstanding"].sum())}


if __name__ == "__main__":
    given = datetime.fromisoformat(sys.argv[2]).replace(tzinfo=UTC)
    print(json.dumps(main(Path(sys.argv[1]), given)))
