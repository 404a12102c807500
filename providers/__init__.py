"""The providers, by the short name the configuration uses."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from providers.base import Provider
from providers.errors import NotConfigured

MODULES = {"payt": "providers.payt", "totality": "providers.totality", "payiq": "providers.payiq"}
"""Where each provider's `PROVIDER` is; whoever brings one of their own adds a line."""


class _Providers(Mapping[str, Provider]):
    """Imports a provider when it is asked for: a command that asks none does not wait for the HTTP library."""

    def __contains__(self, name: object) -> bool:
        return name in MODULES

    def __getitem__(self, name: str) -> Provider:
        if name not in MODULES:
            raise NotConfigured(
                "no code reads this provider: it has no line in MODULES (providers/__init__.py)",
                provider=name,
                next_step="Add a line that names the module with its PROVIDER, or remove its section.",
            )
        provider: Provider = import_module(MODULES[name]).PROVIDER
        return provider

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


PROVIDERS: Mapping[str, Provider] = _Providers()
