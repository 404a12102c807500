"""The order of the tests: the rooms whose files take longest come first, so that none of them is left for the end."""

from pathlib import Path

SLOW = {"flows", "storm"}


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.relative_to(Path(__file__).parent).parts[0] not in SLOW)
