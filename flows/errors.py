"""Errors that end a command, each with the exit code and the stable class a script can rely on.

    PlanreconError
    ├── SettingsError   2  configuration
    ├── UsageError      2  usage
    ├── NothingRead     2  provider_unreachable, or what all providers failed with
    ├── OrchestratorUnreachable  2  orchestrator_unreachable
    └── StoredDataDamaged  2  stored_data_damaged

A provider's own errors are in `providers.errors`, the store's in `sql.errors`, a change's in `writes.errors`. A held
run is no error: it ends with 3.
"""

from collections.abc import Iterable


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
    """No provider could be read; `codes` are those of what went wrong, and the code is theirs where they agree."""

    code = "provider_unreachable"

    def __init__(self, text: str, codes: Iterable[str] = ()) -> None:
        super().__init__(text)
        one = set(codes)
        self.code = one.pop() if len(one) == 1 else type(self).code


class OrchestratorUnreachable(PlanreconError):  # noqa: N818  the word says what happened
    """The configured Prefect API cannot be used; without one the same run works."""

    code = "orchestrator_unreachable"


class StoredDataDamaged(PlanreconError):  # noqa: N818  the word says what happened
    """What lies on disk is not what was written; the lines printed before say where, and what to do."""

    code = "stored_data_damaged"
