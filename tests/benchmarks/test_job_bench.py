"""The run whose stages are measured: what is measured is named by its name, in a process of its own."""

import subprocess
import sys


def test_every_function_that_is_measured_is_still_there():
    measured = (
        "import datetime, benchmarks.job as job; job.measured(datetime.datetime(2026, 6, 30, tzinfo=datetime.UTC))"
    )
    done = subprocess.run([sys.executable, "-c", measured], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
