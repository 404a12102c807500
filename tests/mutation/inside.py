"""A plugin for the tests of a copy of the tree: what they import is the copy, and what cannot be imported catches nothing."""

from importlib.util import find_spec
from pathlib import Path

import pytest

ROOMS = ("checks", "flows", "providers", "reports", "sandbox", "schemas", "sql", "transforms", "writes")
NOT_COLLECTED = 9
"""Exit status where a test file could not be read: the bug broke more than a promise."""


class Inside:
    unread = False

    def pytest_configure(self, config):
        elsewhere = [
            room
            for room in ROOMS
            if not (spec := find_spec(room)) or not Path(str(spec.origin)).is_relative_to(config.rootpath)
        ]
        if elsewhere:
            raise pytest.UsageError(f"not imported from {config.rootpath}: {', '.join(elsewhere)}")

    def pytest_collectreport(self, report):
        self.unread |= report.failed

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self.unread:
            session.exitstatus = NOT_COLLECTED


def pytest_configure(config):
    inside = Inside()
    inside.pytest_configure(config)
    config.pluginmanager.register(inside)
