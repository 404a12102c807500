"""Typed settings: `planrecon.toml`, overridden by `PLANRECON_…` variables; unknown keys are refused.

The file and the environment are read here and nowhere else. Relative paths start at the
folder of the file, or at the working directory where there is none. Secrets are held
so that printing a settings object never shows them.
"""

import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictInt,
    ValidationError,
    create_model,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from flows import tracebacks
from flows.errors import SecretError, SettingsError
from flows.given import read_text
from flows.orchestrator import address, prepare_embedded, require_answer, shown
from providers.http.auth import SPEAKABLE
from schemas.conventions import Conventions as ScheduleConventions
from schemas.options import Options, Tolerance
from transforms.calendars.business_days import WEEKEND, check_calendar, weekend_days
from transforms.calendars.closed_days import Calendar, OwnDays, own_days
from transforms.delinquency.buckets import written

PREFIX = "PLANRECON_"
SHOWN = 80
"""Characters of a value that a message repeats at most."""
ON = ("True", "true", "1")
"""Values with which pandera validates; any other switches it off."""
DEFAULT_FILE = Path("planrecon.toml")
INSTEAD = "or give the secret itself, by its environment variable or a file"


def _zone(name: str) -> str:
    if name not in available_timezones():
        near = difflib.get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{name!r} is not a time zone of the IANA database{hint}")
    return name


def _tolerance(text: str) -> str:
    Tolerance.parse(text)
    return text


def _listed(value: object) -> object:
    """Accept `a,b` from the environment where the file has `["a", "b"]`."""
    if not isinstance(value, str):
        return value
    return [part.strip(' "[]') for part in value.split(",") if part.strip(' "[]')]


def _calendar(name: str) -> str:
    check_calendar(name)
    return name


def _closed_days(value: object) -> object:
    listed = _listed(value)
    if listed is None or isinstance(listed, tuple):  # a default, or read before
        return listed
    if not isinstance(listed, list):
        raise ValueError(f'{listed!r} is no list of dates; write ["2026-12-24 Christmas Eve"]')  # noqa: TRY004  pydantic words ValueErrors alone
    return own_days(listed)


def _ranges(ranges: list[list[int]]) -> list[list[int]]:
    if ranges:
        written(ranges)
    return ranges


def _weekend(value: object) -> object:
    listed = _listed(value)
    return weekend_days(listed) if isinstance(listed, list | tuple) else listed


Zone = Annotated[str, AfterValidator(_zone)]
ToleranceText = Annotated[str, AfterValidator(_tolerance)]
Texts = Annotated[list[str], NoDecode, BeforeValidator(_listed)]
Formats = Annotated[list[Literal["csv", "parquet", "html", "xlsx"]], NoDecode, BeforeValidator(_listed)]
CalendarName = Annotated[str, AfterValidator(_calendar)]
ClosedDays = Annotated[OwnDays, NoDecode, BeforeValidator(_closed_days)]
BucketSetName = Literal["AR", "IFRS", "MONTHS", "MONTHS_MBA", "OWN"]
Ranges = Annotated[list[list[StrictInt]], AfterValidator(_ranges)]
Weekend = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_weekend)]


