"""Rows that stayed out are listed with every reason and shown with the place of their bytes; their values are not."""

import csv
import io
import re
from pathlib import Path

import pytest

from flows.commands import cli
from sandbox.worlds.scenarios import GOLDEN_AS_OF, generate


@pytest.fixture(scope="module")
def refused(open_desk, tmp_path_factory):
    """Two runs that refuse one payment: its amount has three places."""
    with open_desk(tmp_path_factory.mktemp("refused"), generate(seed=3, plans=24, as_of=GOLDEN_AS_OF)) as desk:
        desk.without("payt", "payiq")
        desk.configure(gates={"quarantine_share": 1})
        desk.payment = desk.world.totality.payments[0]
        desk.payment["amount"] = "77.345"
        desk.run(GOLDEN_AS_OF)
        desk.run(GOLDEN_AS_OF, full=True)
        yield desk


def planrecon(desk, *words):
    return cli.execute([*words, "--config", str(desk.file)])


def listed(desk, capsys, *words):
    assert planrecon(desk, "quarantine", *words, "--format", "csv") == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_a_row_is_one_line_per_reason_however_often_it_was_refused(refused, capsys):
    rows = listed(refused, capsys)
    assert [(row["provider"], row["entity"], row["times"]) for row in rows] == [("totality", "payments", "2")]
    assert rows[0]["first_seen"] < rows[0]["last_seen"]
    assert listed(refused, capsys, "list", "--entity", "payments", "--code", rows[0]["code"].lower()) == rows
    assert "77.345" not in str(rows)


def test_one_row_is_shown_with_the_place_of_its_bytes(refused, capsys):
    row = listed(refused, capsys)[0]
    assert planrecon(refused, "quarantine", "show", row["row_id"][:6]) == 0
    told = capsys.readouterr().out
    file, length, first = re.search(r"(/\S+), (\d+) bytes from byte (\d+)", told).groups()
    page = Path(file).read_bytes()[int(first) : int(first) + int(length)]
    assert b"77.345" in page
    assert "77.345" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--provider", "totalty"), "did you mean totality?"),
        (("--code", "NEGATIV"), "known are"),
        (("show", "zz"), "there is none"),
        (("show",), "there is none"),
    ],
)
def test_an_unknown_word_or_row_is_refused(refused, capsys, words, told):
    assert planrecon(refused, "quarantine", *words) == 2
    assert told in capsys.readouterr().err
