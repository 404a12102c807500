"""The output printed in README is the output of the demo's scenario, line by line."""

import re
from pathlib import Path

from sandbox.worlds import scenarios

README = Path(__file__).parents[2] / "README.md"
VARYING = re.compile(r"^(known at|reports:|page:)")
"""Lines that name moments, run ids and paths."""


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines() if line.strip() and not VARYING.match(line)]


def test_the_output_in_the_readme_is_what_the_demo_prints(desk):
    printed = README.read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    standing = desk(scenarios.demo()).configure(
        run={"clock_skew_minutes": 0}
    )  # as the demo does: its clock stands still
    finished = standing.run(scenarios.DEMO_AS_OF)
    assert lines(printed) == lines(finished.text)


def test_the_first_screen_has_the_claim_and_the_two_commands():
    first = README.read_text(encoding="utf-8").splitlines()[:12]
    assert first[0] == "# planrecon"
    assert any(line.startswith("make demo") for line in first)
    assert any(line.startswith("make test") for line in first)
