"""The tutorial works, letter by letter, in an empty folder; what of the documents' commands is not run is listed with why."""

import os
import re
import select
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial.md"
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SERVES = "planrecon sandbox "
STARTS_SECONDS = 60
NOT_RUN = {
    "make setup\n": "it makes the environment that tests run in",
    "planrecon doctor\n": "it asks a provider that is not on this machine",
    '.venv/bin/python -c "from prefect.blocks': "it stores a block in a Prefect server, with the address of a real chat",
}
"""How those blocks of `docs` begin that are not run here, each with the reason."""
README = DOCS.parent / "README.md"
OURS = ".venv/bin/planrecon "
NOT_HERE = {
    "make demo": "tests/flows/test_prefect.py runs it from nothing",
    "make test": "whoever reads this did",
    ".venv/bin/prefect server start": "tests/flows/test_prefect.py starts one",
    f"{OURS}serve": "tests/flows/test_prefect.py serves the deployments",
    f"{OURS}deploy": "tests/flows/test_prefect.py registers them",
    f"{OURS}run ": "it asks what day it is; the demo was run for its own",
    f"{OURS}explain 2603018 --as-of 2026-05-31 --known-at": "nothing of the demo was known then",
    f"{OURS}plan create": "tests/flows/commands/writes has files to create from",
    f"{OURS}plan reject --where": "it needs rules, tests/flows/commands/writes/test_policy.py has them",
}
"""How those commands of the README begin that are not run here, each with the reason."""
ELSEWHERE = ("operations.md",)
"""Documents whose other blocks are run in the tutorial's folder, once it is through."""


def blocks(name):
    return [block for block in BLOCK.findall((DOCS / name).read_text(encoding="utf-8")) if not is_left_out(block)]


def is_left_out(block):
    return block.lstrip().startswith(tuple(NOT_RUN))


def told(folder):
    """The environment of a new user: our commands on the path, a browser that shows nothing, no settings."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PLANRECON_", "PREFECT_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return ours | {"PATH": path, "HOME": str(folder), "BROWSER": "true"}


def follow(given, folder):
    """What a shell prints that is given these blocks; it stops at the first command that fails."""
    script = "set -euo pipefail\n" + "".join(given)
    ran = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=told(folder), capture_output=True, text=True, timeout=240, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@contextmanager
def second_terminal(block, folder):
    """Run a block that serves, in the same folder, until the other terminal is through."""
    command = ["bash", "-c", f"exec {block}"]
    with subprocess.Popen(
        command, cwd=folder, env=told(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as serving:
        try:
            assert select.select([serving.stdout], [], [], STARTS_SECONDS)[0], "the sandboxes did not start"
            while serving.stdout.readline() and not (folder / "planrecon-sandbox" / "planrecon.toml").is_file():
                pass
            yield
        finally:
            serving.terminate()


def test_the_tutorial_works_letter_by_letter_in_an_empty_folder(tmp_path):
    given = blocks("tutorial.md")
    [at] = [number for number, block in enumerate(given) if block.startswith(SERVES)]
    follow(given[:at], tmp_path)
    with second_terminal(given[at], tmp_path):
        shown = follow(given[at + 1 :], tmp_path)
    page = next(line for line in shown.splitlines() if line.startswith("/") and line.endswith("/report.html"))
    assert "PUBLISHED  as of 2026-06-30: " in shown
    assert Path(page).stat().st_size > 0
    assert "\nok   payt: configured" in shown
    configured = tmp_path / "planrecon-sandbox"
    (configured / ".venv").symlink_to(sys.prefix)
    for name in ELSEWHERE:
        follow(blocks(name), configured)


def test_the_report_of_a_portfolio_of_ones_own_takes_six_commands():
    until_asked = TUTORIAL.read_text(encoding="utf-8").split("## 4.")[0]
    assert len("".join(BLOCK.findall(until_asked)).splitlines()) <= 6


def test_every_block_of_the_documents_is_run_or_listed_with_why():
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if blocks(path.relative_to(DOCS))}
    assert there == {"tutorial.md", *ELSEWHERE}
    every = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert not [start for start in NOT_RUN if not any(b.lstrip().startswith(start) for b in BLOCK.findall(every))]


def test_the_commands_of_the_readme_end_well_on_the_demo(demo_folder):
    """Exit 1 is no fault: the demo has breaks."""
    lines = "".join(BLOCK.findall(README.read_text(encoding="utf-8"))).replace("\\\n", " ").splitlines()
    assert not [start for start in NOT_HERE if not any(line.startswith(start) for line in lines)]
    here = [line for line in lines if not line.startswith(tuple(NOT_HERE))]
    (demo_folder / ".venv").symlink_to(sys.prefix)
    follow(["set +e\n", *(f"{line}\ncode=$?; [ $code -le 1 ] || exit $code\n" for line in here)], demo_folder)
