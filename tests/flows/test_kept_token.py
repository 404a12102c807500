"""A refresh token is worth nothing once it was used: it is kept before anybody could lose it."""

import threading

import pytest

from flows.commands.cli import execute
from flows.configuration import load
from flows.kept_token import KeptToken
from flows.sources import connect
from providers.errors import NotKept
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden
from sql.errors import CannotWrite

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def renewing(desk):
    """A desk that signs in at Payt with a refresh token, which the sandbox replaces at each use."""
    made = desk(golden()).without("totality", "payiq")
    return made.configure(payt={"refresh_token": made.sandbox.credentials["payt"]["refresh_token"]})


def run(desk):
    return execute(["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF), "--fail-on", "never"])


def signs_in(desk):
    """Ask the provider who we are, as the doctor does: a token that was spent opens nothing."""
    return execute(["doctor", "--config", str(desk.file)]) == 0


def renewals(desk):
    return sum(request.path == "/oauth/token" for request in desk.sandbox.requests["payt"])


def test_the_token_of_the_first_morning_opens_the_second_and_the_third(renewing):
    assert [run(renewing) for _morning in range(3)] == [0, 0, 0]
    assert renewals(renewing) == 3
    kept = renewing.state_dir / "secrets" / "payt.refresh_token"
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("blocked", ["secrets", "secrets/payt.refresh_token"])
def test_a_token_that_could_not_be_kept_is_not_spent(renewing, blocked, capsys):
    place = renewing.state_dir / blocked
    place.parent.mkdir(parents=True, exist_ok=True)
    if blocked == "secrets":
        place.touch()
    else:
        place.mkdir()
    assert run(renewing) == 2
    said = capsys.readouterr().err
    assert "cannot_write" in said
    assert str(place) in said
    assert renewals(renewing) == 0
    if blocked == "secrets":
        place.unlink()
    else:
        place.rmdir()
    assert signs_in(renewing)


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_kept_token_that_is_no_text_is_named_by_its_file_and_never_shown(renewing, command, capsys):
    place = renewing.state_dir / "secrets" / "payt.refresh_token"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"mark\ncanary-kept-\xff\xfe")
    assert execute([command, "--config", str(renewing.file)]) == 2
    told = capsys.readouterr()
    assert "configuration" in told.out + told.err
    assert f"the kept refresh token {str(place)!r} is no text, so none was used" in told.out + told.err
    assert "canary-kept" not in told.out + told.err
    assert renewals(renewing) == 0
    place.unlink()
    assert signs_in(renewing)


def test_a_doctor_between_the_start_of_a_run_and_its_first_call_takes_nothing_from_it(renewing):
    section = load(renewing.file).providers.payt
    with connect("payt", section, state_dir=renewing.state_dir) as client:
        assert execute(["doctor", "--config", str(renewing.file)]) == 0
        assert list(client.tenants())
    assert renewals(renewing) == 2


def test_two_who_renew_at_once_do_it_one_after_the_other(tmp_path):
    first, second = (KeptToken(tmp_path / "secrets" / "payt.refresh_token", "configured-token") for _ in range(2))
    entered, read = threading.Event(), []

    def other():
        entered.set()
        with second.held():
            read.append(second.newest())

    thread = threading.Thread(target=other)
    with first.held():
        thread.start()
        entered.wait(10)
        assert first.newest() == "configured-token"
        first.keep("newer-token")
        assert read == []
    thread.join(10)
    assert read == ["newer-token"]


def test_who_waits_too_long_for_the_other_says_so_and_spends_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("flows.kept_token.PATIENCE", 0.0)
    kept = KeptToken(tmp_path / "secrets" / "payt.refresh_token", "configured-token")
    with kept.held(), pytest.raises(NotKept, match="another process has held"), kept.held():
        pass


def test_another_configured_token_makes_the_kept_one_void(tmp_path):
    path = tmp_path / "secrets" / "payt.refresh_token"
    old = KeptToken(path, "first-authorization")
    with old.held():
        old.keep("grown-out-of-it")
    assert old.newest() == "grown-out-of-it"
    assert KeptToken(path, "second-authorization").newest() == "second-authorization"


def test_a_token_whose_new_value_finds_no_room_on_disk_is_not_spent(renewing, monkeypatch, capsys):
    def full(path, _body):
        raise CannotWrite(f"cannot write {path}: No space left on device", where=path)

    with monkeypatch.context() as patch:
        patch.setattr("flows.kept_token.write_atomic", full)
        assert run(renewing) == 2
    assert "No space left" in capsys.readouterr().err
    assert renewals(renewing) == 0
    assert signs_in(renewing)
