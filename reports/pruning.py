"""Let run folders of long ago go without their large files: what they held can be computed again.

What stays: manifest, summary, page, the reports that are small whatever the portfolio, and `plans.parquet`, with which
later runs and restatements compare. The manifest is replaced first and names what is left out: a folder that was
stopped over is finished the next time, and is never taken for a damaged one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reports import manifest
from reports.errors import DamagedError
from reports.publish import LATEST, replace_manifest, run_folders

LARGE = ("terms", "payments", "plans", "accounts", "policies", "plan_accounts")
"""Tables that grow with the portfolio."""
LARGE_FILES = frozenset({f"{name}.{kind}" for name in LARGE for kind in ("csv", "parquet")}) - {"plans.parquet"} | {
    "reports.xlsx",
    "read.duckdb",
}


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many folders lost their large files, and how many bytes these had."""

    folders: int = 0
    size: int = 0


def prune(reports_dir: Path, *, before: datetime) -> Pruned:
    """Remove the large files of runs that began before that moment, published or held; never of the latest.

    Folders that are damaged, or have no manifest yet, are left alone.
    """
    if not reports_dir.is_dir():
        return Pruned()
    latest = (reports_dir / LATEST).resolve()
    folders = size = 0
    for folder in run_folders(reports_dir):
        if folder.resolve() == latest or not manifest.is_sealed(folder):
            continue
        try:
            freed = _prune_one(folder, before)
        except DamagedError:
            continue  # the verification reports it
        folders, size = folders + bool(freed), size + freed
    return Pruned(folders, size)


def _prune_one(folder: Path, before: datetime) -> int:
    """Return the bytes that were freed."""
    told = manifest.described(folder)
    if "pruned" not in told:
        began = datetime.fromisoformat(told["started_at"]).astimezone(UTC)
        names = [file["name"] for file in told["files"] if file["name"] in LARGE_FILES]
        if began >= before or not names:
            return 0
        left = [file for file in told["files"] if file["name"] not in LARGE_FILES]
        told |= {"files": left, "pruned": names}
        replace_manifest(folder, told)
    freed = 0
    for path in (folder / name for name in told["pruned"]):
        if path.is_file() and not path.is_symlink():
            freed += path.stat().st_size
            path.unlink()
    return freed
