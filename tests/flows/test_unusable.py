"""A configuration, a variable, a secret or a list of accounts that cannot be used: named with its place, a secret never shown."""

import traceback

import pytest

from flows.commands import cli
from flows.configuration import load
from flows.errors import SettingsError
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden

RUN = ("run", "--as-of", str(GOLDEN_AS_OF), "--fail-on", "never")
SPOILT = {
    "with a byte order mark": b"\xef\xbb\xbf%s",
    "in UTF-16": None,
    "empty": b"",
    "of white space alone": b" \n\n",
    "with a line break in it": b"%s\nsecond-line",
    "with a dash of a text program": "%s\N{EN DASH}x".encode(),
    "in Windows-1252": b"%s\x96x",
    "with a zero byte": b"%s\0",
}
SECRET = b"canary-secret-5x7"


def spoilt(how):
    return SECRET.decode().encode("utf-16") if SPOILT[how] is None else SPOILT[how].replace(b"%s", SECRET)


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ("payt", "token"),
        ("payt", "client_secret"),
        ("payt", "refresh_token"),
        ("totality", "client_secret"),
        ("payiq", "api_key"),
        ("payiq", "signing_secret"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_named_with_its_key_and_never_shown(tmp_path, how, provider, key):
    (tmp_path / "secret").write_bytes(spoilt(how))
    file = tmp_path / "planrecon.toml"
    file.write_text(
        f"[providers.{provider}]\nbase_url = 'http://127.0.0.1:1'\n{key}_file = 'secret'\n", encoding="utf-8"
    )
    section = load(file).providers.configured()[provider]
    with pytest.raises(SettingsError) as refused:
        section.secret(key)
    said = str(refused.value)
    assert f"providers.{provider}.{key}_file {str(tmp_path / 'secret')!r}" in said
    assert "canary" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("value", ["", "  ", "canary\N{EN DASH}5x7", "canary\n5x7", "canary\x005x7"])
def test_a_secret_given_by_value_is_checked_as_well(tmp_path, value):
    settings = load(None, providers={"payiq": {"base_url": "http://127.0.0.1:1", "signing_secret": value}})
    section = settings.providers.configured()["payiq"]
    with pytest.raises(SettingsError, match=r"providers\.payiq\.signing_secret ") as refused:
        section.secret("signing_secret")
    assert "canary" not in str(refused.value)


def test_white_space_around_a_secret_is_none_of_it(tmp_path):
    (tmp_path / "secret").write_bytes(b"  abc def\r\n")
    settings = load(None, providers={"payt": {"token_file": str(tmp_path / "secret")}})
    assert settings.providers.configured()["payt"].secret("token") == "abc def"


@pytest.mark.slow
def test_a_secret_that_cannot_be_used_costs_its_provider_alone(desk, capsys):
    desk = desk(golden())
    desk.configure(gates={"change_share": 1}).run(GOLDEN_AS_OF)
    (desk.folder / "secret").write_bytes("canary\N{EN DASH}secret".encode())
    (desk.folder / "other").write_bytes(b"")
    desk.configure(
        totality={"client_secret": None, "client_secret_file": "secret"},
        payiq={"signing_secret": None, "signing_secret_file": "other"},
    )
    assert cli.execute([*RUN, "--config", str(desk.file)]) == 0
    said = capsys.readouterr()
    first = said.out.splitlines()[0]
    assert first.startswith("PUBLISHED")
    assert "totality 127.0.0.1 not read (configuration)" in first
    assert "payiq not read (configuration)" in first
    fresh = {row["provider"]: row["fresh_at"] for row in desk.rows("integrity")}
    assert fresh["payt"] > max(fresh["totality"], fresh["payiq"])
    assert f"providers.totality.client_secret_file {str(desk.folder / 'secret')!r}" in said.err
    assert "canary" not in said.out + said.err
    assert cli.execute(["doctor", "--config", str(desk.file)]) == 2
    shown = capsys.readouterr().out
    assert "fix  totality: providers.totality.client_secret_file" in shown
    assert "ok   payt" in shown


def test_missing_credentials_are_a_matter_of_the_configuration(desk, capsys):
    desk = desk(golden())
    desk.without("totality", "payiq").configure(payt={"client_secret": None})
    assert cli.execute([*RUN, "--config", str(desk.file)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("configuration: no provider could be read. payt: ")
    desk.configure(payt={"client_secret": "canary-wrong"})
    assert cli.execute([*RUN, "--config", str(desk.file)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("not_permitted: ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("CustomerToken,ReferenceNumber,OtherData\na,1,\ncafé,2,\n".encode("cp1252"), "line 3"),
        ("CustomerToken,ReferenceNumber,OtherData\na,1,\n".encode("utf-16"), "UTF-16"),
        (b"CustomerToken,ReferenceNumber,OtherData\na,1,\nb,2," + b"x" * 200_000 + b"\n", "line"),
    ],
    ids=["windows-1252", "utf-16", "a cell of 200 kB"],
)
def test_a_list_of_accounts_that_is_no_csv_in_utf8_is_named_with_its_line(desk, capsys, body, said):
    desk = desk(golden())
    (desk.folder / "payiq_accounts.csv").write_bytes(body)
    for command in (RUN, ("doctor",)):
        assert cli.execute([*command, "--config", str(desk.file)]) == 2
        printed = capsys.readouterr()
        line = next(line for line in (printed.err + printed.out).splitlines() if "payiq_accounts.csv" in line)
        assert said in line
        assert "CSV" in line
        assert "café" not in line
    assert not sum(len(requests) for name, requests in desk.sandbox.requests.items() if name == "payiq")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xef\xbb\xbf[run]\n", "byte order mark"),
        ("[run]\n# café\n".encode("cp1252"), "line 2 is not UTF-8"),
        ("[run]\n".encode("utf-16"), "UTF-16"),
        (b"[run\n", "line 1"),
        (b"[run]\ngrace_days = 1\ngrace_days = 2\n", "line 3"),
        (b"\0\0", "UTF-16"),
        (b"a = " + b"[" * 5000, "is no TOML"),
    ],
)
def test_a_configuration_that_is_no_toml_in_utf8_is_one_sentence(tmp_path, capsys, body, said):
    file = tmp_path / "planrecon.toml"
    file.write_bytes(body)
    for command in (("query", "select 1"), RUN, ("plan", "list")):
        assert cli.execute([*command, "--config", str(file)]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(f"configuration: configuration file {str(file)!r}")
        assert said in line


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RUN__GRACE_DAYS", "soon", "'run.grace_days' in variable PLANRECON_RUN__GRACE_DAYS: .* it is 'soon'"),
        ("RUN__GRACE_DAYS", "", "PLANRECON_RUN__GRACE_DAYS: .* it is ''"),
        ("RUN__FAIL_ON", "worst", "PLANRECON_RUN__FAIL_ON: .* it is 'worst'"),
        ("RUN__TIMEZONE", "Mars", "PLANRECON_RUN__TIMEZONE: 'Mars' is not a time zone"),
        ("WRITES__PRODUCTION", "perhaps", "PLANRECON_WRITES__PRODUCTION: .* it is 'perhaps'"),
        ("REPORTS__FORMATS", "pdf", "PLANRECON_REPORTS__FORMATS: .* it is 'pdf'"),
        ("PROVIDERS__PAYIQ__CURRENCY_SYMBOLS", "$=USD", r"PLANRECON_PROVIDERS__PAYIQ__CURRENCY_SYMBOLS is '\$=USD', which is no JSON"),
        ("RUN", "x", "PLANRECON_RUN is no JSON"),
        ("PROVIDERS__TOTALITY__PAGE_SIZE", "10", "'providers.totality.base_url' is missing"),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_be_used_is_named_with_its_value(monkeypatch, tmp_path, name, value, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"PLANRECON_{name}", value)
    with pytest.raises(SettingsError, match=said):
        load()


@pytest.mark.parametrize("name", ["PROVIDERS__PAYT", "PROVIDERS__PAYT__TOKEN", "PROVIDERS__PAYT__TOKN"])
def test_a_variable_that_may_hold_a_secret_is_named_without_its_value(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"PLANRECON_{name}", '{"token": ["canary-5x7"]')
    monkeypatch.setenv("PLANRECON_RUN__GRACE_DAYS", "soon")
    with pytest.raises(SettingsError) as refused:
        load()
    assert "canary" not in str(refused.value)
