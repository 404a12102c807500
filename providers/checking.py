"""A body checked against what a provider documents, before anything is sent.

Every fault is found at once and told by the field's name; a value is never repeated, since it may
name a person. Numbers must be exact: a float has lost digits before it comes here.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from providers.errors import Refused
from providers.http.addresses import segment
from providers.writing import Impossible, Wanted

Faults = Callable[[str, Any], Iterator[str]]
"""From a field's name and its value to what is wrong with it."""
INT32 = 2**31 - 1
_LONGEST_NAME = 60
_YEARS = (1900, 2999)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LEAP = re.compile(r"(:[0-9]{2}):60(?![0-9])")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be, and so how a cell of a table is read: as `text`, `texts`, `entries`, or any other `value`.

    `parts` are the fields of an entry.
    """

    faults: Faults
    holds: str = "value"
    parts: Mapping[str, "Field"] = field(default_factory=dict)

    def __call__(self, name: str, value: Any) -> Iterator[str]:
        """Yield what is wrong with a field's value."""
        return self.faults(name, value)


def holding(kind: str) -> Callable[[Faults], Rule]:
    """Make a rule of the function below: its values are of that kind."""
    return lambda faults: Rule(faults, kind)


@dataclass(frozen=True, slots=True)
class Field:
    """One documented field: its rule, and whether it must be there or may be null.

    `spelt` writes a value as the page documents it.
    """

    rule: Rule
    required: bool = False
    nullable: bool = False
    spelt: Callable[[Any], Any] = field(default_factory=lambda: plain)


def faults(body: Mapping[str, Any], fields: Mapping[str, Field], where: str = "") -> Iterator[str]:
    """Everything wrong with the body, field by field in the order of `fields`, unknown names last."""
    for name, documented in fields.items():
        value = body.get(name)
        if value is not None:
            yield from documented.rule(where + name, value)
        elif documented.required:
            yield f"{where}{name} is missing"
    for name in body:
        if name not in fields:
            yield unknown(where, str(name), list(fields))


