"""Let commands die at every boundary in turn."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

STEP = int(os.environ.pop("PLANRECON_KILLS", "0"))  # the commands would refuse a key that they do not know
"""How many boundaries the sweep goes on by; in the suite, where it is 0, a few are drawn instead."""
SEED = int(os.environ.pop("PLANRECON_KILLS_SEED", "20260630"))
AT_A_TIME = 2
DIED_AGAIN = (0, 0, 0, 1, 1, 2, 3)
"""How often what is called after a kill is killed, too."""


def sweep(name: str, trial: Callable[[Path, list[float]], int], folder: Path) -> str:
    """Try a kill at each boundary until one lies beyond the last; say how many there are and how many kills there were.

    `trial` lets the command die at the numbers of boundaries (int) or after the seconds (float) it is given, in a row,
    and returns how often it died; 0 where the first lies beyond the last boundary.
    """
    died, began = 0, random.Random(f"{SEED} {name}").randrange(STEP)

    def tried(number: int) -> int:
        draw = random.Random(f"{SEED} {name} {number}")
        again = [
            draw.random() * 3 if draw.random() < 0.2 else draw.randrange(1, number + 20)
            for _ in range(draw.choice(DIED_AGAIN))
        ]
        try:
            return trial(folder / str(number), [number, *again])
        except BaseException as error:
            raise AssertionError(f"{name}, seed {SEED}, killed at {[number, *again]}") from error

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for first in count(1 + began, STEP * AT_A_TIME):
            numbers = [first + STEP * one for one in range(AT_A_TIME)]
            found = list(pool.map(tried, numbers))
            died += sum(found)
            if 0 in found:
                return (
                    f"{name}: up to {numbers[found.index(0)] - 1} boundaries, {died} kills, seed {SEED}, every {STEP}"
                )
    raise AssertionError
