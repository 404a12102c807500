"""Errors that end a command, each with the exit code and the stable class a script can rely on.

    PlanreconError
    ├── SettingsError      2  configuration
    ├── NothingRead        2  provider_unreachable
    ├── NothingPublished   2  usage
    ├── GateError          3  gate_stopped_publication
    └── Stopped      130/143  stopped

A provider's own errors are in `providers.errors`; the lock's in `sql.lock`.
"""


class PlanreconError(Exception):
    """Something ended the command; the text says what, where, the value and what to do."""

    exit_code = 2
    code = "internal"


class SettingsError(PlanreconError):
    """The configuration cannot be used."""

    code = "configuration"


class UsageError(PlanreconError):
    """The command was asked for something that cannot be."""

    code = "usage"


class NothingRead(PlanreconError):  # noqa: N818  the word says what happened
    """No provider could be read."""

    code = "provider_unreachable"


class GateError(PlanreconError):
    """A gate stopped publication; what was published before stays."""

    exit_code = 3
    code = "gate_stopped_publication"
