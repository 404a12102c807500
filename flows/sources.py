"""From settings to provider clients: connections, lists of accounts, tenants to pull."""

from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flows import clock, log
from flows.errors import SettingsError
from flows.given import Line, read_table
from flows.kept_token import KeptToken
from flows.settings import ProviderSettings, Settings, sections_to_add
from providers import PROVIDERS
from providers.base import AccountRef, Client, Connection


def connect(name: str, section: ProviderSettings, *, state_dir: Path) -> Client:
    """Return a client for one provider; its secrets are known to the log from here on.

    A refresh token that the provider replaces is kept below `state_dir`, because the
    configured one is worthless from then on.
    """
    connection = connection_of(section, kept=state_dir / "secrets" / f"{name}.refresh_token")
    log.hide(connection.secrets())
    return PROVIDERS[name].connect(connection, clock=clock.now)


def connection_of(section: ProviderSettings, *, kept: Path) -> Connection:
    """Translate one provider's section; secrets and the accounts file are read here."""
    keys = section.own_keys()
    refresh_token = keys.get("refresh_token")
    columns = PROVIDERS[section.NAME].account_columns
    return Connection(
        base_url=section.base_url,
        token=section.secret("token"),
        client_id=section.client_id,
        client_secret=section.secret("client_secret"),
        kept=KeptToken(kept, refresh_token) if refresh_token else None,
        token_url=section.token_url,
        requests_per_second=section.requests_per_second,
        page_size=section.page_size,
        ca_file=str(section.ca_file) if section.ca_file else None,
        byte_budget=int(section.byte_budget_mb * 2**20),
        sweep_seconds=section.sweep_minutes * 60,
        accounts=tuple(accounts_of(section.NAME, section.accounts_list(), columns)) if columns else (),
        overrides=section.assumed,
        **keys,
    )


def accounts_of(provider: str, file: Path | None, columns: Sequence[str]) -> list[AccountRef]:
    """Read the accounts to ask a provider about that lists no customers, in file order.

    Raises:
        SettingsError: no file is set, it cannot be read, a column is missing or a row is empty.
    """
    if file is None:
        raise SettingsError(
            f"providers.{provider}.accounts_file is not set; it lists no customers, name a CSV with {','.join(columns)}"
        )
    lines = read_table(file, columns, required=columns, error=SettingsError)
    return [_account(line, columns) for line in lines]


def _account(line: Line, columns: Sequence[str]) -> AccountRef:
    token, reference, other = (line.cells.get(name, "") for name in columns)
    if not token:
        raise SettingsError(f"accounts_file {line.place} has no {columns[0]}; fill it or remove the line")
    return AccountRef(customer_token=token, reference_number=reference, other_data=other)


def tenant_of(name: str, section: ProviderSettings) -> str:
    """Return the tenant of a provider that has one: as configured, else as the provider's pages suggest."""
    if section.tenant:
        return section.tenant
    return PROVIDERS[name].tenant or urlsplit(section.base_url).hostname or name


def wanted_tenants(name: str, section: ProviderSettings, listed: Sequence[str] | None) -> list[str]:
    """Return the tenants to pull: the configured ones of those the provider lists, its only one where it lists none.

    Raises:
        SettingsError: the provider shows to these credentials no administration, or not a configured one.
    """
    if listed is None:
        return [tenant_of(name, section)]
    if not listed:
        raise SettingsError(f"providers.{name}: these credentials see no administration; grant them access to one")
    asked = section.tenants()
    if "*" in asked:
        return list(listed)
    for tenant in asked:
        if tenant not in listed:
            shown = ", ".join(listed)
            raise SettingsError(
                f"providers.{name}.administrations names {tenant!r}; name what these credentials see: {shown}"
            )
    return list(asked)


def refuse_another_environment(
    name: str, section: ProviderSettings, tenants: Collection[str], known: Collection[str]
) -> None:
    """Refuse a provider that shows nothing of what is stored of it: the address or the credentials are of another environment.

    Who names the tenants in the configuration has said that they belong here. `known` are those loaded before.

    Raises:
        SettingsError: none of `known` is among `tenants`, and the configuration names none.
    """
    is_named = section.tenant or section.tenants() != ["*"]
    if not known or is_named or not set(known).isdisjoint(tenants):
        return
    raise SettingsError(
        f"providers.{name}: what is stored is of {', '.join(sorted(known))}, and this address shows these credentials "
        f"{', '.join(sorted(tenants))}: another environment. No list was read. Give each environment a [warehouse] path and "
        f"state_dir of its own; where it is the same one under a new name, name it in providers.{name}."
        f"{'administrations' if PROVIDERS[name].lists_tenants else 'tenant'}"
    )


def chosen(settings: Settings, names: tuple[str, ...]) -> dict[str, ProviderSettings]:
    """Return the sections to pull.

    Raises:
        SettingsError: no provider is configured, or a name is not a configured provider.
    """
    configured = settings.providers.configured()
    if not configured:
        raise SettingsError(f"no provider is configured; add a {sections_to_add()} section")
    for name in names:
        if name not in configured:
            raise SettingsError(
                f"provider {name!r} is not configured; add its section, or name one of {', '.join(configured)}"
            )
    return {name: section for name, section in configured.items() if not names or name in names}