class Section(BaseModel):
    """A table of the configuration; a key it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunSettings(Section):
    """How figures are computed, for every provider whose section does not differ."""

    timezone: Zone = "Europe/Amsterdam"
    grace_days: Annotated[int, Field(ge=0, le=366)] = 0
    tolerance: ToleranceText = "EXACT"
    residual: Literal["FILL", "SKIP"] = "FILL"
    grace_mode: Literal["NONE", "SHIFT", "GATE"] = "NONE"
    day_basis: Literal["CALENDAR", "BUSINESS"] = "CALENDAR"
    dpd_origin: Literal["OLDEST_UNPAID", "FIRST_ENTERED", "FIRST_MATERIAL"] = "OLDEST_UNPAID"
    settlement_days: Annotated[int, Field(ge=0, le=60)] = 2
    stale_pending_days: Annotated[int, Field(ge=0, le=366)] = 5
    escalate_days: Annotated[int, Field(ge=0, le=366)] = 5
    material_amount: Annotated[Decimal, Field(ge=0, le=10**9, decimal_places=4)] = Decimal(0)
    material_percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)] = Decimal(0)
    bucket_set: BucketSetName = "AR"
    calendar: CalendarName = "NL"
    closed_days: ClosedDays = ()
    pauses: Literal["FLAG", "STOP"] = "FLAG"
    pauses_file: Path | None = None
    overlap_minutes: Annotated[int, Field(ge=1, le=10_080)] = 15
    full_sweep_days: Annotated[int, Field(ge=1, le=60)] = 7
    clock_skew_minutes: Annotated[int, Field(ge=0, le=10_080)] = 2
    fail_on: Literal["low", "medium", "high", "critical", "never"] = "high"


class GateSettings(Section):
    """Above these a run is held."""

    quarantine_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    change_share: Annotated[float, Field(ge=0)] = 0.30
    freshness_hours: Annotated[float, Field(gt=0)] = 36


class OutcomeSettings(Section):
    """Rules under which a plan counts as broken; 0 or false is off."""

    consecutive_missed: Annotated[int, Field(ge=0)] = 2
    total_late: Annotated[int, Field(ge=0)] = 0
    days_past_due: Annotated[int, Field(ge=0)] = 0
    overdue_share: Annotated[float, Field(ge=0, le=1)] = 0
    provider_deactivated: bool = False
    probation: Annotated[int, Field(ge=0)] = 0


class BucketSettings(Section):
    """A bucket set of one's own: ranges of days past due, chosen by `bucket_set = "OWN"`."""

    ranges: Ranges = []


class WarehouseSettings(Section):
    """Where the figures live between runs."""

    path: Path = Path("planrecon.duckdb")
    state_dir: Path = Path("planrecon.state")


class ReportSettings(Section):
    """Where reports go, and in which formats."""

    dir: Path = Path("reports")
    formats: Formats = ["csv", "parquet", "html", "xlsx"]


class WritePolicy(Section):
    """What a proposed plan may look like at most; one that does not is rejected on request. Empty is off."""

    max_terms: Annotated[int, Field(ge=1)] | None = None
    max_months: Annotated[int, Field(ge=1)] | None = None
    max_days_to_first: Annotated[int, Field(ge=0)] | None = None
    min_term_amount: Annotated[Decimal, Field(gt=0)] | None = None
    min_first_share: Annotated[Decimal, Field(gt=0, le=1)] | None = None


class WriteSettings(Section):
    """Limits on what may be changed at a provider."""

    production: bool = False
    max_count: Annotated[int, Field(ge=0)] = 100
    max_sum: Annotated[int, Field(ge=0)] = 100_000
    approval_hours: Annotated[float, Field(gt=0)] = 24
    worst_delay_seconds: Annotated[float, Field(ge=0)] | None = None
    policy: WritePolicy = WritePolicy()


class ScaleSettings(Section):
    """Machines beyond this one."""

    dask_address: str | None = None


class Conventions(Section):
    """How the provider's schedules are generated, where its pages leave a choice."""

    remainder: Literal["LAST", "FIRST", "SPREAD"] | None = None
    short_month: Literal["LAST_DAY", "OVERFLOW", "OVERFLOW_31"] | None = None
    fifth_week: Literal["LAST", "SKIP", "NEXT"] | None = None
    shift_order: Literal["WEEKEND_FIRST", "HOLIDAY_FIRST"] | None = None
    shift_mode: Literal["ONCE", "REPEAT"] | None = None
    cascade: bool | None = None
    collision: Literal["KEEP", "MERGE", "NEXT_DAY"] | None = None


