"""Whoever reads `latest` at any moment of a publication sees one whole published run, the old one or the new one."""

import hashlib
import json
import sys
from datetime import date

import pytest

from reports.publish import Staging, point_latest, reseal

DAY = date(2026, 11, 20)
STEPS = {"open", "os.rename", "os.remove", "os.symlink", "os.mkdir", "os.rmdir", "shutil.rmtree", "os.chmod"}
"""What a program can do to the disk that readers could notice; the interpreter tells of each before it happens."""


class Watch:
    """Calls a reader before every step on the disk; hooks of the interpreter stay, so one serves all tests."""

    reader = None

    def __call__(self, event, arguments):
        if event in STEPS and self.reader is not None:
            reader, self.reader = self.reader, None  # what the reader itself does is not a step
            try:
                reader()
            finally:
                self.reader = reader


WATCH = Watch()


@pytest.fixture(scope="module", autouse=True)
def _watching():
    sys.addaudithook(WATCH)


def publish(reports, number):
    staging = Staging(reports, DAY, f"r{number}")
    for name in ("plans.csv", "terms.csv"):
        (staging.path / name).write_text(f"{number}\n")
    folder = staging.settle()
    staging.seal(manifest(folder, number))
    point_latest(reports, folder)
    return folder


def manifest(folder, number):
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


def test_readers_between_any_two_steps_of_publications_see_one_whole_run(tmp_path):
    reports, seen, known = tmp_path / "reports", [], [1]
    publish(reports, 1)

    def read():
        folder = (reports / "latest").resolve(strict=True)
        told = json.loads((folder / "manifest.json").read_text())
        assert told["state"] == "PUBLISHED"
        for file in told["files"]:
            assert hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() == file["sha256"]
        assert told["number"] in {known[0], known[0] - 1}
        seen.append(told["number"])

    for number in range(2, 12):
        known[0] = number
        WATCH.reader = read
        try:
            publish(reports, number)
        finally:
            WATCH.reader = None
    assert len(seen) > 100
    assert seen == sorted(seen)


def test_a_file_of_a_published_folder_is_described_anew_without_a_moment_without_a_manifest(tmp_path):
    folder = publish(tmp_path / "reports", 1)
    (folder / "plans.csv").write_text("replaced\n")
    seen = []
    WATCH.reader = lambda: seen.append(json.loads((folder / "manifest.json").read_text())["number"])
    try:
        reseal(folder, "plans.csv")
    finally:
        WATCH.reader = None
    assert set(seen) == {1}
    told = json.loads((folder / "manifest.json").read_text())["files"]
    assert told[0]["sha256"] == hashlib.sha256(b"replaced\n").hexdigest()