def written(body: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return a body without faults as it is sent: each value as documented, null only if its type is nullable."""
    return {
        name: None if value is None else fields[name].spelt(value)
        for name, value in body.items()
        if value is not None or fields[name].nullable
    }


def unknown(where: str, name: str, known: Sequence[str]) -> str:
    """Return the complaint that a name is not documented, with the nearest one that is."""
    near = difflib.get_close_matches(name, known, 1, 0.5) or difflib.get_close_matches(name.lower(), known, 1, 0.3)
    hint = f"; the nearest is {near[0]}" if near else ""
    return f"{where}{name[:_LONGEST_NAME]!r} is not a field of this call{hint}"


def refuse(provider: str, found: Sequence[str]) -> None:
    """Nothing is wrong; else everything that is, in one error.

    Raises:
        Impossible: something is.
    """
    if found:
        raise Impossible("; ".join(found), provider=provider)


def impossible(provider: str, operation: str, instead: str) -> Impossible:
    """Return the complaint that a provider has no such call, with what there is instead."""
    return Impossible(f"there is no call to {operation} a plan", provider=provider, next_step=instead)


def plan_segment(provider: str, wanted: Wanted) -> tuple[str, str]:
    """Return the plan's id, unchanged and as one segment of a path."""
    if not wanted.plan_id:
        raise Impossible("the plan's id is missing", provider=provider)
    try:
        return wanted.plan_id, segment(wanted.plan_id)
    except (Refused, UnicodeEncodeError):
        raise Impossible(
            f"the plan's id {wanted.plan_id[:_LONGEST_NAME]!r} cannot be put into an address", provider=provider
        ) from None


def text(most: int = 255, *, least: int = 1) -> Rule:
    """Return the rule for a text of so many characters."""

    def rule(name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{name} must be a text"
        elif not least <= len(value) <= most:
            yield f"{name} must have {least} to {most} characters"
        elif not _encodable(value):
            yield f"{name} holds half a character"

    return Rule(rule, "text")


def word(*values: str) -> Rule:
    """Return the rule for one of a few words."""

    def rule(name: str, value: Any) -> Iterator[str]:
        if value not in values:
            yield f"{name} must be one of {', '.join(values)}"

    return Rule(rule, "text")


def whole(least: int = -INT32, most: int = INT32) -> Rule:
    """Return the rule for a whole number between two bounds."""

    def rule(name: str, value: Any) -> Iterator[str]:
        if not is_whole(value):
            yield f"{name} must be a whole number"
        elif not least <= value <= most:
            about = f"at least {least}" if most == INT32 and value < least else f"between {least} and {most}"
            yield f"{name} must be {about}"

    return Rule(rule)


def money(below: Decimal = Decimal(10**13), places: int = 2) -> Rule:
    """Return the rule for a positive exact number with at most so many decimals."""

    def rule(name: str, value: Any) -> Iterator[str]:
        if not is_number(value):
            yield f"{name} must be an exact number"
        elif not 0 < value < below:
            yield f"{name} must be above 0 and below {below:f}"
        elif value != round(Decimal(value), places):
            yield f"{name} must have at most {places} decimals"

    return Rule(rule)


@holding("value")
def flag(name: str, value: Any) -> Iterator[str]:
    """Yield a complaint unless the value is true or false."""
    if not isinstance(value, bool):
        yield f"{name} must be true or false"


@holding("text")
def day(name: str, value: Any) -> Iterator[str]:
    """Yield a complaint unless the value is a date as YYYY-MM-DD."""
    found = day_of(value)
    if found is None or found.isoformat() != value:
        yield f"{name} must be a date, YYYY-MM-DD"


@holding("text")
def moment(name: str, value: Any) -> Iterator[str]:
    """Yield a complaint unless the value is a date or an ISO 8601 date-time."""
    if not isinstance(value, str) or day_of(value) is None:
        yield f"{name} must be a date or an ISO 8601 date-time"


@holding("value")
def anything(_name: str, _value: Any) -> Iterator[str]:
    """Accept any value: no page shows what it must be."""
    return iter(())


@holding("texts")
def texts(name: str, value: Any) -> Iterator[str]:
    """Yield complaints unless the value is a list of texts, each once."""
    if not isinstance(value, list | tuple):
        yield f"{name} must be a list of texts"
        return
    for at, item in enumerate(value):
        yield from text()(f"{name}[{at}]", item)
        if item in value[:at]:
            yield f"{name}[{at}] stands there twice"


def rows(fields: Mapping[str, Field]) -> Rule:
    """Return the rule for a list of at least one object."""

    def rule(name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, list | tuple) or not value:
            yield f"{name} must be a list of at least one object"
            return
        for at, item in enumerate(value):
            if isinstance(item, Mapping):
                yield from faults(item, fields, f"{name}[{at}].")
            else:
                yield f"{name}[{at}] must be an object"

    return Rule(rule, "entries", fields)


def entries(fields: Mapping[str, Field], *, required: bool = False) -> Field:
    """Return a field that holds a list of objects with these fields."""
    return Field(rows(fields), required=required, spelt=lambda value: [written(item, fields) for item in value])


def date_time(value: str) -> str:
    """Return a date or time in RFC 3339, unchanged if it is so already; without an offset as UTC, a date as midnight."""
    found = moment_of(value)
    if found is None or _RFC3339.fullmatch(value):
        return value
    return found.isoformat() if found.tzinfo else f"{found.isoformat()}Z"


def day_of(value: object) -> date | None:
    """Return the day that a date or date-time text names, as written; None if it names none."""
    found = moment_of(value)
    return None if found is None else found.date()


def moment_of(value: object) -> datetime | None:
    """Return the moment that a date or date-time text names, in its own offset if it gives one; None if it names none.

    Both spellings of RFC 3339 are read; a leap second is the second before it. Years outside 1900 to 2999 are
    typing errors.
    """
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(_LEAP.sub(r"\1:59", value.upper()))
    except ValueError:
        return None
    return found if _YEARS[0] <= found.year <= _YEARS[1] else None


def is_whole(value: object) -> bool:
    """Tell whether a value is a whole number; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Tell whether a value is an exact, finite number."""
    return is_whole(value) or (isinstance(value, Decimal) and value.is_finite())


def plain(value: Any) -> Any:
    """Return the same body with numbers written without exponents, so that equal numbers are spelled alike."""
    if isinstance(value, Decimal):
        return Decimal(f"{value:f}")
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
