"""Errors that end a command, each with the exit code and the stable class a script can rely on.

    PlanreconError
    ├── SettingsError   2  configuration
    ├── UsageError      2  usage
    ├── NothingRead     2  provider_unreachable
    └── StoredDataDamaged  2  stored_data_damaged

A provider's own errors are in `providers.errors`, the store's in `sql.errors`, a change's in `writes.errors`. A held
run is no error: it ends with 3.
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


class StoredDataDamaged(PlanreconError):  # noqa: N818  the word says what happened
    """What lies on disk is not what was written; the lines printed before say where, and what to do."""

    code = "stored_data_damaged"
