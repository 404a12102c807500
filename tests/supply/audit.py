"""Look every dependency of the lock up among the known vulnerabilities: `python -m supply.audit`, with `tests` on the path.

pip-audit asks a service. It calls a list good of which it looked up nothing, and believes a service that knows nothing:
so a release with a known vulnerability is asked about as well, and each dependency must be among the answers.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
KNOWN = "django", "3.2.0"
"""A release of which every service of advisories knows; nothing here depends on it."""


def main(lock: Path = LOCK, options: Sequence[str] = ()) -> int:
    """Return 0 where every dependency was looked up and none has a known vulnerability; print what was found.

    `options` are further ones of pip-audit.
    """
    named = dependencies(lock)
    if not named:
        return _failed(f"nothing was audited: {lock} names no dependency")
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe.txt"
        probe.write_text(f"{KNOWN[0]}=={KNOWN[1]} --hash=sha256:{0:064d}\n")
        asked = ["--strict", "--require-hashes", "--disable-pip", "--vulnerability-service", "osv", "--format", "json"]
        files = ["--requirement", str(lock), "--requirement", str(probe)]
        ended = subprocess.run(
            [sys.executable, "-m", "pip_audit", *asked, "--progress-spinner", "off", *files, *options],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        answers = json.loads(ended.stdout)["dependencies"]
        found = {(canonicalize_name(one["name"]), one["version"]): one["vulns"] for one in answers}
    except (ValueError, KeyError):
        return _failed(f"nothing was audited: {(ended.stderr.strip() or 'no answer').splitlines()[-1]}")
    if not found.pop(KNOWN, ()):
        return _failed(f"nothing was audited: the service does not know what is wrong with {' '.join(KNOWN)}")
    if set(found) != named:
        return _failed(f"not audited: {', '.join(sorted(name for name, _ in named ^ set(found)))}")
    told = [
        f"{name} {version}: {vulnerability['id']}, mended in {', '.join(vulnerability['fix_versions']) or 'no release'}"
        for (name, version), vulnerabilities in sorted(found.items())
        for vulnerability in vulnerabilities
    ]
    if told:
        return _failed("\n".join(told))
    print(f"{len(found)} dependencies audited, none with a known vulnerability")
    return 0


def requirements(lock: Path) -> list[Requirement]:
    """Return each dependency that the lock names, for whatever machine."""
    heads = (line.removesuffix(" \\") for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line)
    return [Requirement(head) for head in heads if not head.startswith((" ", "#"))]


def dependencies(lock: Path) -> set[tuple[str, str]]:
    """Return name and version of each dependency that the lock names for this machine."""
    return {
        (canonicalize_name(one.name), next(iter(one.specifier)).version)
        for one in requirements(lock)
        if one.marker is None or one.marker.evaluate()
    }


def _failed(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(options=sys.argv[1:]))
