"""Compare what was agreed with what the provider shows, point by point in a clerk's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest

from providers.writing import PlanNow
from schemas.currencies import in_minor, written
from writes.intents import AgreedTerm

ENDED = {"approve": ("ACTIVE", "FINISHED"), "reject": ("REJECTED", "DELETED"), "create": ("ACTIVE", "FINISHED")}
"""Status that a change leads to, where one is right and others are wrong."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The terms that a change is meant to bring about; none where the provider alone knows them.

    `remark` says why there are no terms.
    """

    currency: str
    terms: tuple[AgreedTerm, ...] = ()
    remark: str = ""

    @property
    def amount_minor(self) -> int | None:
        """Return what the terms add up to; null if there are none."""
        return sum(term.amount_minor for term in self.terms) if self.terms else None

    def minor(self, amount: Decimal) -> int | None:
        """Return an amount of major units in minor ones; null where it has more places than the currency."""
        return in_minor(amount, self.currency)

    def plain(self, minor: int) -> str:
        """Return minor units as a plain decimal with the currency."""
        return f"{written(minor, self.currency)} {self.currency}"


def differences(operation: str, agreement: Agreement, shown: PlanNow) -> list[str]:
    """Return the points in which the plan shown is not as agreed; empty where it is."""
    wrong = []
    if operation in ENDED and shown.status not in {*ENDED[operation], "UNKNOWN"}:
        wrong.append(f"the plan is {shown.status}, not {ENDED[operation][0]}")
    if agreement.terms and shown.lists_terms:
        wrong += _terms(agreement, shown)
    return wrong


def _terms(agreement: Agreement, shown: PlanNow) -> Sequence[str]:
    wrong = []
    if len(agreement.terms) != len(shown.terms):
        wrong.append(f"{len(agreement.terms)} terms were agreed, the provider shows {len(shown.terms)}")
    theirs = sorted(shown.terms, key=lambda term: (term.due_date, term.amount))
    ours = sorted(agreement.terms, key=lambda term: (term.due_date, term.amount_minor))
    for number, (mine, other) in enumerate(zip_longest(ours, theirs), 1):
        if mine is None or other is None:
            break
        if mine.due_date != other.due_date:
            wrong.append(f"term {number}: due {mine.due_date} agreed, {other.due_date} shown")
        if agreement.minor(other.amount) != mine.amount_minor:
            wrong.append(
                f"term {number}: {agreement.plain(mine.amount_minor)} agreed, {other.amount:f} {agreement.currency} shown"
            )
    return wrong