class ProviderSettings(Section):
    """What every provider section takes."""

    base_url: str
    enabled: bool = True
    tenant: str | None = None
    timezone: Zone | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    token_url: str | None = None
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    page_size: Annotated[int, Field(ge=1, le=5000)] | None = None
    ca_file: Path | None = None
    byte_budget_mb: Annotated[float, Field(gt=0, le=4096)] = 64
    sweep_minutes: Annotated[float, Field(gt=0)] = 120
    grace_days: Annotated[int, Field(ge=0, le=366)] | None = None
    tolerance: ToleranceText | None = None
    calendar: CalendarName | None = None
    closed_days: ClosedDays | None = None
    bucket_set: BucketSetName | None = None
    weekend: Weekend = WEEKEND
    conventions: Conventions = Conventions()
    assumed: dict[str, str] = {}
    worst_delay_seconds: Annotated[float, Field(ge=0)] | None = None

    NAME: ClassVar[str] = ""
    SECRETS: ClassVar[tuple[str, ...]] = ("token", "client_secret")

    def symbols(self) -> Mapping[str, str]:
        """Return the currency that each sign stands for, where the provider writes signs."""
        return {}

    def tenants(self) -> list[str]:
        """Return the tenants to pull of those the provider lists; `*` is all of them."""
        return ["*"]

    def accounts_list(self) -> Path | None:
        """Return the file that names the accounts, where the provider lists none."""
        return None

    def own_keys(self) -> dict[str, Any]:
        """Return what this provider's connection takes beside what all take."""
        return {}

    def secret(self, name: str) -> str | None:
        """Return the secret `name` from its value or its file, without white space around it; None where neither is set.

        Raises:
            SecretError: it cannot be read, is empty, or holds what no secret holds; the message names key and file.
        """
        value: SecretStr | None = getattr(self, name)
        file: Path | None = getattr(self, f"{name}_file")
        key = f"providers.{self.NAME}.{name}"
        if value is not None:
            return _sound(_from_block(value.get_secret_value()), key)
        if file is None:
            return None
        key += "_file"
        text = read_text(file, error=SecretError, save_as="plain text in UTF-8", key=key, is_marked=False)
        return _sound(text, f"{key} {str(file)!r}")


def _sound(text: str, key: str) -> str:
    """Return a secret that can be sent, or say what is wrong with it, never what it is."""
    secret = text.strip()
    if not secret:
        raise SecretError(f"{key} is empty; give the secret, or remove the key")
    if SPEAKABLE.fullmatch(secret):
        return secret
    wrong = next(letter for letter in secret if not SPEAKABLE.fullmatch(letter))
    kind = (
        "a line break"
        if wrong in "\r\n"
        else "a control character"
        if ord(wrong) < ord(" ")
        else "a letter that is not ASCII"
    )
    place = secret.index(wrong) + 1
    raise SecretError(
        f"{key} holds {kind} at place {place}, for example a dash or a quote as text programs write them; copy the secret again"
    )


def _from_block(text: str) -> str:
    """Resolve `prefect-secret:NAME` to the value of that Prefect Secret block; other text is itself."""
    scheme, colon, name = text.partition(":")
    if scheme != "prefect-secret" or not colon:
        return text
    where = ""
    if url := address():
        require_answer(INSTEAD)
        where = f" at {shown(url)}"
    else:
        prepare_embedded()
    from prefect.blocks.system import Secret

    try:
        block: Any = Secret.load(name)  # typed as perhaps a coroutine; outside an event loop it is the block
    except ValueError:
        raise SettingsError(f"there is no Prefect Secret block {name!r}{where}; make it, {INSTEAD}") from None
    return str(block.get())


class PaytSettings(ProviderSettings):
    """Payt: receivables, EU."""

    base_url: str = "https://api.paytsoftware.com"
    timezone: Zone | None = "Europe/Amsterdam"
    administrations: Texts = ["*"]
    fields: bool = True
    refresh_token: SecretStr | None = None
    refresh_token_file: Path | None = None

    NAME: ClassVar[str] = "payt"
    SECRETS: ClassVar[tuple[str, ...]] = ("token", "client_secret", "refresh_token")

    def tenants(self) -> list[str]:
        """Return the configured administrations."""
        return list(self.administrations)

    def own_keys(self) -> dict[str, Any]:
        """Return which administrations and fields to ask for."""
        return {
            "administrations": tuple(self.administrations),
            "fields": self.fields,
            "refresh_token": self.secret("refresh_token"),
        }


