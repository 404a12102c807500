"""How a provider makes dates and amounts where its own pages leave a choice.

One set per provider, from the configuration; the plan's own rules (dates, counts,
shifts) are rows of `schedules.PLAN_RULES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args, get_type_hints

from schemas.words import Collision, FifthWeek, Remainder, ShiftMode, ShiftOrder, ShortMonth


@dataclass(frozen=True, slots=True)
class Conventions:
    """One set of choices; the defaults are those of the glossary.

    Attributes:
        remainder: Where the minor units that do not divide go: on the last term, the first,
            or one each on the first ones.
        short_month: A day the month lacks becomes its last day, or the first of the next month.
            A stated day 31 means the last day under both; under OVERFLOW_31 it overflows too.
        fifth_week: A fifth weekday the month lacks becomes its last such weekday, no term at
            all, or the same weekday a week later, in the next month.
        shift_order: Which of the two shifts is looked at first.
        shift_mode: Each shift at most once, or both again and again until neither applies.
        cascade: The next term is counted from the shifted date instead of from the first one.
        collision: Two terms on one day stay there, become one, or the later one moves on.
        drift: The next term is counted from the previous nominal date, so that a short month
            moves every later one. No provider is expected to; it exists to recognise the fault.
    """

    remainder: Remainder = "LAST"
    short_month: ShortMonth = "LAST_DAY"
    fifth_week: FifthWeek = "LAST"
    shift_order: ShiftOrder = "WEEKEND_FIRST"
    shift_mode: ShiftMode = "ONCE"
    cascade: bool = False
    collision: Collision = "KEEP"
    drift: bool = False

    def __post_init__(self) -> None:
        for name, values in CHOICES.items():
            if getattr(self, name) not in values:
                raise ValueError(f"convention {name} is {getattr(self, name)!r}; use one of {', '.join(values)}")
        if self.cascade and self.drift:
            raise ValueError("conventions cascade and drift exclude each other; set one of them")


CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: words for name, hint in get_type_hints(Conventions).items() if (words := get_args(hint))}
)
"""The words each convention may be."""
