"""The providers, by the short name the configuration uses."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from providers.base import Provider

_NAMES = ("payt", "totality", "payiq")


class _Providers(Mapping[str, Provider]):
    """Imports a provider when it is asked for: a command that asks none does not wait for the HTTP library."""

    def __getitem__(self, name: str) -> Provider:
        if name not in _NAMES:
            raise KeyError(name)
        provider: Provider = import_module(f"providers.{name}.reading").PROVIDER
        return provider

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


PROVIDERS: Mapping[str, Provider] = _Providers()
