"""Find out whether a Prefect API is configured and answers, and how to go on without it."""

import contextlib
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from flows.errors import OrchestratorUnreachable, SettingsError

PROFILES = Path("~/.prefect/profiles.toml")
PATIENCE = 10.0
"""Seconds to wait for the API's first answer."""


def address() -> str | None:
    """Return the URL of the configured Prefect API, without the slow import of Prefect if clearly none is configured."""
    if not os.environ.get("PREFECT_API_URL"):
        profiles = os.environ.get("PREFECT_PROFILES_PATH", str(PROFILES))
        home = Path(os.environ.get("PREFECT_HOME", "~/.prefect"), "profiles.toml")
        try:
            files = [Path(profiles).expanduser(), home.expanduser()]
        except RuntimeError:
            files = []  # neither HOME nor an entry for this user, as in a container: no profile either
        if not os.environ.get("PREFECT_PROFILE") and not any(file.is_file() for file in files):
            return None
    from prefect.settings import PREFECT_API_URL

    return PREFECT_API_URL.value() or None


def require_answer(instead: str) -> str:
    """Return the address of the configured Prefect API, which answers.

    `instead` says what to do without one.

    Raises:
        SettingsError: none is configured.
        OrchestratorUnreachable: it does not answer, or is of another version.
    """
    url = address()
    if url is None:
        raise SettingsError(
            f"no Prefect API is configured; set PREFECT_API_URL, for example with `{program()} server start` running, {instead}"
        )
    if reason := _complaint():
        raise OrchestratorUnreachable(
            f"the Prefect API at {shown(url)} cannot be used ({reason}); start it or correct PREFECT_API_URL, {instead}"
        )
    return url


def without() -> str:
    """Say how to go on without the configured API."""
    is_variable = bool(os.environ.get("PREFECT_API_URL"))
    return f"or run without Prefect: {'unset PREFECT_API_URL' if is_variable else f'`{program()} config unset PREFECT_API_URL`'}"


def program() -> str:
    """Return Prefect's command as the caller can type it: bare where it is on the path, else by the way to it.

    It lies beside the Python that runs us, in a checkout's environment as in an installed program's.
    """
    beside = Path(sys.executable).with_name("prefect")
    on_path = shutil.which("prefect")
    if on_path is not None and Path(on_path).resolve() == beside.resolve():
        return "prefect"
    is_near = beside.is_relative_to(Path.cwd())
    return shlex.quote(os.path.relpath(beside) if is_near else str(beside))


def shown(url: str) -> str:
    """Return the address without the password that may be part of it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _complaint() -> str:
    """Ask the API once; return in a few words why it cannot be used, empty where it can."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    asked_once = {PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: PATIENCE}
    failure: Exception | None
    try:
        with temporary_settings(asked_once), get_client(sync_client=True) as client:
            failure = client.api_healthcheck()
            if failure is None:
                client.raise_for_api_version_mismatch()
    except Exception as error:  # noqa: BLE001  whatever its client raises, the API cannot be used
        failure = error
    if failure is None:
        return ""
    told = " ".join(str(failure).split()).partition(" For more information")[0]
    return re.sub(r"//[^/\s]*@", "//", told) or type(failure).__name__


def prepare_embedded() -> None:
    """Make the server fit that Prefect starts for a single run: patient on a slow machine, its database private."""
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
    from prefect.settings import PREFECT_HOME

    home = Path(PREFECT_HOME.value())
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in home.glob("prefect.db*"):  # made by an earlier start; what is made from here on is private anyway
        with contextlib.suppress(PermissionError):
            file.chmod(0o600)
