"""Whoever reads `latest` at any moment of a publication sees one whole published run, the old one or the new one."""

import hashlib
import json
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from storm.forked import makers
from storm.publications import publish, publish_on, shown
from storm.sweep import SEED, STEP

from reports.publish import reseal

KILLS = 200 if STEP else 20
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


def test_readers_between_any_two_steps_of_publications_see_one_whole_run(tmp_path):
    reports, seen, known = tmp_path / "reports", [], [1]
    publish(reports, 1)

    def read():
        seen.append(shown(reports))
        assert seen[-1] in {known[0], known[0] - 1}

    for number in range(2, 12):
        known[0] = number
        WATCH.reader = read
        try:
            publish(reports, number)
        finally:
            WATCH.reader = None
    assert len(seen) > 100
    assert seen == sorted(seen)


def test_readers_a_hundred_times_a_second_see_one_whole_run_however_often_its_writer_is_killed(tmp_path):
    reports, seen, over = tmp_path / "reports", [], threading.Event()
    publish(reports, 1)

    def read_on():
        while not over.wait(0.01):
            seen.append(shown(reports))

    draw = random.Random(SEED)
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read_on)
        try:
            for number in range(1, KILLS + 1):
                writer = makers().Process(target=publish_on, args=(reports, 1000 * number))
                writer.start()
                while shown(reports) < 1000 * number and writer.is_alive():
                    time.sleep(0.01)
                time.sleep(draw.random() * 0.03)
                writer.kill()
                writer.join()
                assert writer.exitcode == -signal.SIGKILL
        finally:
            over.set()
        reader.result()
    assert seen == sorted(seen)
    assert len(list(reports.glob("as_of=*/*/manifest.json"))) > KILLS


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
