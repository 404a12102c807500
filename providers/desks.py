"""Where plans can be changed, by the short name the configuration uses."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from providers.writing import Desk

_NAMES = ("payt", "totality", "payiq")


class _Desks(Mapping[str, Desk]):
    """Imports a desk when it is asked for: a command that changes nothing does not wait for the HTTP library."""

    def __getitem__(self, name: str) -> Desk:
        if name not in _NAMES:
            raise KeyError(name)
        desk: Desk = import_module(f"providers.{name}.writing").DESK
        return desk

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


DESKS: Mapping[str, Desk] = _Desks()
