"""Plan parameters as the command `schedule` takes them: one place for each name, its type and its help."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from cyclopts import Parameter

from schemas import words


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Plan parameters, null or empty where a flag was not given."""

    first_date: Annotated[date | None, Parameter(help="Date of the first term; every date is counted from it.")] = None
    frequency: Annotated[
        Literal["days", "weekly", "bi-weekly", "semi-monthly", "monthly"] | None,
        Parameter(help="Monthly where not given."),
    ] = None
    total: Annotated[str | None, Parameter(help="What the plan adds up to, for example 1000.00.")] = None
    count: Annotated[int | None, Parameter(help="Number of terms.")] = None
    amount: Annotated[
        str | None, Parameter(help="Amount of each term, instead of a number of terms; the last is the rest.")
    ] = None
    currency: Annotated[str | None, Parameter(help="ISO 4217 code; EUR where not given.")] = None
    day: Annotated[int | None, Parameter(help="Day of the month; 31 is the last day.")] = None
    second_day: Annotated[int | None, Parameter(help="Second day of the month, semi-monthly.")] = None
    weekday: Annotated[str | None, Parameter(help="Weekday by name; with --week for monthly patterns.")] = None
    second_weekday: Annotated[str | None, Parameter(help="Second weekday, semi-monthly.")] = None
    week: Annotated[int | None, Parameter(help="Week of the month, 1 to 5.")] = None
    second_week: Annotated[int | None, Parameter(help="Week of the second weekday, semi-monthly.")] = None
    days_in_period: Annotated[int | None, Parameter(help="Days in each period, with --frequency days.")] = None
    weekend_shift: Annotated[int | None, Parameter(help="Days to move a date on a weekend; negative is earlier.")] = (
        None
    )
    holiday_shift: Annotated[int | None, Parameter(help="Days to move a date on a holiday; negative is earlier.")] = (
        None
    )
    calendar: Annotated[
        str | None,
        Parameter(
            help="Holidays to move away from; none where not given. FED for US payments (ACH), ECB for euro payments "
            "(SEPA): the days on which money moves; a country (US, NL) for the days of its offices."
        ),
    ] = None
    weekend: Annotated[
        tuple[str, ...],
        Parameter(
            negative="", help="Days of the weekend, for example 'sun' or 'fri,sat', or 'none'; sat,sun where not given."
        ),
    ] = ()
    closed: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="Further closed days, for example '2026-12-24 Christmas Eve,2026-08-03..2026-08-21'; "
            "may be given more than once.",
        ),
    ] = ()
    remainder: Annotated[
        words.Remainder | None,
        Parameter(help="Which term takes the cents that do not divide; LAST where not given."),
    ] = None
    short_month: Annotated[
        words.ShortMonth | None,
        Parameter(
            help="A day the month lacks: its last day (where not given), or the first of the next; "
            "OVERFLOW_31 does so for day 31, too, which otherwise means the last day."
        ),
    ] = None
    fifth_week: Annotated[
        words.FifthWeek | None,
        Parameter(help="A fifth weekday the month lacks: its last one (where not given), no term, or a week later."),
    ] = None
    shift_order: Annotated[
        words.ShiftOrder | None,
        Parameter(help="Which shift is looked at first; WEEKEND_FIRST where not given."),
    ] = None
    shift_mode: Annotated[
        words.ShiftMode | None,
        Parameter(help="Each shift at most once (where not given), or until neither applies."),
    ] = None
    cascade: Annotated[
        bool | None, Parameter(help="Count the next term from the shifted date; from the first date where not given.")
    ] = None
    collision: Annotated[
        words.Collision | None,
        Parameter(help="Two terms on one day: both stay (where not given), become one, or the later moves on."),
    ] = None


NOTHING = Flags()