class TotalitySettings(ProviderSettings):
    """Totality LMS: loans, US."""

    NAME: ClassVar[str] = "totality"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = "USD"
    timezone: Zone | None = "America/New_York"
    allocates: Literal["AMOUNT", "PRINCIPAL_INTEREST"] = "AMOUNT"


class PayiqSettings(ProviderSettings):
    """PNC PayIQ: bill payment, US."""

    timezone: Zone | None = "America/New_York"
    currency_symbols: dict[str, str] = {"$": "USD"}
    accounts_file: Path | None = None
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    signing_secret: SecretStr | None = None
    signing_secret_file: Path | None = None
    role: str | None = None

    NAME: ClassVar[str] = "payiq"
    SECRETS: ClassVar[tuple[str, ...]] = ("token", "client_secret", "api_key", "signing_secret")

    def symbols(self) -> Mapping[str, str]:
        """Return the configured signs."""
        return self.currency_symbols

    def accounts_list(self) -> Path | None:
        """Return the configured file."""
        return self.accounts_file

    def own_keys(self) -> dict[str, Any]:
        """Return how calls are signed, and for whom."""
        return {
            "api_key": self.secret("api_key"),
            "signing_secret": self.secret("signing_secret"),
            "role": self.role,
        }


SECTIONS: dict[str, type[ProviderSettings]] = {
    section.NAME: section for section in (PaytSettings, TotalitySettings, PayiqSettings)
}
"""The section of each provider, in the order of the reports; a provider from elsewhere adds a line."""


def sections_to_add() -> str:
    """Return the sections that could be configured, for a sentence."""
    *some, last = (f"[providers.{name}]" for name in SECTIONS)
    return f"{', '.join(some)} or {last}"


class Providers(Section):
    """One section for each provider to pull; one without a section is not pulled.

    Its fields are those of `SECTIONS`: see `settings_class`.
    """

    def configured(self) -> dict[str, ProviderSettings]:
        """Return the enabled sections by provider name, in a fixed order."""
        sections = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: section for name, section in sections.items() if section is not None and section.enabled}


class Settings(BaseSettings):
    """The whole configuration of planrecon."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    run: RunSettings = RunSettings()
    gates: GateSettings = GateSettings()
    outcome: OutcomeSettings = OutcomeSettings()
    buckets: BucketSettings = BucketSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    reports: ReportSettings = ReportSettings()
    writes: WriteSettings = WriteSettings()
    scale: ScaleSettings = ScaleSettings()
    providers: Providers = Providers()

    content: ClassVar[dict[str, Any]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let explicit values win over the environment, and that over the file."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=cls.content))

    def options(self) -> dict[str, Options]:
        """Return the computation's options for each provider, configured or not."""
        return {name: self._options(getattr(self.providers, name)) for name in type(self.providers).model_fields}

    def _options(self, section: ProviderSettings | None) -> Options:
        run = self.run
        own = section if section is not None else ProviderSettings(base_url="")
        return Options(
            grace_days=run.grace_days if own.grace_days is None else own.grace_days,
            tolerance=Tolerance.parse(own.tolerance or run.tolerance),
            residual=run.residual,
            grace_mode=run.grace_mode,
            day_basis=run.day_basis,
            dpd_origin=run.dpd_origin,
            allocates=getattr(own, "allocates", "AMOUNT"),
            material_amount=run.material_amount,
            material_percent=run.material_percent,
            settlement_days=run.settlement_days,
            stale_pending_days=run.stale_pending_days,
            escalate_days=run.escalate_days,
            bucket_set=self._bucket_set(own.bucket_set or run.bucket_set),
            calendar=own.calendar or run.calendar,
            weekend=own.weekend,
            closed_days=tuple(day for day, _ in self._own_days(own)),
        )

    def _bucket_set(self, name: str) -> str:
        return written(self.buckets.ranges) if name == "OWN" else name

    def conventions(self) -> dict[str, ScheduleConventions]:
        """Return how each provider makes its schedules: the usual way, where the configuration does not say otherwise."""
        return {name: _conventions(getattr(self.providers, name)) for name in type(self.providers).model_fields}

    def calendars(self) -> dict[str, Calendar]:
        """Return the closed days of each provider: its schedules avoid them, and none of them is a business day."""
        return {
            name: Calendar(own.calendar, own.weekend, self._own_days(getattr(self.providers, name)))
            for name, own in self.options().items()
        }

    def _own_days(self, section: ProviderSettings | None) -> OwnDays:
        """Return the days that the configuration closes beside the calendar's; a provider's list stands in for the run's."""
        return self.run.closed_days if section is None or section.closed_days is None else section.closed_days

    def zone(self) -> ZoneInfo:
        """Return the reporting time zone, which decides what "today" is."""
        return ZoneInfo(self.run.timezone)


