"""On a terminal a run shows one line for each provider; elsewhere its steps are lines."""

import io
import json
import logging
import re
import sys

import pytest

from flows import live, log


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _as_before():
    kept = log.LOGGER.handlers[:], log.LOGGER.level, log.LOGGER.propagate
    yield
    log.LOGGER.handlers[:], log.LOGGER.propagate = kept[0], kept[2]
    log.LOGGER.setLevel(kept[1])


@pytest.fixture
def stream(monkeypatch):
    def opened(kind, **asked):
        said = kind()
        monkeypatch.setattr(sys, "stderr", said)
        monkeypatch.setenv("COLUMNS", "80")
        seconds = iter(range(1000))
        monkeypatch.setattr(live.time, "monotonic", lambda: float(next(seconds)))
        log.configure(**asked)
        return said

    return opened


def screen(text):
    """The lines that stay, as a terminal shows them: it goes up and clears what is below."""
    lines = [""]
    for part in re.split(r"(\x1b\[\d+A\x1b\[J|\n)", text):
        if part == "\n":
            lines.append("")
        elif part.startswith("\x1b"):
            lines[-1 - int(part[2:-4]) :] = [""]
        else:
            lines[-1] += part
    return lines[:-1]


def worked():
    with live.watching():
        for _ in range(3):
            live.came("payt", pages=1, size=500_000)
            log.LOGGER.info("  payt/1 invoices: 1 pages", extra=log.STEP)
        live.came("payiq", pages=1, size=10)
        log.LOGGER.warning("payt invoices is incomplete")
        live.came("payt", rows=1_234)


def test_a_terminal_shows_one_line_for_each_provider_below_what_stays(stream):
    said = stream(Terminal)
    log.LOGGER.info("starting", extra=log.STEP)
    worked()
    log.LOGGER.info("serving")
    first, warning, payiq, payt, last = screen(said.getvalue())
    assert (first, warning, last) == ("starting", "payt invoices is incomplete", "serving")
    assert re.fullmatch(r"payt: 3 pages, 1\.5 MB, \d+\.\d pages/s, 1,234 rows", payt)
    assert payiq.startswith("payiq: 1 pages, 0.0 MB")


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (io.StringIO, {}),
        (Terminal, {"style": "json"}),
        (Terminal, {"level": logging.WARNING}),
        (Terminal, {"level": logging.DEBUG}),
    ],
    ids=["pipe", "json", "quiet", "debug"],
)
def test_elsewhere_there_are_lines_alone(stream, kind, asked):
    said = stream(kind, **asked)
    worked()
    lines = said.getvalue().splitlines()
    assert "\x1b" not in said.getvalue()
    if asked.get("style") == "json":
        lines = [json.loads(line)["message"] for line in lines]
    steps = 0 if asked.get("level") == logging.WARNING else 3
    assert lines == ["  payt/1 invoices: 1 pages"] * steps + ["payt invoices is incomplete"]


def test_no_line_is_wider_than_the_window(stream, monkeypatch):
    said = stream(Terminal)
    monkeypatch.setenv("COLUMNS", "30")
    worked()
    assert max(len(line) for line in screen(said.getvalue()) if line.startswith("pay")) == 29
