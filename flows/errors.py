"""Errors that end a command, each with the exit code and the stable class a script can rely on.

    PlanreconError
    ├── SettingsError   2  configuration
    │   └── SecretError    of one provider
    ├── UsageError      2  usage
    ├── NothingRead     2  provider_unreachable, or what all providers failed with
    ├── OrchestratorUnreachable  2  orchestrator_unreachable
    ├── ClusterLost     2  cluster_lost
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


class SecretError(SettingsError):
    """A secret of one provider cannot be used; the others do not need it."""


class UsageError(PlanreconError):
    """The command was called with arguments that cannot be used."""

    code = "usage"


TO_DO = ("configuration", "not_permitted", "contract", "provider_protocol", "provider_unreachable")
"""Codes of what keeps providers from being read: first what only a person can mend, last what may pass by itself."""


class NothingRead(PlanreconError):  # noqa: N818  the word says what happened
    """No provider could be read; `codes` are those of what went wrong, the code is the one that waits for a person first."""

    code = "provider_unreachable"

    def __init__(self, text: str, codes: Iterable[str] = ()) -> None:
        super().__init__(text)
        found = set(codes)
        self.code = next((code for code in TO_DO if code in found), min(found, default=type(self).code))


class OrchestratorUnreachable(PlanreconError):  # noqa: N818  the word says what happened
    """The configured Prefect API cannot be used; without one the same run works."""

    code = "orchestrator_unreachable"


class ClusterLost(PlanreconError):  # noqa: N818  the word says what happened
    """A Dask cluster that could be used when the run began did not compute a part of it."""

    code = "cluster_lost"


class StoredDataDamaged(PlanreconError):  # noqa: N818  the word says what happened
    """What lies on disk is not what was written; the lines printed before say where, and what to do."""

    code = "stored_data_damaged"