def settings_class() -> type[Settings]:
    """Return a new `Settings` class with a section for each provider of `SECTIONS`."""
    fields: dict[str, Any] = {name: (section | None, None) for name, section in SECTIONS.items()}
    providers = create_model("Providers", __base__=Providers, **fields)
    return create_model("Settings", __base__=Settings, providers=(providers, providers()))


def _conventions(section: ProviderSettings | None) -> ScheduleConventions:
    given = section.conventions.model_dump(exclude_none=True) if section is not None else {}
    return ScheduleConventions(**given)


Model = TypeVar("Model", bound=BaseModel)


def chosen_file(file: Path | None = None) -> Path | None:
    """Return the configuration file to read: the one asked for, else `planrecon.toml` if there is one; null is the environment alone."""
    return file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)


def beside(file: Path | None, path: Path) -> Path:
    """Return where a path of the configuration leads: from the folder of its file, whatever the working directory is.

    The file may be a link: the folder is the one it is named in, not the one the link leads to.
    """
    return file.absolute().parent / path if file is not None else path


def load(file: Path | None = None, **explicit: Any) -> Settings:
    """Return the settings of `file`, else of `planrecon.toml` if there is one, with the environment over it.

    Every path in them is placed: see `beside`.

    Raises:
        SettingsError: the file is missing or no TOML, a key is unknown or a value is wrong;
            the message names the key, the value unless it is a secret, and what to do.
    """
    chosen = chosen_file(file)
    content = _content(chosen) if chosen is not None else {}
    _refuse_unknown_variables(os.environ)
    bound = settings_class()
    bound.content = content
    try:
        settings = bound(**explicit)
    except ValidationError as error:
        raise SettingsError("; ".join(_complaints(error, chosen))) from None
    except ValueError as error:
        raise SettingsError(_no_json(error)) from None
    _refuse_missing_ranges(settings)
    placed = _placed(settings, chosen)
    tracebacks.keep_below(placed.warehouse.state_dir)
    return placed


def require_validation() -> None:
    """Refuse to compute where the environment switches validation off.

    Our gates hold all the same; but who set the variable wants something that no run gives, and should know.

    Raises:
        SettingsError: names the variable and its value.
    """
    enabled, depth = os.environ.get("PANDERA_VALIDATION_ENABLED"), os.environ.get("PANDERA_VALIDATION_DEPTH")
    if enabled is not None and enabled not in ON:
        raise SettingsError(f"PANDERA_VALIDATION_ENABLED is {enabled!r}, which switches validation off; unset it")
    if depth not in {None, "SCHEMA_AND_DATA"}:
        raise SettingsError(f"PANDERA_VALIDATION_DEPTH is {depth!r}, which leaves part of the validation out; unset it")


