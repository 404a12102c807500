"""Count how the open breaks of one published run became those of the next, so that none comes or goes unseen.

What is open, accepted and expired is said in `schemas.words` and the glossary; the states are given in `life.py`. Counted
here is what readers are shown, against the register before and after: where a break was lost, shown twice or given a
state that does not follow from the one before, the two do not meet.
"""

from dataclasses import astuple, dataclass

import polars as pl

from schemas.words import OPEN


@dataclass(frozen=True, slots=True)
class Movement:
    """Numbers of breaks, of all kinds and severities.

    `before` and `after` are those open after the run before and after this one; `new` and `reopened` those shown in these states, without
    the `expired`: accepted after the run before and open now. `accepted` are those open before and accepted now. `resolved` were open, too.

    Example: of three open breaks one is accepted, one resolved, and one new is found: 3 + 1 - 1 - 1 = 2.
    """

    before: int
    new: int
    reopened: int
    resolved: int
    accepted: int
    expired: int
    after: int

    @property
    def expected(self) -> int:
        """Return how many must be open after all that is shown."""
        return self.before + self.new + self.reopened - self.resolved - self.accepted + self.expired

    @property
    def holds(self) -> bool:
        """Tell whether so many are."""
        return self.expected == self.after

    def __str__(self) -> str:
        before, new, reopened, resolved, accepted, expired, after = astuple(self)
        return (
            f"{before} open before + {new} new + {reopened} reopened - {resolved} resolved - {accepted} accepted "
            f"+ {expired} expired = {self.expected}, but {after} are open"
        )


def movement(before: pl.DataFrame, shown: pl.DataFrame, after: pl.DataFrame) -> Movement:
    """Return how the open breaks moved.

    Args:
        before: `BREAK_REGISTER` after the run before.
        shown: `LIVING_BREAKS` of this run, which moves the register.
        after: `BREAK_REGISTER` after this run.
    """
    is_open = pl.col("break_state").is_in(OPEN)
    was = before.select("fingerprint", "is_open", was="break_state")
    rows = shown.select("fingerprint", "break_state").join(was, on="fingerprint", how="left", validate="m:1")
    was_accepted = (pl.col("is_open") & (pl.col("was") == "ACCEPTED")).fill_null(value=False)
    was_open = (pl.col("is_open") & pl.col("was").is_in(OPEN)).fill_null(value=False)

    def number(state: str, condition: pl.Expr = pl.lit(value=True)) -> int:  # noqa: B008 - an expression is a value
        return rows.filter((pl.col("break_state") == state) & condition).height

    return Movement(
        before=before.filter("is_open", is_open).height,
        new=number("NEW"),
        reopened=number("REOPENED", ~was_accepted),
        resolved=number("RESOLVED"),
        accepted=number("ACCEPTED", was_open),
        expired=rows.filter(is_open & was_accepted).height,
        after=after.filter("is_open", is_open).height,
    )
