"""What makes something last is done in few places: no rename without its sync, no commit outside a transaction.

The counter of boundaries (`tests/storm/boundaries.py`) stands at these doors, too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "transforms", "checks", "providers", "sql", "reports", "writes", "flows")
FILES = {"sql/storage/files.py", "reports/publish.py"}
"""Reports know no other room, so they have a door of their own."""
DOORS = {
    "fsync": FILES,
    "move": FILES,
    "statement": {"sql/connection.py"},
    "request": {"providers/http/carrier.py"},
    "unseen": set(),
}
UNSEEN = {"fdatasync", "sync", "sendfile", "copy_file_range", "system", "posix_spawn"}
"""What the counter would not be told of."""
STATEMENTS = ("BEGIN", "COMMIT", "ROLLBACK", "CHECKPOINT")


def passed(source: str) -> Iterator[str]:
    """Yield the door that each step in `source` belongs at."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="fsync"):
                yield "fsync"
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in UNSEEN:
                yield "unseen"
            case ast.ImportFrom(module="os" | "fcntl" | "shutil"):
                yield "unseen"  # a name of its own would not be the one that is counted
            case ast.Attribute(value=ast.Name(id="os" | "shutil"), attr="rename" | "replace" | "renames" | "move"):
                yield "move"
            case ast.Call(func=ast.Attribute(attr="replace"), args=[ast.Name(id=name)], keywords=[]) if name.islower():
                yield "move"  # of texts two are replaced, of moments named parts, of columns by a table
            case ast.Call(func=ast.Attribute(attr="rename"), args=[ast.Name(id=target)], keywords=[]) if target in {
                "target",
                "final",
                "path",
                "folder",
            }:
                yield "move"
            case ast.Constant(value=str(text)) if text.split(" ")[0] in STATEMENTS and len(text.split(" ")) < 3:
                yield "statement"
            case ast.Attribute(attr="handle_request"):
                yield "request"


def test_each_step_that_makes_something_last_is_taken_at_its_door():
    found: dict[str, set[str]] = {door: set() for door in DOORS}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for door in passed(path.read_text(encoding="utf-8")):
            found[door].add(str(path.relative_to(ROOT)))
    assert found == DOORS


@pytest.mark.parametrize(
    ("source", "door"),
    [
        ("import os\nos.fsync(1)", "fsync"),
        ("import os\nos.replace(a, b)", "move"),
        ("draft.replace(path)", "move"),
        ("draft.rename(folder)", "move"),
        ("con.execute('COMMIT')", "statement"),
        ("from os import fsync", "unseen"),
        ("os.fdatasync(1)", "unseen"),
    ],
)
def test_a_step_beside_a_door_is_seen(source, door):
    assert list(passed(source)) == [door]