def _content(file: Path) -> dict[str, Any]:
    """Return what the file says."""
    if file.is_dir():
        raise SettingsError(f"configuration file {str(file)!r} is a folder; give the file in it with --config")
    if not file.exists():
        raise SettingsError(f"configuration file {str(file)!r} does not exist; give its path with --config")
    text = read_text(file, error=SettingsError, key="configuration file", is_marked=False)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"configuration file {str(file)!r} is no TOML: {error}; correct that line") from None


def _no_json(error: ValueError) -> str:
    """Name the variable that should hold a table or a list, and its value unless it holds a whole section."""
    cause = error.__cause__
    if not isinstance(cause, json.JSONDecodeError):
        return f"the environment cannot be read: {error}"
    names = [name for name, value in os.environ.items() if name.upper().startswith(PREFIX) and value == cause.doc]
    if not names:
        return f"the environment cannot be read: {error}"
    path = names[0][len(PREFIX) :].lower().split("__")
    shown = "" if _known_at(path) else f" is {cause.doc[:SHOWN]!r}, which"
    return f'variable {names[0]}{shown} is no JSON ({cause.msg}); write a table as {{"key": "value"}}, a list as [1, 2]'


def _placed(section: Model, file: Path | None) -> Model:
    """Return the section with each of its paths where it leads, defaults and those of the environment too."""
    changed: dict[str, Any] = {}
    for name, value in section:
        if isinstance(value, Path):
            changed[name] = beside(file, value)
        elif isinstance(value, BaseModel):
            changed[name] = _placed(value, file)
    return section.model_copy(update=changed)


def _refuse_missing_ranges(settings: Settings) -> None:
    sections = {f"providers.{name}": section.bucket_set for name, section in settings.providers.configured().items()}
    wanting = [name for name, word in {"run": settings.run.bucket_set, **sections}.items() if word == "OWN"]
    if wanting and not settings.buckets.ranges:
        raise SettingsError(
            f"key '{wanting[0]}.bucket_set' is 'OWN', and there is no bucket set of your own; "
            "add [buckets] with ranges = [[0, 0], [1, 30], [31]]"
        )


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = set(Settings.model_fields)
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX):
            continue
        section = name[len(PREFIX) :].lower().split("__")[0]
        if section not in known:
            raise SettingsError(f"environment variable {name} sets no known key{_nearest(section, known)}")


def _nearest(word: str, known: Mapping[str, object] | set[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}"


def _complaints(error: ValidationError, file: Path | None) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_context=False):
        path = [str(part) for part in fault["loc"]]
        key, where = ".".join(path), _source(path, file)
        if fault["type"] == "extra_forbidden":
            yield f"unknown key {key!r} in {where}{_nearest(path[-1], _known_at(path[:-1]))}"
        elif fault["type"] == "missing":
            yield f"key {key!r} is missing in {where}; add it"
        else:
            said = fault["msg"].removeprefix("Value error, ")
            shown = _shown(path, fault["input"])
            yield f"key {key!r} in {where}: {said}{f'; it is {shown}' if shown and shown not in said else ''}"


def _source(path: list[str], file: Path | None) -> str:
    """Name the variable that sets a key or a table it is in, else the file."""
    variables = {name.upper(): name for name in os.environ}
    for length in range(len(path), 0, -1):
        name = PREFIX + "__".join(path[:length]).upper()
        if name in variables:
            return f"variable {variables[name]}"
    return str(file) if file is not None else "the environment"


def _shown(path: list[str], value: object) -> str:
    """Return a value as a message may show it: short, of one line, and nothing that is or may hold a secret."""
    secrets = {name for section in SECTIONS.values() for name in section.SECRETS}
    if secrets & set(path) or _known_at(path) or not isinstance(value, str | int | float | Decimal | date):
        return ""
    return repr(value if isinstance(value, str | int | float) else str(value))[:SHOWN]


def _known_at(path: list[str]) -> set[str]:
    model: Any = settings_class()
    for part in path:
        field = model.model_fields.get(part)
        if field is None:
            return set()
        kinds = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if _is_model(kind)]
        if not kinds:
            return set()
        model = kinds[0]
    return set(model.model_fields)


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
