"""The demo: about a hundred plans at three providers, every awkward case among healthy ones.

Fixed in every detail, as it stands in the evening of 30 June 2026. Which cases
there are is told in `demo_payt`, `demo_totality` and `demo_payiq`.
"""

import random
from datetime import date, timedelta

from sandbox.world import World
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds import generate_payt as payt
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.demo_payiq import add_payiq_cases
from sandbox.worlds.demo_payt import add_payt_cases
from sandbox.worlds.demo_totality import add_totality_cases
from sandbox.worlds.generate_habits import Ids, Story, live, monthly, split

DEMO_AS_OF = date(2026, 6, 30)
SEED = 20260630


def demo() -> World:
    """Return the demo world; every call returns a new, equal one."""
    world = World(clock=f"{DEMO_AS_OF.isoformat()}T20:00:00Z")
    _payt(world, random.Random(f"{SEED} payt"))
    _totality(world, random.Random(f"{SEED} totality"))
    _payiq(world, random.Random(f"{SEED} payiq"))
    return world


def _created(draw: random.Random) -> date:
    return DEMO_AS_OF - timedelta(days=draw.randint(20, 330))


def _payt(world: World, draw: random.Random) -> None:
    euro = payt.Administration("1001")
    yen = payt.Administration("1002", "JPY", "Asia/Tokyo", 0)
    world.payt.administrations += [euro.row("Utrecht Energie"), yen.row("Tokyo Denki")]
    ids = Ids(2_603_000)
    for number in range(10):
        created, count = _created(draw), draw.randint(3, 10)
        total = count * draw.randint(20, 300) * 100 + draw.choice((0, 1, 50))
        first = created + timedelta(days=draw.randint(5, 30))
        anchor = 31 if number % 6 == 0 else first.day
        story = live(Story(created, monthly(first, anchor, split(total, count))), DEMO_AS_OF, draw)
        payt.add_plan(world, yen if number % 5 == 4 else euro, ids, story)
    add_payt_cases(world, euro, yen, ids)


def _totality(world: World, draw: random.Random) -> None:
    for _ in range(8):
        totality.add_plan(world, _created(draw), DEMO_AS_OF, draw)
    add_totality_cases(world, draw)


def _payiq(world: World, draw: random.Random) -> None:
    ids = Ids(51_000)
    made = 0
    while made < 8:
        made += payiq.add_plan(world, ids, _created(draw), DEMO_AS_OF, draw) is not None
    add_payiq_cases(world, ids)
