"""Typed settings: the sections of the configuration and their defaults; unknown keys are refused.

How the file and the environment are read is in `configuration`. Secrets are held so that printing a settings
object never shows them.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from flows.credentials import from_block, sound
from flows.errors import SecretError
from flows.given import read_text
from flows.values import (
    BucketSetName,
    CalendarName,
    ClosedDays,
    Formats,
    LinkPattern,
    Ranges,
    Texts,
    ToleranceText,
    Weekend,
    Zone,
)
from schemas import words
from schemas.conventions import Conventions
from schemas.options import Options, OutcomeRules, Tolerance
from transforms.calendars.business_days import WEEKEND
from transforms.calendars.closed_days import Calendar, OwnDays
from transforms.delinquency.buckets import written

PREFIX = "PLANRECON_"


class Section(BaseModel):
    """A table of the configuration; a key it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunSettings(Section):
    """How figures are computed, for every provider whose section does not differ."""

    timezone: Annotated[Zone, Field(description='reporting time zone: decides what "today" is')] = "Europe/Amsterdam"
    grace_days: Annotated[
        int, Field(ge=0, le=366, description="days after the due date before a term counts as missed")
    ] = 0
    tolerance: Annotated[ToleranceText, Field(description="shortfall at which a term still counts as satisfied")] = (
        "EXACT"
    )
    residual: words.Residual = "FILL"
    grace_mode: words.GraceMode = "NONE"
    day_basis: words.DayBasis = "CALENDAR"
    dpd_origin: words.DpdOrigin = "OLDEST_UNPAID"
    settlement_days: Annotated[
        int, Field(ge=0, le=60, description="business days inside which a difference is timing")
    ] = 2
    stale_pending_days: Annotated[int, Field(ge=0, le=366)] = 5
    escalate_days: Annotated[int, Field(ge=0, le=366)] = 5
    material_amount: Annotated[Decimal, Field(ge=0, le=10**9, decimal_places=4)] = Decimal(0)
    material_percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)] = Decimal(0)
    bucket_set: BucketSetName = "AR"
    calendar: Annotated[CalendarName, Field(description="holidays: any calendar of the holidays library")] = "NL"
    closed_days: ClosedDays = ()
    pauses: words.PauseMode = "FLAG"
    pauses_file: Path | None = None
    customers_file: Path | None = None
    overlap_minutes: Annotated[int, Field(ge=1, le=10_080)] = 15
    full_sweep_days: Annotated[int, Field(ge=1, le=60)] = 7
    clock_skew_minutes: Annotated[int, Field(ge=0, le=10_080)] = 2
    fail_on: Annotated[
        words.FailOn, Field(description="severity of open break from which the exit code is 1; `never`")
    ] = "high"


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
    overdue_share: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)
    provider_deactivated: bool = False
    probation: Annotated[int, Field(ge=0)] = 0
    checkpoints: Annotated[int, Field(ge=0)] = 0
    checkpoint_share: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)
    return_days: Annotated[int, Field(ge=0)] = 2


class BucketSettings(Section):
    """A bucket set of one's own: ranges of days past due, chosen by `bucket_set = "OWN"`."""

    ranges: Ranges = []


class WarehouseSettings(Section):
    """Where the figures live between runs."""

    path: Annotated[Path, Field(description="the DuckDB file; it can be rebuilt from `state_dir` alone")] = Path(
        "planrecon.duckdb"
    )
    state_dir: Annotated[Path, Field(description="landing, lock, commit log, archive of runs, kept refresh tokens")] = (
        Path("planrecon.state")
    )


class ReportSettings(Section):
    """Where reports go, and in which formats."""

    dir: Annotated[Path, Field(description="run folders and the `latest` pointer")] = Path("reports")
    formats: Annotated[Formats, Field(description="Parquet is always written: the views read it")] = list(
        words.REPORT_FORMATS
    )
    keep_days: Annotated[
        int,
        Field(ge=0, description="days after which a run's folder loses its large files; 0 keeps every folder whole"),
    ] = 0


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

    dask_address: Annotated[str | None, Field(pattern=r"^[a-z]+://\S+$")] = None
    scratch: Annotated[str | None, Field(pattern=r"^(/|[a-z0-9+.-]+://)\S+$")] = None


