"""Portfolios of any size: mostly healthy plans, a few in a hundred with something wrong.

The same arguments give the same world on any machine. What is wrong is put in
by `generate_faults`; how healthy people pay is in `generate_habits`.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta

from sandbox.world import PROVIDERS, World
from sandbox.worlds import generate_faults as faults
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds import generate_payt as payt
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.generate_habits import Ids, Story, live, monthly, split

AWKWARD_SHARE = 0.035
SHARED_CUSTOMERS = 0.1
REPLACED_SHARE = 0.05


def generate(
    *, seed: int = 7, plans: int = 1000, as_of: date = date(2026, 6, 30), providers: Sequence[str] = PROVIDERS
) -> World:
    """Return a world of `plans` plans as it stands in the evening of `as_of`, spread evenly over `providers`.

    Raises:
        ValueError: no plan, or a provider nobody knows.
    """
    unknown = set(providers) - set(PROVIDERS)
    if plans < 1 or unknown or not providers:
        raise ValueError(f"plans={plans}, providers={list(providers)}: ask for at least one plan of {PROVIDERS}")
    world = World(clock=f"{as_of.isoformat()}T20:00:00Z")
    for number, name in enumerate(sorted(set(providers), key=PROVIDERS.index)):
        count = plans // len(set(providers)) + (number < plans % len(set(providers)))
        {"payt": _payt, "totality": _totality, "payiq": _payiq}[name](
            world, count, as_of, random.Random(f"{seed} {name}")
        )
    return world


def _created(as_of: date, draw: random.Random) -> date:
    return as_of - timedelta(days=draw.randint(5, 400))


def _payt(world: World, count: int, as_of: date, draw: random.Random) -> None:
    offices = [payt.Administration("1001")]
    if count > 10:
        offices.append(payt.Administration("1002", "JPY", "Asia/Tokyo", 0))
    for number, office in enumerate(offices, start=1):
        world.payt.administrations.append(office.row(f"Administration {number}"))
    ids = Ids(2_600_000)
    for _ in range(count):
        office = offices[-1] if draw.random() < 0.1 else offices[0]
        created, terms = _created(as_of, draw), draw.randint(3, 12)
        total = terms * draw.randint(20, 400) * 100 + draw.choice((0, 0, 1, 50))
        first = created + timedelta(days=draw.randint(5, 30))
        anchor = draw.choice((first.day, first.day, 31))
        story = live(Story(created, monthly(first, anchor, split(total, terms))), as_of, draw)
        row = payt.add_plan(world, office, ids, story)
        if draw.random() < AWKWARD_SHARE:
            faults.spoil_payt(world, office, ids, row, as_of, draw=draw)


def _totality(world: World, count: int, as_of: date, draw: random.Random) -> None:
    made = 0
    while made < count:
        row = totality.add_plan(world, _created(as_of, draw), as_of, draw)
        made += 1
        if made > 1 and draw.random() < SHARED_CUSTOMERS:
            world.totality.loans[-1]["customerUuid"] = world.totality.loans[-2]["customerUuid"]
        if draw.random() < AWKWARD_SHARE:
            faults.spoil_totality(world, row, as_of, draw)
        elif made < count and draw.random() < REPLACED_SHARE:
            made += totality.replace_plan(world, row, as_of, draw) is not None


def _payiq(world: World, count: int, as_of: date, draw: random.Random) -> None:
    ids = Ids(40_000)
    made = 0
    while made < count:
        row = payiq.add_plan(world, ids, _created(as_of, draw), as_of, draw)
        if row is None:
            continue
        made += 1
        if made % 10 == 0:
            row["CustomerID"] -= 1
        if draw.random() < AWKWARD_SHARE:
            faults.spoil_payiq(world, ids, row, as_of, draw)
