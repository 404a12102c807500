"""From settings to provider clients: connections, the list of PayIQ accounts, tenants to pull."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flows import clock, log
from flows.errors import SettingsError
from flows.given import Line, read_table
from flows.kept_token import KeptToken
from flows.settings import PayiqSettings, PaytSettings, ProviderSettings, Settings
from providers import PROVIDERS
from providers.base import AccountRef, Client, Connection

ACCOUNT_COLUMNS = ("CustomerToken", "ReferenceNumber", "OtherData")


def connect(name: str, section: ProviderSettings, *, state_dir: Path) -> Client:
    """Return a client for one provider; its secrets are known to the log from here on.

    A refresh token that the provider replaces is kept below `state_dir`, because the
    configured one is worthless from then on.
    """
    connection = connection_of(section, kept=state_dir / "secrets" / f"{name}.refresh_token")
    log.hide(connection.secrets())
    return PROVIDERS[name].connect(connection, clock=clock.now)


def connection_of(section: ProviderSettings, *, kept: Path) -> Connection:
    """Translate one provider's section; secrets are read from their files here."""
    payiq = section if isinstance(section, PayiqSettings) else None
    payt = section if isinstance(section, PaytSettings) else None
    refresh_token = payt.secret("refresh_token") if payt else None
    return Connection(
        base_url=section.base_url,
        token=section.secret("token"),
        client_id=section.client_id,
        client_secret=section.secret("client_secret"),
        refresh_token=refresh_token,
        kept=KeptToken(kept, refresh_token) if refresh_token else None,
        token_url=section.token_url,
        api_key=payiq.secret("api_key") if payiq else None,
        signing_secret=payiq.secret("signing_secret") if payiq else None,
        role=payiq.role if payiq else None,
        requests_per_second=section.requests_per_second,
        page_size=section.page_size,
        ca_file=str(section.ca_file) if section.ca_file else None,
        byte_budget=int(section.byte_budget_mb * 2**20),
        sweep_seconds=section.sweep_minutes * 60,
        administrations=tuple(payt.administrations) if payt else ("*",),
        fields=payt.fields if payt else True,
        accounts=tuple(accounts_of(payiq.accounts_file)) if payiq else (),
        overrides=section.assumed,
    )


def accounts_of(file: Path | None) -> list[AccountRef]:
    """Read the accounts to ask PayIQ about, in file order; its API lists no customers.

    Raises:
        SettingsError: no file is set, it cannot be read, a column is missing or a row is empty.
    """
    if file is None:
        raise SettingsError(
            "providers.payiq.accounts_file is not set; PayIQ lists no customers, name a CSV with "
            + ",".join(ACCOUNT_COLUMNS)
        )
    lines = read_table(file, ACCOUNT_COLUMNS, required=ACCOUNT_COLUMNS, error=SettingsError)
    return [_account(line) for line in lines]


def _account(line: Line) -> AccountRef:
    token, reference, other = (line.cells.get(name, "") for name in ACCOUNT_COLUMNS)
    if not token:
        raise SettingsError(f"accounts_file {line.place} has no CustomerToken; fill it or remove the line")
    return AccountRef(customer_token=token, reference_number=reference, other_data=other)


def tenant_of(name: str, section: ProviderSettings) -> str:
    """Return the tenant of a provider that has one: as configured, else as the provider's pages suggest."""
    if section.tenant:
        return section.tenant
    if isinstance(section, PayiqSettings):
        return name
    return urlsplit(section.base_url).hostname or name


def wanted_tenants(name: str, section: ProviderSettings, listed: Sequence[str] | None) -> list[str]:
    """Return the tenants to pull: the configured ones of those the provider lists, its only one where it lists none.

    Raises:
        SettingsError: the provider shows to these credentials no administration, or not a configured one.
    """
    if listed is None:
        return [tenant_of(name, section)]
    if not listed:
        raise SettingsError(f"providers.{name}: these credentials see no administration; grant them access to one")
    asked = section.administrations if isinstance(section, PaytSettings) else ["*"]
    if "*" in asked:
        return list(listed)
    for tenant in asked:
        if tenant not in listed:
            shown = ", ".join(listed)
            raise SettingsError(f"providers.{name}.administrations names {tenant!r}; these credentials see {shown}")
    return list(asked)


def chosen(settings: Settings, names: tuple[str, ...]) -> dict[str, ProviderSettings]:
    """Return the sections to pull.

    Raises:
        SettingsError: nothing is configured, or a name is no configured provider.
    """
    configured = settings.providers.configured()
    if not configured:
        raise SettingsError(
            "no provider is configured; add a [providers.payt], [providers.totality] or [providers.payiq] section"
        )
    for name in names:
        if name not in configured:
            raise SettingsError(f"provider {name!r} is not configured; configured are {', '.join(configured)}")
    return {name: section for name, section in configured.items() if not names or name in names}