class ConventionSettings(Section):
    """How the provider's schedules are generated, where its pages leave a choice."""

    remainder: words.Remainder | None = None
    short_month: words.ShortMonth | None = None
    fifth_week: words.FifthWeek | None = None
    shift_order: words.ShiftOrder | None = None
    shift_mode: words.ShiftMode | None = None
    cascade: bool | None = None
    collision: words.Collision | None = None


class ProviderSettings(Section):
    """What every provider section takes."""

    base_url: Annotated[str, Field(description="where the API is; plain http only on this machine")]
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
    calendar: Annotated[CalendarName | None, Field(description="holidays for this provider's plans")] = None
    closed_days: ClosedDays | None = None
    bucket_set: BucketSetName | None = None
    weekend: Weekend = WEEKEND
    conventions: ConventionSettings = ConventionSettings()
    assumed: dict[str, str] = {}
    worst_delay_seconds: Annotated[float, Field(ge=0)] | None = None
    plan_url: LinkPattern | None = None

    NAME: ClassVar[str] = ""
    SECRETS: ClassVar[tuple[str, ...]] = ("token", "client_secret")
    SIGN_IN: ClassVar[tuple[tuple[str, ...], ...]] = (("token",), ("client_id", "client_secret"))

    @classmethod
    def ways_to_sign_in(cls) -> str:
        """Return the variables that can hold what the provider asks for, as the end of a sentence."""
        prefix = f"{PREFIX}PROVIDERS__{cls.NAME.upper()}__"
        return ", or ".join(" and ".join(f"{prefix}{key.upper()}" for key in way) for way in cls.SIGN_IN)

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
            return sound(from_block(value.get_secret_value()), key)
        if file is None:
            return None
        key += "_file"
        text = read_text(file, error=SecretError, save_as="plain text in UTF-8", key=key, is_marked=False)
        return sound(text, f"{key} {str(file)!r}")


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
    allocates: words.Allocates = "AMOUNT"


class PayiqSettings(ProviderSettings):
    """PNC PayIQ: bill payment, US."""

    timezone: Zone | None = "America/New_York"
    currency_symbols: dict[str, str] = {"$": "USD"}
    accounts_file: Annotated[Path | None, Field(description="the accounts to ask about: the API lists none")] = None
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    signing_secret: SecretStr | None = None
    signing_secret_file: Path | None = None
    role: str | None = None

    NAME: ClassVar[str] = "payiq"
    SECRETS: ClassVar[tuple[str, ...]] = ("token", "client_secret", "api_key", "signing_secret")
    SIGN_IN: ClassVar[tuple[tuple[str, ...], ...]] = (("api_key", "signing_secret"),)

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
            return_days=self.outcome.return_days,
            bucket_set=self._bucket_set(own.bucket_set or run.bucket_set),
            calendar=own.calendar or run.calendar,
            weekend=own.weekend,
            closed_days=tuple(day for day, _ in self._own_days(own)),
        )

    def outcome_rules(self) -> OutcomeRules:
        """Return when a plan counts as broken, cured, or about to break."""
        told = self.outcome
        return OutcomeRules(
            consecutive_missed=told.consecutive_missed,
            total_late=told.total_late,
            days_past_due=told.days_past_due,
            overdue_share_ppm=int(told.overdue_share * 1_000_000),
            provider_deactivated=told.provider_deactivated,
            probation=told.probation,
            checkpoints=told.checkpoints,
            checkpoint_share_ppm=int(told.checkpoint_share * 1_000_000),
        )

    def _bucket_set(self, name: str) -> str:
        return written(self.buckets.ranges) if name == "OWN" else name

    def conventions(self) -> dict[str, Conventions]:
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

    def plan_links(self) -> dict[str, str]:
        """Return the pattern of the links to plans, by provider; one that has none is left out."""
        sections = self.providers.configured().items()
        return {name: section.plan_url for name, section in sections if section.plan_url is not None}

    def zone(self) -> ZoneInfo:
        """Return the reporting time zone, which decides what "today" is."""
        return ZoneInfo(self.run.timezone)


def settings_class() -> type[Settings]:
    """Return a new `Settings` class with a section for each provider of `SECTIONS`."""
    fields: dict[str, Any] = {name: (section | None, None) for name, section in SECTIONS.items()}
    providers = create_model("Providers", __base__=Providers, **fields)
    return create_model("Settings", __base__=Settings, providers=(providers, providers()))


def _conventions(section: ProviderSettings | None) -> Conventions:
    given = section.conventions.model_dump(exclude_none=True) if section is not None else {}
    return Conventions(**given)
