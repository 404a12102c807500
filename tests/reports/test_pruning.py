"""Old run folders lose what grows with the portfolio, and are whole or pruned at any time, never in between."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from reports import pruning
from reports.manifest import is_whole, verify
from reports.pruning import prune

NAMES = ("aging.csv", "plans.csv", "plans.parquet", "read.duckdb", "report.html", "reports.xlsx", "summary.json")
NAMES = (*NAMES, *(f"{name}.{kind}" for name in ("terms", "payments") for kind in ("csv", "parquet")))
KEPT = {"aging.csv", "plans.parquet", "report.html", "summary.json", "manifest.json"}
BEFORE = datetime(2026, 6, 20, tzinfo=UTC)


def run_folder(reports_dir, day, *, below="", state="PUBLISHED"):
    """A sealed run folder of a June day that began in its evening; its tables are not looked into."""
    run_id = f"202606{day:02d}T200000000000Z"
    folder = reports_dir / below / f"as_of=2026-06-{day:02d}" / run_id
    folder.mkdir(parents=True)
    files = []
    for name in NAMES:
        body = f"{name} of {day}".encode()
        (folder / name).write_bytes(body)
        files.append({"name": name, "rows": None, "bytes": len(body), "sha256": sha256(body).hexdigest()})
    told = {"state": state, "run_id": run_id, "run_key": "", "as_of": f"2026-06-{day:02d}", "known_load": 1}
    told |= {
        "known_at": f"2026-06-{day:02d}T20:00:00Z",
        "code_version": "1",
        "started_at": f"2026-06-{day:02d}T20:00:00Z",
    }
    told |= {"current_rows": {}, "files": files, "tables": {}, "of_later": 7}
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def folders(tmp_path):
    found = {day: run_folder(tmp_path, day) for day in (10, 19, 21)}
    found["held"] = run_folder(tmp_path, 11, below="held", state="HELD")
    (tmp_path / "latest").symlink_to(found[10].relative_to(tmp_path), target_is_directory=True)
    return found


def test_runs_that_began_before_lose_their_large_files_and_the_latest_does_not(tmp_path, folders):
    large = [folders[19] / name for name in (*NAMES, "manifest.json") if name not in KEPT]
    size = sum(path.stat().st_size for path in large)
    done = prune(tmp_path, before=BEFORE)
    assert (done.folders, done.size) == (2, 2 * size)
    assert {day: names(folder) == KEPT for day, folder in folders.items()} == {
        10: False,
        19: True,
        21: False,
        "held": True,
    }
    assert {day: is_whole(folder) for day, folder in folders.items()} == {10: True, 19: False, 21: True, "held": False}
    told = json.loads((folders[19] / "manifest.json").read_bytes())
    assert set(told["pruned"]) == set(NAMES) - KEPT
    assert told["of_later"] == 7
    assert verify(folders[19]).run_id == folders[19].name
    assert prune(tmp_path, before=BEFORE) == pruning.Pruned()
    began = datetime(2026, 6, 21, 20, tzinfo=UTC)  # of the run of the 21st itself
    assert prune(tmp_path, before=began) == pruning.Pruned()


@pytest.mark.parametrize("removed", [None, 0, 3])
def test_one_that_was_stopped_leaves_the_folder_good_and_is_finished_the_next_time(
    tmp_path, folders, monkeypatch, removed
):
    unlink, left = Path.unlink, []

    def stop(*_given):
        raise KeyboardInterrupt

    def remove(path):
        if len(left) == removed:
            stop()
        left.append(path)
        unlink(path)

    with monkeypatch.context() as stopped:
        if removed is None:
            stopped.setattr(pruning, "replace_manifest", stop)
        else:
            stopped.setattr(Path, "unlink", remove)
        with pytest.raises(KeyboardInterrupt):
            prune(tmp_path, before=BEFORE)
    verify(folders[19])
    assert len(names(folders[19])) == len(NAMES) + 1 - (removed or 0)
    later = prune(tmp_path, before=BEFORE)
    assert (later.folders, names(folders[19])) == (2, KEPT)


def test_a_damaged_folder_and_one_without_a_manifest_are_left_alone(tmp_path, folders):
    (folders[19] / "manifest.json").write_text("{", encoding="utf-8")
    (folders["held"] / "manifest.json").unlink()
    assert prune(tmp_path, before=BEFORE).folders == 0
    assert prune(tmp_path / "none", before=BEFORE).folders == 0
