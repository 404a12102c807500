"""Options that several commands take, with their help."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from providers import PROVIDERS
from schemas import words

Format = Literal["table", "csv", "json"]
if TYPE_CHECKING:
    ProviderName = str
else:
    ProviderName = Literal[tuple(PROVIDERS)]
Config = Annotated[
    Path | None, Parameter(help="Configuration file; `planrecon.toml` where there is one, else the environment alone.")
]
AsOf = Annotated[
    date | None, Parameter(help="Civil date whose end the figures describe; today in the reporting time zone.")
]
KnownAt = Annotated[datetime | None, Parameter(help="Use only what was known by then (UTC unless an offset is given).")]
FailOn = Annotated[
    words.FailOn | None, Parameter(help="Exit 1 from this severity of open break; `never` turns it off.")
]
Raw = Annotated[
    bool,
    Parameter(
        negative="", help="For machines: texts as they are, also what would move a cursor or run in a spreadsheet."
    ),
]
