"""A plugin for the tests of a copy of the tree: what they import is the copy, and what cannot be imported catches nothing."""

from importlib.util import find_spec
from pathlib import Path

import pytest

ROOMS = ("checks", "flows", "providers", "reports", "sandbox", "schemas", "sql", "transforms", "writes")
NOT_COLLECTED = 9
"""Exit status where a test file could not be read: the bug broke more than a promise."""


def pytest_configure(config):
    specs = {room: find_spec(room) for room in ROOMS}
    elsewhere = [
        room
        for room, spec in specs.items()
        if spec is None or not Path(str(spec.origin)).is_relative_to(config.rootpath)
    ]
    if elsewhere:
        raise pytest.UsageError(f"not imported from {config.rootpath}: {', '.join(elsewhere)}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    errors = session.config.pluginmanager.get_plugin("terminalreporter").stats.get("error", ())
    if any(isinstance(error, pytest.CollectReport) for error in errors):
        session.exitstatus = NOT_COLLECTED
