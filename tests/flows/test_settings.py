"""The configuration: file, environment over it, nothing unknown, no secret shown."""

import json
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest

from flows.configuration import load
from flows.errors import SettingsError
from flows.settings import Settings
from flows.steps.run_key import fingerprint
from schemas.conventions import Conventions


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    path = Path("planrecon.toml")
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_those_of_the_documentation() -> None:
    settings = load()
    assert settings.run.timezone == "Europe/Amsterdam"
    assert (settings.run.grace_days, settings.run.tolerance, settings.run.residual) == (0, "EXACT", "FILL")
    assert (settings.run.settlement_days, settings.run.stale_pending_days, settings.run.bucket_set) == (2, 5, "AR")
    assert (settings.gates.quarantine_share, settings.gates.change_share, settings.gates.freshness_hours) == (
        0.05,
        0.30,
        36,
    )
    assert settings.warehouse.path == Path("planrecon.duckdb")
    assert settings.reports.formats == ["csv", "parquet", "html", "xlsx"]
    assert settings.providers.configured() == {}


def test_the_file_beside_the_caller_is_read_without_being_named() -> None:
    written("[run]\ngrace_days = 3\n")
    assert load().run.grace_days == 3


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    written("[run]\ngrace_days = 3\n[providers.payt]\nbase_url = 'https://file.example'\n")
    monkeypatch.setenv("PLANRECON_RUN__GRACE_DAYS", "7")
    monkeypatch.setenv("PLANRECON_PROVIDERS__PAYT__BASE_URL", "https://env.example")
    settings = load()
    assert settings.run.grace_days == 7
    assert settings.providers.payt is not None
    assert settings.providers.payt.base_url == "https://env.example"


