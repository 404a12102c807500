"""The command `init`: ask what a configuration needs, and write one with the meaning of each key beside it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from flows.commands.ask import known_word
from flows.commands.demo import write_private
from flows.commands.template import Answers, text_of
from flows.configuration import DEFAULT_FILE, beside
from flows.errors import UsageError
from flows.settings import SECTIONS, ReportSettings, RunSettings, WarehouseSettings
from flows.values import CalendarName, Zone
from providers import PROVIDERS

MONEY_CALENDARS_OF_ZONES = {"America/New_York": "FED"}
"""Calendars by which money moves, where they are suggested to a provider of that zone."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the options said; empty where they did not."""

    providers: tuple[str, ...] = ()
    base_urls: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""
    calendar: str = ""
    warehouse: str = ""
    state_dir: str = ""
    reports: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """Questions to a person, on standard error; with `takes_defaults` nobody is asked."""

    takes_defaults: bool

    def ask(self, question: str, *, option: str, given: str, default: str, check: Callable[[str], str]) -> str:
        """Return what the option says, else what the person answers, by Enter the default.

        Raises:
            UsageError: the option's value is none, nobody answers, or there is no default to take.
        """
        if given or self.takes_defaults:
            return self._checked(given or default, option, check)
        while True:
            answer = self.answered(f"{question}{f' [{default}]' if default else ''}: ", option) or default
            try:
                return check(answer)
            except ValueError as error:
                _show(f"{_told(error)}\n")

    def is_wanted(self, question: str, *, option: str) -> bool:
        """Return whether the person says yes."""
        return self.answered(f"{question} [y/N]: ", option).casefold() in {"y", "yes"}

    def answered(self, prompt: str, option: str) -> str:
        """Return the next line of standard input."""
        _show(prompt)
        line = sys.stdin.readline() if sys.stdin is not None and not sys.stdin.closed else ""
        if not line:
            _show("\n")
            raise UsageError(f"nobody answers on standard input; give {option}, and --yes to take every other default")
        return line.strip()

    def _checked(self, value: str, option: str, check: Callable[[str], str]) -> str:
        try:
            return check(value)
        except ValueError as error:
            raise UsageError(f"{option}: {_told(error)}") from None


def _show(text: str) -> None:
    if sys.stderr is not None:  # as where the caller closed it
        sys.stderr.write(text)
        sys.stderr.flush()


def write_configuration(config: Path | None, given: Given, *, takes_defaults: bool, force: bool) -> int:
    """Ask, write the configuration, say which secrets are still to be set, and return 0.

    Raises:
        UsageError: the file is there already, or an answer is missing or none.
    """
    file = config or DEFAULT_FILE
    if file.is_dir():
        raise UsageError(f"{str(file)!r} is a folder; give the path of a file in it with --config")
    if file.exists() and not force:
        raise UsageError(
            f"{str(file)!r} is there already; give --force to write it anew, or another path with --config"
        )
    if not file.absolute().parent.is_dir():
        raise UsageError(
            f"there is no folder {str(file.absolute().parent)!r}; make it, or give another path with --config"
        )
    answers = _answers(Asking(takes_defaults), given)
    write_private(file, text_of(answers))
    print(f"{file} is written")
    for name, keys in answers.providers.items():
        if "accounts_file" in keys:
            _prepare_accounts(name, beside(file, Path(keys["accounts_file"])))
        print(f"set {SECTIONS[name].ways_to_sign_in()}")
    print(f"then call `planrecon doctor{f' --config {config}' if config else ''}`")
    return 0


def _answers(asking: Asking, given: Given) -> Answers:
    for name in (*given.providers, *given.base_urls):
        known_word("--provider", name, list(SECTIONS))
    wanted = given.providers or tuple(
        name
        for name, section in SECTIONS.items()
        if not asking.takes_defaults and asking.is_wanted(f"pull from {_title(section)}?", option="--provider NAME")
    )
    if not wanted:
        raise UsageError(f"no provider is wanted; give --provider, one or more of {', '.join(SECTIONS)}")

    def told(
        section: type[RunSettings | WarehouseSettings | ReportSettings], key: str, option: str, value: str, kind: object
    ) -> str:
        known = section.model_fields[key]
        return asking.ask(
            known.description or key, option=option, given=value, default=str(known.default), check=_as(kind)
        )

    run = {
        "timezone": told(RunSettings, "timezone", "--timezone", given.timezone, Zone),
        "calendar": told(RunSettings, "calendar", "--calendar", given.calendar, CalendarName),
    }
    providers = {name: _section(asking, given, name) for name in SECTIONS if name in wanted}
    warehouse = {
        "path": told(WarehouseSettings, "path", "--warehouse", given.warehouse, str),
        "state_dir": told(WarehouseSettings, "state_dir", "--state-dir", given.state_dir, str),
    }
    reports = {"dir": told(ReportSettings, "dir", "--reports", given.reports, str)}
    return Answers({"run": run, "warehouse": warehouse, "reports": reports}, providers)


def _section(asking: Asking, given: Given, name: str) -> dict[str, str]:
    """Return the answers for one provider."""
    fields = SECTIONS[name].model_fields
    own = fields["base_url"].default
    keys = {
        "base_url": asking.ask(
            f"{name}: where the API is",
            option=f"--base-url {name}=https://…",
            given=given.base_urls.get(name, ""),
            default=own if isinstance(own, str) else "",
            check=_url,
        )
    }
    if calendar := MONEY_CALENDARS_OF_ZONES.get(str(fields["timezone"].default)):
        keys["calendar"] = asking.ask(
            f"{name}: holidays for its plans", option="--calendar", given="", default=calendar, check=_as(CalendarName)
        )
    if PROVIDERS[name].account_columns:
        keys["accounts_file"] = asking.ask(
            f"{name}: CSV of the accounts to ask about; it lists none",
            option="--config",
            given="",
            default=f"{name}_accounts.csv",
            check=_as(str),
        )
    return keys


def _prepare_accounts(name: str, file: Path) -> None:
    """Write the head of the file of accounts where there is none."""
    columns = ",".join(PROVIDERS[name].account_columns)
    if not file.exists():
        write_private(file, f"{columns}\n")
        print(f"{file} is written with its head alone; add a line for each account: {columns}")


def _title(section: type) -> str:
    return (section.__doc__ or "").partition("\n")[0].rstrip(".")


def _as(kind: Any) -> Callable[[str], str]:
    return TypeAdapter(kind).validate_python


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError(f"{text!r} is no address; write it as https://host/path")
    return text


def _told(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors(include_url=False))
    return str(error)
