"""The providers, by the short name the configuration uses."""

from collections.abc import Mapping

from providers import payiq, payt, totality
from providers.base import Provider

PROVIDERS: Mapping[str, Provider] = {item.name: item for item in (payt.PROVIDER, totality.PROVIDER, payiq.PROVIDER)}