def test_a_provider_can_be_configured_by_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANRECON_PROVIDERS__TOTALITY__BASE_URL", "https://lender.example/api")
    assert list(load().providers.configured()) == ["totality"]


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("[run]\ngrace_day = 1\n", "run.grace_day", "grace_days"),
        ("[provider.payt]\nbase_url = 'x'\n", "provider", "providers"),
        ("[providers.payt]\nadministration = ['1']\n", "providers.payt.administration", "administrations"),
        (
            "[providers.totality.conventions]\nremainders = 'LAST'\nbase_url = 'x'\n",
            "providers.totality.conventions.remainders",
            "remainder",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(text: str, key: str, nearest: str) -> None:
    path = written(text)
    with pytest.raises(SettingsError) as refusal:
        load(path)
    assert key in str(refusal.value)
    assert repr(nearest) in str(refusal.value)


def test_a_bucket_set_of_ones_own_is_used_by_who_chooses_it() -> None:
    path = written(
        "[run]\nbucket_set = 'OWN'\n[buckets]\nranges = [[0, 0], [1, 30], [31, 60], [61]]\n"
        "[providers.payiq]\nbase_url = 'https://biller.example'\nbucket_set = 'IFRS'\n"
    )
    options = load(path).options()
    assert (options["payt"].bucket_set, options["payiq"].bucket_set) == ("0,1-30,31-60,61+", "IFRS")


def test_ranges_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANRECON_BUCKETS__RANGES", "[[0, 9], [10]]")
    monkeypatch.setenv("PLANRECON_RUN__BUCKET_SET", "OWN")
    assert load().options()["payt"].bucket_set == "0-9,10+"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[buckets]\nranges = [[0, 30], [32]]\n", "'buckets.ranges'.*leaves a gap before 32.*must start at 31"),
        ("[buckets]\nranges = [[1, 30], [31]]\n", "'buckets.ranges'.*starts at 1"),
        ("[buckets]\nranges = [[0, 30], [31, 60]]\n", "'buckets.ranges'.*must end open"),
        ("[buckets]\nranges = [[0, 30.5], [31]]\n", "'buckets.ranges"),
        ("[run]\nbucket_set = 'OWN'\n", r"'run.bucket_set' is 'OWN'.*add \[buckets\]"),
        (
            "[providers.payt]\nbucket_set = 'OWN'\n[buckets]\nranges = []\n",
            r"'providers.payt.bucket_set' is 'OWN'.*add \[buckets\]",
        ),
        ("[run]\nmaterial_amount = -1\n", "run.material_amount"),
        ("[run]\nmaterial_percent = 100.5\n", "run.material_percent"),
        ("[run]\nbucket_set = 'WEEKS'\n", "run.bucket_set"),
    ],
)
def test_buckets_and_thresholds_that_are_not_sound_are_refused_when_they_are_read(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(written(text))


def test_what_counts_as_material_is_a_setting_and_part_of_the_key_of_a_run() -> None:
    plain = fingerprint(load(written("[run]\ndpd_origin = 'FIRST_MATERIAL'\n")))
    material = load(written("[run]\nmaterial_amount = 100.5\nmaterial_percent = 1\n"))
    options = material.options()["totality"]
    assert (str(options.material_amount), str(options.material_percent)) == ("100.5", "1")
    assert fingerprint(material) != plain


def test_the_link_to_a_plan_is_a_setting_and_part_of_the_key_of_a_run() -> None:
    plain = load(written("[providers.payt]\n"))
    linked = load(written("[providers.payt]\nplan_url = 'https://payt.example/{tenant_id}/{plan_id}'\n"))
    assert (plain.plan_links(), linked.plan_links()) == ({}, {"payt": "https://payt.example/{tenant_id}/{plan_id}"})
    assert fingerprint(linked) != fingerprint(plain)


def test_a_link_that_no_plan_can_have_is_refused_with_its_key() -> None:
    path = written("[providers.payt]\nplan_url = 'https://payt.example/{plan}'\n")
    with pytest.raises(SettingsError, match=r"providers\.payt\.plan_url.*\{plan\}.*\{plan_id\} and \{tenant_id\} are"):
        load(path)


def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANRECON_GATE__QUARANTINE_SHARE", "1")
    with pytest.raises(SettingsError, match="gates"):
        load()


def test_no_secret_is_shown_by_settings_or_by_an_error() -> None:
    path = written("[providers.payt]\ntoken = 'canary-5x7'\n[run]\ngrace_days = 'soon'\n")
    with pytest.raises(SettingsError) as refusal:
        load(path)
    assert "canary-5x7" not in str(refusal.value)
    path.write_text("[providers.payt]\ntoken = 'canary-5x7'\n", encoding="utf-8")
    settings = load(path)
    assert "canary-5x7" not in repr(settings)
    assert settings.providers.payt is not None
    assert settings.providers.payt.secret("token") == "canary-5x7"


def test_a_secret_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from-a-file\n", encoding="utf-8")
    monkeypatch.setenv("PLANRECON_PROVIDERS__PAYT__TOKEN_FILE", str(tmp_path / "token"))
    settings = load()
    assert settings.providers.payt is not None
    assert settings.providers.payt.secret("token") == "from-a-file"


def test_a_provider_overrides_the_options_of_the_run() -> None:
    path = written(
        "[run]\ngrace_days = 2\ntolerance = 'CENT'\ncalendar = 'NL'\n"
        "[providers.totality]\nbase_url = 'https://lender.example/api'\ngrace_days = 10\ncalendar = 'US'\nweekend = ['fri', 'sat']\n"
    )
    options = load(path).options()
    assert (options["totality"].grace_days, options["totality"].calendar, options["totality"].weekend) == (
        10,
        "US",
        (5, 6),
    )
    assert options["totality"].tolerance.mode == "CENT"
    assert (options["payt"].grace_days, options["payt"].calendar) == (2, "NL")


CLOSED = """
[run]
closed_days = ["2026-12-31", "2026-12-24  Christmas  Eve", 2027-01-04]
[providers.payt]
[providers.totality]
base_url = "https://lender.example/api"
closed_days = ["2026-11-27 Day after Thanksgiving"]
[providers.payiq]
base_url = "https://biller.example"
closed_days = []
"""


def test_closed_days_of_ones_own_join_the_calendar_of_each_provider() -> None:
    settings = load(written(CLOSED))
    christmas, friday = date(2026, 12, 24), date(2026, 11, 27)
    calendars, options = settings.calendars(), settings.options()
    assert calendars["payt"].own_days == (
        (christmas, "Christmas Eve"),
        (date(2026, 12, 31), "closed day"),
        (date(2027, 1, 4), "closed day"),
    )
    assert calendars["totality"].own_days == ((friday, "Day after Thanksgiving"),)
    assert options["totality"].closed_days == (friday,)
    assert (calendars["payiq"].own_days, options["payiq"].closed_days) == ((), ())


def test_closed_days_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANRECON_RUN__CLOSED_DAYS", "2026-12-24 Christmas Eve, 2026-12-31")
    monkeypatch.setenv("PLANRECON_PROVIDERS__TOTALITY__BASE_URL", "https://lender.example/api")
    monkeypatch.setenv("PLANRECON_PROVIDERS__TOTALITY__CLOSED_DAYS", "2026-11-27")
    calendars = load().calendars()
    assert [str(day) for day, _ in calendars["payt"].own_days] == ["2026-12-24", "2026-12-31"]
    assert [str(day) for day, _ in calendars["totality"].own_days] == ["2026-11-27"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('["2026-02-30 Fair"]', "'2026-02-30 Fair' is no closed day"),
        ('["Christmas"]', "2026-12-24 Christmas Eve"),
        ("[2026-12-24T08:00:00]", "is no closed day"),
        ('["2026-12-24 Eve", "2026-12-24"]', "given twice"),
        ("7", "no list of dates"),
    ],
)
def test_what_is_no_closed_day_is_refused_with_its_key_and_how_to_write_one(value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"run\.closed_days") as refusal:
        load(written(f"[run]\nclosed_days = {value}\n"))
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[run]\ncalendar = 'XX'\n", r"run\.calendar"),
        ("[providers.payt]\ncalendar = 'US-ZZ'\n", r"payt\.calendar"),
    ],
)
def test_an_unknown_calendar_is_refused_before_anything_is_fetched(text: str, key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load(written(text))


def test_what_closes_a_day_is_part_of_the_settings_that_decide_a_figure() -> None:
    """Another list, another name (it stands in a trace) and another edition of the calendar make another run."""
    plain = "[providers.payt]\n"
    texts = [
        plain,
        f"{plain}closed_days = ['2026-12-24']\n",
        f"{plain}closed_days = ['2026-12-24 Eve']\n",
        f"[run]\nclosed_days = ['2026-12-24']\n{plain}",
        f"{plain}calendar = 'US'\n",
    ]
    told = [fingerprint(load(written(text))) for text in texts]
    assert len(set(told)) == len(texts)
    assert f"US (holidays {version('holidays')})" in told[-1]


@pytest.mark.fault(69)
@pytest.mark.parametrize("hostile", ["'; DROP TABLE x; --", 'EUR"', "EUR\n", "EUR;", "../../etc/passwd", "${HOME}"])
@pytest.mark.parametrize("key", ["currency", "timezone", "calendar", "bucket_set", "tolerance", "plan_url"])
def test_a_name_with_quotes_semicolons_or_line_breaks_is_refused_by_its_key(key: str, hostile: str) -> None:
    with pytest.raises(SettingsError, match=rf"providers\.payt\.{key}"):
        load(written(f"[providers.payt]\n{key} = {json.dumps(hostile)}\n"))


@pytest.mark.parametrize("zone", ["Europe/Amsterdm", "CET+1"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    path = written(f"[run]\ntimezone = '{zone}'\n")
    with pytest.raises(SettingsError, match=r"run\.timezone"):
        load(path)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load(Path("nowhere.toml"))


def test_settings_cannot_be_changed_after_loading() -> None:
    settings: Settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.run.grace_days = 9  # type: ignore[misc]


def test_every_convention_and_the_weekend_of_a_provider_are_settings() -> None:
    path = written(
        "[providers.totality]\nbase_url = 'https://lender.example/api'\nweekend = ['sun']\n"
        "closed_days = ['2026-08-03..2026-08-21 Summer closure']\n"
        "[providers.totality.conventions]\nremainder = 'SPREAD'\nshort_month = 'OVERFLOW_31'\nfifth_week = 'NEXT'\n"
        "shift_order = 'HOLIDAY_FIRST'\nshift_mode = 'REPEAT'\ncascade = true\ncollision = 'NEXT_DAY'\n"
    )
    settings = load(path)
    assert settings.conventions()["totality"] == Conventions(
        "SPREAD", "OVERFLOW_31", "NEXT", "HOLIDAY_FIRST", "REPEAT", cascade=True, collision="NEXT_DAY"
    )
    calendar = settings.calendars()["totality"]
    assert calendar.weekend == (7,)
    assert [day.isoformat() for day, _ in calendar.own_days][::20] == ["2026-08-03"]
    assert len(calendar.own_days) == 19


@pytest.mark.parametrize(("days", "numbers"), [("sun", (7,)), ("fri,sat", (5, 6)), ("7", (7,)), ("none", ())])
def test_a_weekend_comes_from_the_environment_by_names_or_numbers(days, numbers, monkeypatch) -> None:
    monkeypatch.setenv("PLANRECON_PROVIDERS__PAYT__WEEKEND", days)
    assert load().options()["payt"].weekend == numbers


@pytest.mark.parametrize("days", ["['someday']", "['sundry']", "[0]", "[8]", "[1, 2, 3, 4, 5, 6, 7]"])
def test_a_weekend_of_what_is_no_weekday_or_of_all_of_them_is_refused(days) -> None:
    with pytest.raises(SettingsError, match=r"providers\.payt\.weekend"):
        load(written(f"[providers.payt]\nweekend = {days}\n"))
