"""What every provider's app is given: the world it serves, the assumptions in force, a memory for lists."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from sandbox.assumed import Assumed
from sandbox.world import Row, World

MEMORY_LISTS = 64


@dataclass(slots=True)
class Walk:
    """The rows one list call chose, and how far its reader has come."""

    version: int
    rows: list[Row]
    reached: int = 0

    def find(self, wanted: Callable[[Row], bool]) -> int | None:
        """Return the position of the row, looking first where the reader last was."""
        for positions in (range(self.reached, len(self.rows)), range(min(self.reached, len(self.rows)))):
            for position in positions:
                if wanted(self.rows[position]):
                    self.reached = position
                    return position
        return None


@dataclass(slots=True)
class Site:
    """The world and the assumptions, and the lists readers are in the middle of."""

    world: World
    assumed: Assumed
    memory: dict[Hashable, Walk] = field(default_factory=dict)

    def walk(self, key: Hashable, *, first: bool, choose: Callable[[], list[Row]]) -> Walk:
        """Return the rows of a list call; later pages reuse what the first one chose.

        Choosing costs a pass over the whole world, so it is done for first pages
        and after `World.changing`. Call with the world's lock held.
        """
        kept = self.memory.get(key)
        if kept is not None and not first and kept.version == self.world.version:
            return kept
        if len(self.memory) >= MEMORY_LISTS:
            self.memory.clear()
        walk = self.memory[key] = Walk(self.world.version, choose())
        return walk
