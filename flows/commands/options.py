"""Options that several commands take, with their help."""

from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from flows.errors import UsageError
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
Notify = Annotated[
    str | None,
    Parameter(
        help="Notification block, as `slack-webhook/morning`, through which a held, failed or crashed run and a morning without a completed one are told."
    ),
]
By = Annotated[str, Parameter(help="Time by which the daily run must have completed, in the zone of its schedule.")]
Raw = Annotated[
    bool,
    Parameter(
        negative="", help="For machines: texts as they are, also what would move a cursor or run in a spreadsheet."
    ),
]


def hour(text: str) -> time:
    """Return a time of day written as 08:00.

    Raises:
        UsageError: it is none.
    """
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--by {text!r} is no time of day; write it as 08:00") from error
