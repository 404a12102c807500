"""Plan parameters from flags and a JSON file: by the same names, or as the body of a provider's create call."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from flows.commands.flags import Flags
from flows.commands.schedule import PlanParameters, closed_days, weekend
from flows.errors import UsageError
from flows.given import read_text
from providers import PROVIDERS
from providers.writing import BodyAsRule
from schemas.conventions import CHOICES, Conventions

OURS = {
    "first_due_date": "first_date",
    "term_count": "count",
    "first_day": "day",
    "first_weekday": "weekday",
    "first_week": "week",
}
"""Flags that are shorter than the word of a plan's rules."""


CONVENTIONS = tuple(field.name for field in fields(Conventions) if field.name != "drift")
"""Conventions a person may choose; drift is there to recognise a fault."""

_KINDS: dict[str, Any] = get_type_hints(Flags) | {
    "weekend": list[str | int] | str,
    "closed": list[str] | str,
    "listed": tuple[tuple[date, str], ...],
    "frequency": str,
    **dict.fromkeys(CHOICES, str),
}
"""What each parameter of a file must be: as its flag, but for lists, and for words that are refused by name later."""


def plan_parameters(file: Path | None, flags: Flags) -> PlanParameters:
    """Return the plan parameters of a JSON file and of flags, by the same names; a flag that was given wins.

    Raises:
        UsageError: the file is no JSON object, names something unknown, a value is not what it should be,
            or there is no first date.
    """
    told, names = _read(file) if file else ({}, {})
    said = {name: value for name, value in asdict(flags).items() if value not in (None, ())}
    given = told | said
    names = {name: text for name, text in names.items() if name.removesuffix("=") not in said}

    def called(name: str) -> str:
        return names.get(name, f"--{name.replace('_', '-')}")

    for name, read in (("closed", closed_days), ("weekend", weekend)):
        if name in given:
            given[name] = read([given[name]] if isinstance(given[name], str) else given[name], called(name))
    chosen = {name: given.pop(name) for name in CONVENTIONS if name in given}
    for name, value in chosen.items():
        if name in CHOICES and value not in CHOICES[name]:
            raise UsageError(f"{called(name)} is {value!r}; use one of {', '.join(CHOICES[name])}")
    if "first_date" not in given:
        raise UsageError("--first-date is missing; give it, every date is counted from it")
    return PlanParameters(**given, conventions=Conventions(**chosen), names=names)


def _read(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the parameters of a JSON object by the names of `PlanParameters`, and how the file says each."""
    try:
        given = json.loads(read_text(file), parse_float=str)
    except ValueError as error:
        raise UsageError(f"{str(file)!r} cannot be read as JSON: {error}; correct it") from error
    if not isinstance(given, dict):
        raise UsageError(
            f'{str(file)!r} holds no JSON object; write one, as {{"first_date": "2026-01-31", "count": 2}}'
        )
    form = next((form for form in _forms() if given.keys() & {*form.kinds, *form.ours, *form.silent}), None)
    parameters, names = _in_our_names(given, form, str(file))
    if form is None:
        return {name: _fitting(name, value, str(file)) for name, value in parameters.items()}, names
    if form.marks & given.keys():
        parameters = _in_major_units(parameters, form, str(file))
    unused = {OURS.get(name, name) for kind in form.kinds for name in form.unused.get(str(given.get(kind)), ())}
    return {name: _fitting(name, value, str(file)) for name, value in parameters.items() if name not in unused}, names


def _forms() -> Iterator[BodyAsRule]:
    desks = (provider.desk for provider in PROVIDERS.values())
    return (desk.body for desk in desks if desk is not None and desk.body is not None)


def _in_our_names(
    given: Mapping[str, Any], form: BodyAsRule | None, file: str
) -> tuple[dict[str, Any], dict[str, str]]:
    parameters: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in given.items():
        if value is None or (form is not None and name in {*form.silent, *form.kinds}):
            continue
        word = form.ours.get(name) if form is not None else None
        ours = OURS.get(word, word) if word else name.replace("-", "_")
        if ours not in _KINDS:
            raise UsageError(f"{file!r} names {name!r}, which is no plan parameter; known are {', '.join(_KINDS)}")
        parameters[ours] = value
        names[ours] = f"{file!r}: {name}"
        names[f"{ours}="] = f"{file!r}: {name} {value!r}"
    return parameters, names


def _in_major_units(body: dict[str, Any], form: BodyAsRule, file: str) -> dict[str, Any]:
    """Return a body's parameters with its amounts, which are cents, as those of a person."""

    def major(cents: Any) -> str:
        try:
            return str(Decimal(int(cents)).scaleb(-form.places))
        except (TypeError, ValueError, InvalidOperation):
            raise UsageError(f"{file!r}: {cents!r} is no whole number of cents; write 2500 for 25.00") from None

    changed: dict[str, Any] = {name: major(body[name]) for name in ("amount", "total") if name in body}
    if isinstance(body.get("listed"), list) and all(isinstance(term, dict) for term in body["listed"]):
        changed["listed"] = [(term.get("date"), major(term.get("amount"))) for term in body["listed"]]
    return {"currency": form.currency} | body | changed


def _fitting(name: str, value: Any, file: str) -> Any:
    is_text_of_number = name in {"total", "amount"} and isinstance(value, int) and not isinstance(value, bool)
    kind = TypeAdapter(_KINDS[name], config=ConfigDict(coerce_numbers_to_str=is_text_of_number))
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]["msg"]
        raise UsageError(f"{file!r}: {name} {value!r} cannot be used: {fault}; correct it") from None
