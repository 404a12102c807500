"""One row of the table: what the first version needed, what is to be reached, what is needed now."""

from dataclasses import dataclass, field

HEAD = f"{'stage':<66}{'first version':>20}{'reach':>12}{'now':>10}"


class WrongResult(Exception):  # noqa: N818  the word says what happened
    """A figure does not count: what was worked out is not what the generator put in."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a stage; less is better.

    `first` is the first version's, taken in this run; where it is null, `recorded` is what was once measured of it (null
    where nothing was). `reach` is null where nothing is asked for, `notes` are lines of their own, below the row.
    """

    stage: str
    now: float
    unit: str = "x"
    first: float | None = None
    recorded: float | None = None
    reach: float | None = None
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the row as text, and its notes."""
        if self.first is not None:
            before = self._shown(self.first)
        elif self.recorded is not None:
            before = f"{self._shown(self.recorded)} recorded"
        else:
            before = "-"
        reach = "-" if self.reach is None else f"<= {self.reach:g} {self.unit}"
        met = "" if self.reach is None else "met" if self.now <= self.reach else "missed"
        row = f"{self.stage:<66}{before:>20}{reach:>12}{self._shown(self.now):>10}  {met}"
        return [row.rstrip(), *(f"    {note}" for note in self.notes)]

    def _shown(self, value: float) -> str:
        return f"{value:,.2f} {self.unit}"


def require(what: str, found: object, expected: object) -> None:
    """Let a figure count only where the result is the expected one.

    Raises:
        WrongResult: it is not.
    """
    if found != expected:
        raise WrongResult(f"{what}: found {found}, the generator put in {expected}; no figure of this case counts")
