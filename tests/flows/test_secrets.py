"""No secret is written anywhere: not by a run that succeeds, not by one that fails, not by one that is killed."""

import time

import pytest
from storm import faults

from sandbox.credentials import CREDENTIALS
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden

CANARIES = {
    ("payt", "client_secret"): "canary-payt-client-secret-91c2",
    ("totality", "client_secret"): "canary-totality-client-secret-4f1e",
    ("payiq", "signing_secret"): "canary-payiq-signing-secret-77ab",
    ("payiq", "api_key"): "ca9a2700-5eed-4f8e-9d7c-c0ffee2d2e1f",
}
CUSTOMER = "canary-customer-token-55d0"
RUN = ("run", "--as-of", str(GOLDEN_AS_OF))


def world():
    """The worked example, whose PayIQ customer is known by a canary."""
    made = golden()
    for name in ("setups", "payments", "invoices"):
        rows = getattr(made.payiq, name)
        setattr(made.payiq, name, {(CUSTOMER, *key[1:]): value for key, value in rows.items()})
    return made


@pytest.fixture
def guarded(desk, monkeypatch):
    for (provider, name), canary in CANARIES.items():
        monkeypatch.setitem(CREDENTIALS[provider], name, canary)
    return desk(world())


def live_secrets(desk):
    """Every secret that was configured, and every bearer token and signature that crossed the wire."""
    sent = {
        word
        for requests in desk.sandbox.requests.values()
        for request in requests
        for name, value in request.headers.items()
        if name == "authorization"
        for word in value.split()
        if len(word) > 15
    }
    assert len(sent) >= 3, "each provider was signed in to"
    return sent | set(CANARIES.values()) | {CUSTOMER}


def written(desk):
    """Every file that planrecon wrote: all but the configuration and the list of accounts, which are the user's."""
    own = {desk.file, desk.folder / "payiq_accounts.csv"}
    return [path for path in desk.folder.rglob("*") if path.is_file() and not path.is_symlink() and path not in own]


def hits(desk, *said, outside=""):
    """Where a live secret can be found; a hit names the place, never the secret."""
    secrets = {secret.encode() for secret in live_secrets(desk)}
    found = [
        str(path.relative_to(desk.folder)) for path in written(desk) if any(s in path.read_bytes() for s in secrets)
    ]
    found += [f"output {number}" for number, text in enumerate(said) if any(s in text.encode() for s in secrets)]
    return [place for place in found if not (outside and place.startswith(outside))]


@pytest.mark.fault(66)
@pytest.mark.parametrize("style", ["text", "json"])
def test_a_run_that_succeeds_writes_no_secret_wherever_it_was_read(guarded, style):
    secret = guarded.folder / "totality.secret"
    if style == "json":
        secret.write_text(CANARIES["totality", "client_secret"] + "\n", encoding="utf-8")
        guarded.configure(totality={"client_secret": None, "client_secret_file": str(secret)})
    ended = guarded.command(*RUN, "--log-format", style)
    assert ended.returncode == 0, ended.stderr
    secret.unlink(missing_ok=True)
    assert len(written(guarded)) > 20
    assert hits(guarded, ended.stdout, ended.stderr) == []


@pytest.mark.fault(66)
def test_a_provider_that_repeats_a_secret_in_its_error_does_not_get_it_written(guarded):
    """Error bodies may repeat what was sent; what is kept of them stays among the raw bodies."""
    tell = " ".join([*CANARIES.values(), CUSTOMER]).encode()
    for code, match in ((403, "/v1/"), (400, "/api/"), (401, "/PayIQ/")):
        guarded.sandbox.faults.add(faults.status(code, body=tell), match=match, after=1, times=faults.FOREVER)
    ended = guarded.command(*RUN)
    assert ended.returncode in {2, 3}
    assert "Traceback" not in ended.stderr
    secrets = {*CANARIES.values(), CUSTOMER}
    assert not [secret for secret in secrets if secret in ended.stdout + ended.stderr]
    landing = str(guarded.state_dir / "landing")
    for path in written(guarded):
        if not str(path).startswith(landing):
            assert not [secret for secret in secrets if secret.encode() in path.read_bytes()], path


def test_a_refused_secret_is_not_repeated_in_the_error(guarded, monkeypatch):
    guarded.configure(totality={"client_secret": "canary-wrong-secret-0b0b"})
    ended = guarded.command(*RUN, "--provider", "totality")
    assert ended.returncode == 2
    assert "totality" in ended.stderr
    assert "canary-wrong-secret-0b0b" not in ended.stdout + ended.stderr
    assert not [path for path in written(guarded) if b"canary-wrong-secret-0b0b" in path.read_bytes()]


@pytest.mark.fault(66)
def test_a_run_that_is_killed_leaves_no_secret_behind(guarded):
    guarded.sandbox.faults.add(faults.hang(30), match=r"GET \S*/payments\?", provider="totality")
    child = guarded.start(*RUN)
    end = time.monotonic() + 60
    while len(guarded.sandbox.requests["totality"]) < 5 and time.monotonic() < end:
        time.sleep(0.01)
    child.kill()
    out, err = child.communicate(timeout=60)
    assert hits(guarded, out, err) == []
