"""The morning page: one HTML file without further files, whole also where its script does not run.

One file per question, each with a template of its name in `templates/`; this one puts them together. The size does not
grow with the portfolio: long lists end with a note where the rest is, and are cut shorter where texts are long.
"""

import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from reports.digest import Digest
from reports.facts import RunFacts
from reports.page import aging, breaks, first, head, inline, lists, outlook, rates, since, trust
from reports.summary import Summary
from reports.texts import grouped, visible
from schemas.words import REPORT_FORMATS

MOST_BYTES = 500_000
"""Size of the page, whatever is in it."""
TEMPLATES = Path(__file__).parents[1] / "templates"
_SHOWN = 120
"""Characters of a foreign text in a table."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many rows of each work list, and of the other long tables, are shown."""

    listed: int
    others: int


_ROOMS = (Room(200, 60), Room(160, 60), Room(120, 60), Room(80, 40), Room(40, 20), Room(20, 10), Room(5, 5))
"""The page is the first of these that fits; the last does with the longest texts that are shown."""


def render(facts: RunFacts, summary: Summary, digest: Digest, formats: Collection[str] = REPORT_FORMATS) -> str:
    """Return the page. The same facts and figures give the same text; `run_id` is not in it."""
    pages = (_render(facts, summary, digest, formats, room) for room in _ROOMS)
    page = ""
    for page in pages:
        if len(page.encode()) <= MOST_BYTES:
            return page
    return page


def _render(facts: RunFacts, summary: Summary, digest: Digest, formats: Collection[str], room: Room) -> str:
    page: str = _template().render(
        policy=inline.policy(),
        script=inline.script(),
        summary=summary,
        most=room.others,
        files=_files(formats),
        **head.context(facts, summary, digest),
        **since.context(facts, summary, digest),
        **first.context(facts, summary, digest),
        **lists.context(facts, summary, digest, room.listed),
        **outlook.context(digest),
        **rates.context(digest, facts.as_of),
        **aging.context(facts, digest),
        **breaks.context(facts, summary, digest, room.others),
        **trust.context(summary, digest, room.others),
    )
    return page


def _files(formats: Collection[str]) -> dict[str, str]:
    """Return the files beside the page that readers are sent to, by what they hold; those not written are left out."""
    named = {"csv": "plans.csv", "breaks": "breaks.csv", "xlsx": "reports.xlsx"}
    return {what: name for what, name in named.items() if name.rpartition(".")[2] in formats}


class _Compiled(FileSystemBytecodeCache):
    """Keeps compiled templates beside their sources, as Python does with modules, and where Python would."""

    def __init__(self) -> None:
        # What another library, or other options below, compiled has another name and is not read.
        made_by = sha256(version("jinja2").encode() + Path(__file__).read_bytes()).hexdigest()[:16]
        super().__init__(str(TEMPLATES / "__pycache__"), f"{made_by}-%s.cache")

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # then it is compiled
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with suppress(OSError):  # the program may lie where it cannot write
                Path(self.directory).mkdir(exist_ok=True)
                super().dump_bytecode(bucket)


@cache
def _template() -> Any:
    """Return the page's template; it is compiled when its source was changed."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=_Compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"grouped": grouped, "visible": visible, "short": lambda text: visible(text, _SHOWN)}
    environment.tests["zero"] = lambda text: text is None or not text.strip("-0.")
    return environment.get_template("page.html")
