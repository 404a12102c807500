"""The providers, by the short name the configuration uses."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from providers.base import Provider

MODULES = {"payt": "providers.payt", "totality": "providers.totality", "payiq": "providers.payiq"}
"""Where each provider's `PROVIDER` is; whoever brings one of their own adds a line."""


class _Providers(Mapping[str, Provider]):
    """Imports a provider when it is asked for: a command that asks none does not wait for the HTTP library."""

    def __getitem__(self, name: str) -> Provider:
        provider: Provider = import_module(MODULES[name]).PROVIDER
        return provider

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


PROVIDERS: Mapping[str, Provider] = _Providers()
