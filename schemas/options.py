"""The options of the computation.

Values come from the configuration; defaults are those of the glossary. No file and no
environment is read here.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.seeds import thresholds
from schemas.words import Allocates, DayBasis, DpdOrigin, GraceMode, Residual, ToleranceMode


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Shortfall at which a term still counts as satisfied; status only, never the balance.

    `absolute` is in major units of the term's currency, `percent` of its payable
    amount, rounded down to a minor unit.
    """

    mode: ToleranceMode = "EXACT"
    absolute: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)

    @classmethod
    def parse(cls, text: str) -> "Tolerance":
        """Return the tolerance written as `EXACT`, `CENT`, `ABS:5.00`, `PCT:10`, `MAX:5.00,2`, `MIN:5.00,2` or `FFIEC90`.

        Raises:
            ValueError: `text` is none of these; the message lists them.
        """
        if text == "EXACT":
            return cls()
        if text == "CENT":
            return cls("CENT")
        text = thresholds("tolerances").get(text, text)
        number = r"(\d{1,9}(?:\.\d{1,4})?)"
        if match := re.fullmatch(rf"ABS:{number}", text):
            return cls("ABS", absolute=Decimal(match[1]))
        if match := re.fullmatch(rf"PCT:{number}", text):
            return cls("PCT", percent=Decimal(match[1]))
        if match := re.fullmatch(rf"(MAX|MIN):{number},{number}", text):
            mode: ToleranceMode = "MAX" if match[1] == "MAX" else "MIN"
            return cls(mode, absolute=Decimal(match[2]), percent=Decimal(match[3]))
        known = "EXACT, CENT, ABS:5.00, PCT:10, MAX:5.00,2, MIN:5.00,2 or FFIEC90"
        raise ValueError(f"tolerance {text!r} is unknown; use one of {known}")


@dataclass(frozen=True, slots=True)
class Options:
    """The options for one provider's plans.

    `calendar` names a calendar of the holidays library (`NL`, `US`, `US-NY`, `NYSE`, …);
    `weekend` holds ISO weekday numbers (Monday is 1), `closed_days` further days that are no
    business days. With `dpd_origin` FIRST_MATERIAL a day counts while overdue money exceeds both
    `material_amount` (major units) and `material_percent` of what remains of the plan. `allocates` says
    what of a payment can satisfy terms: all of its `AMOUNT`, or `PRINCIPAL_INTEREST`, without its fees. Money that came
    less than `return_days` business days ago may still be returned.
    """

    grace_days: int = 0
    tolerance: Tolerance = field(default_factory=Tolerance)
    residual: Residual = "FILL"
    grace_mode: GraceMode = "NONE"
    day_basis: DayBasis = "CALENDAR"
    dpd_origin: DpdOrigin = "OLDEST_UNPAID"
    material_amount: Decimal = Decimal(0)
    material_percent: Decimal = Decimal(0)
    allocates: Allocates = "AMOUNT"
    settlement_days: int = 2
    stale_pending_days: int = 5
    escalate_days: int = 5
    return_days: int = 2
    bucket_set: str = "AR"
    calendar: str = "NL"
    weekend: tuple[int, ...] = (6, 7)
    closed_days: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomeRules:
    """When a plan counts as broken, when it is cured, and when it is about to break; 0 or false is off.

    Broken: `consecutive_missed` terms in a row, or `total_late` terms in all, unsatisfied past grace at one time;
    more than `days_past_due` days; more of the plan than `overdue_share_ppm` late; with `provider_deactivated` also where
    the provider ended it with money remaining. Cured: nothing overdue, and the last `probation` terms due since were
    satisfied in time. `checkpoints` parts the time up to each due date; at each part as large a part of `checkpoint_share_ppm`
    of the term has to be there.
    """

    consecutive_missed: int = 2
    total_late: int = 0
    days_past_due: int = 0
    overdue_share_ppm: int = 0
    provider_deactivated: bool = False
    probation: int = 0
    checkpoints: int = 0
    checkpoint_share_ppm: int = 1_000_000
