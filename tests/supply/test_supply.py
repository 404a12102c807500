"""What is installed is what was locked: by hash, whole, under licences that are known, and listed."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from supply.audit import LOCK, dependencies, requirements
from supply.licences import TARGET, TOLD, UnknownLicenceError, licence, render

PROJECT = LOCK.parent


def installed(folder, digest):
    """How pip ends that is to install a wheel of ours by this hash, as `make setup` tells it to."""
    (folder / "wanted.txt").write_text(f"probe==1 --hash=sha256:{digest}\n")
    asked = ["--dry-run", "--isolated", "--no-index", "--no-deps", "--find-links", str(folder), "--require-hashes"]
    return subprocess.run(
        [sys.executable, "-m", "pip", "install", *asked, "-r", str(folder / "wanted.txt")],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.fault(72)
def test_a_dependency_that_was_replaced_is_not_installed(tmp_path):
    wheel = tmp_path / "probe-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("probe-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
        archive.writestr("probe-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("probe-1.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert installed(tmp_path, digest).returncode == 0
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("probe.py", "print('not what was locked')")
    refused = installed(tmp_path, digest)
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    commands = PROJECT.joinpath("Makefile").read_text(encoding="utf-8").splitlines()
    setup = [line for line in commands if re.search(r"requirements\.lock && *\\$", line)]
    assert len(setup) == 2
    assert all("--require-hashes" in line for line in setup)


@pytest.mark.fault(72)
def test_the_lock_is_what_the_project_asks_for_and_every_line_has_a_hash():
    locked, told = dict(dependencies(LOCK)), tomllib.loads(PROJECT.joinpath("pyproject.toml").read_text())["project"]
    wanted = [*told["dependencies"], *(one for extra in told["optional-dependencies"].values() for one in extra)]
    stale = [
        one
        for one in map(Requirement, wanted)
        if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"))
    ]
    assert stale == [], "call `make lock`"
    blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^ +#.*\n?", "", LOCK.read_text(encoding="utf-8")))
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert len(blocks) == len(requirements(LOCK))


def test_the_document_of_licences_is_fresh():
    assert TARGET.read_text(encoding="utf-8") == render(), "run `make docs`"
    assert set(TOLD) <= {canonicalize_name(one.name) for one in requirements(LOCK)}


@pytest.mark.parametrize("said", ["", "License: UNKNOWN\n", "License: Permission is hereby\n        granted to\n"])
def test_a_dependency_that_names_no_licence_stops_the_build(tmp_path, monkeypatch, said):
    folder = tmp_path / "silent-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: silent\nVersion: 1\n{said}")
    monkeypatch.syspath_prepend(tmp_path)
    lock = tmp_path / "requirements.lock"
    lock.write_text("silent==1 \\\n    --hash=sha256:0\n")
    with pytest.raises(UnknownLicenceError, match="silent names no licence"):
        render(lock)
    with pytest.raises(UnknownLicenceError, match="not installed"):
        licence("never-heard-of")


def test_the_bill_of_materials_lists_every_dependency_with_its_version(tmp_path):
    made = tmp_path / "sbom.json"
    asked = ["environment", "--pyproject", "pyproject.toml", "--output-reproducible", "--no-validate", "-o", str(made)]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", *asked, sys.executable], cwd=PROJECT, check=True)
    bill = json.loads(made.read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "planrecon")
    listed = {(canonicalize_name(one["name"]), one["version"]) for one in bill["components"]}
    assert dependencies(LOCK) <= listed
