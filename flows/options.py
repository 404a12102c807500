"""Options that several commands take, with their help."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows import log

Format = Literal["table", "csv", "json"]
Severity = Literal["low", "medium", "high", "critical", "never"]
Config = Annotated[
    Path | None, Parameter(help="Configuration file; `planrecon.toml` where there is one, else the environment alone.")
]
AsOf = Annotated[
    date | None, Parameter(help="Civil date whose end the figures describe; today in the reporting time zone.")
]
LogFormat = Annotated[log.LogFormat, Parameter(help="How progress is written to standard error.")]
FailOn = Annotated[Severity | None, Parameter(help="Exit 1 from this severity of open break; `never` turns it off.")]
