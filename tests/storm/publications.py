"""Small runs that are published one after another, and what a reader may see of them at any moment."""

import hashlib
import json
import os
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from storm.boundaries import Boundaries

from reports.facts import RunFacts
from reports.publish import Staging, point_latest
from reports.run import RunWriter

DAY = date(2026, 6, 30)


def publish(reports: Path, number: int) -> Path:
    """Publish the run of that number; its files hold nothing else."""
    staging = Staging(reports, DAY, f"r{number}")
    for name in ("plans.csv", "terms.csv"):
        (staging.path / name).write_text(f"{number}\n")
    folder = staging.settle()
    staging.seal(_manifest(folder, number))
    point_latest(reports, folder)
    return folder


def publish_on(reports: Path, first: int) -> None:
    """Publish one run after another, until this process is killed."""
    for number in count(first):
        publish(reports, number)


def publish_and_die(reports: Path, run_id: str, kill_at: int) -> None:
    """Publish a whole empty run in this process, which ends at a boundary or with the number of those it came to."""
    boundaries = Boundaries(kill_at)
    boundaries.watch()
    with RunWriter(reports, as_of=DAY, run_id=run_id, formats={"csv"}) as writer:
        began = datetime(2026, 6, 30, 4, tzinfo=UTC)
        writer.finish(RunFacts(run_id, "k", DAY, began, began, 1, "0.1.0", "PUBLISHED"))
        writer.publish()
    os._exit(boundaries.passed)


def shown(reports: Path) -> int:
    """Return the number of the run that readers are shown; raise where it is not one whole published run."""
    folder = (reports / "latest").resolve(strict=True)
    told = json.loads((folder / "manifest.json").read_text())
    assert told["state"] == "PUBLISHED"
    for file in told["files"]:
        body = (folder / file["name"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
        assert body == f"{told['number']}\n".encode()
    return int(told["number"])


def _manifest(folder: Path, number: int) -> str:
    files = [
        {
            "name": path.name,
            "rows": 1,
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.glob("*.csv"))
    ]
    told = dict.fromkeys(("run_id", "run_key", "known_at", "code_version", "started_at"), "x")
    told |= {"state": "PUBLISHED", "as_of": DAY.isoformat(), "number": number, "files": files, "tables": {}}
    return json.dumps(told | {"known_load": 1, "current_rows": {}})
