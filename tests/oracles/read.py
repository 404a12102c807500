"""A world's rows as plain facts: dates in the provider's zone, money in minor units.

Rows that cannot be read are counted and left out, a plan together with all its
terms. Whatever depends on an as-of date is not decided here.
"""

from oracles.model import Facts, Options
from oracles.payiq import read_payiq
from oracles.payt import read_payt
from oracles.totality import read_totality

from sandbox.world import World


def read(world: World, options: Options) -> Facts:
    """Return everything usable in `world`."""
    facts = Facts(told=options.told or world.now().date())
    read_payt(world.payt, facts)
    read_totality(world.totality, facts, options)
    read_payiq(world.payiq, facts, options)
    return facts
