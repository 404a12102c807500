"""Worlds to run against: the worked example, the demo and generated portfolios of any size.

Every world is fixed by its arguments: the same call gives the same rows on any
machine and on any day.
"""

from sandbox.worlds.demo import DEMO_AS_OF, demo
from sandbox.worlds.generate import generate
from sandbox.worlds.golden import GOLDEN_AS_OF, golden, golden_reversed

__all__ = ["DEMO_AS_OF", "GOLDEN_AS_OF", "demo", "generate", "golden", "golden_reversed"]
