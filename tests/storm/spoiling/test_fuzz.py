"""A few thousand spoiled rows and pages through the real decode and load; `make fuzz` has a hundred thousand and more.

Nothing escapes, every row is accepted or in quarantine with a known code, no amount is rounded, and pages read whole
say what they say row by row. A failing seed is told and fails alone.
"""

from dataclasses import replace

import polars as pl
import pytest
from storm.pages import MAKERS
from storm.spoiling import fuzz
from storm.spoiling.fuzz import CODES, WrongError, run_seed
from storm.spoiling.mutations import ROWS

from providers import PROVIDERS
from transforms.intake import money

PAYLOADS = 1_000
"""Of each provider."""
PAYT = PROVIDERS["payt"]


@pytest.mark.fault(26, 27)
@pytest.mark.parametrize("provider", MAKERS)
def test_whatever_is_wrong_with_a_page_nothing_escapes_and_no_row_is_lost(provider):
    tally = run_seed(provider, 0, PAYLOADS)
    assert tally.payloads >= PAYLOADS
    assert tally.kinds.keys() >= ROWS.keys()
    assert tally.fetched == tally.accepted + tally.quarantined + tally.repeats
    assert min(tally.accepted, tally.quarantined) > PAYLOADS / 10, tally
    assert min(tally.refused_pages, tally.repeats) > 0, tally
    assert tally.whole > tally.pages / 10, "no page was read whole"
    assert tally.amounts > PAYLOADS / 10
    assert len(tally.codes) > len(CODES) / 2, tally.codes


def rounded(written, places):
    return (written.cast(pl.Float64, strict=False) * 100).round().cast(pl.Int64, strict=False)


def accepts_everything(patch):
    outlines = {name: replace(one, shape=replace(one.shape, accept=None)) for name, one in PAYT.OUTLINES.items()}
    patch.setattr(fuzz, "PROVIDERS", {"payt": replace(PAYT, OUTLINES=outlines)})


def rounds(patch):
    patch.setattr(money, "to_minor", rounded)


def forgets_a_reject(patch):
    def decode(entity, body, context):
        made = PAYT.decode(entity, body, context)
        made.rejects[:1] = []
        return made

    patch.setattr(fuzz, "PROVIDERS", {"payt": replace(PAYT, decode=decode)})


def lets_errors_out(patch):
    def decode(entity, body, context):
        body.decode()
        return PAYT.decode(entity, body, context)

    patch.setattr(fuzz, "PROVIDERS", {"payt": replace(PAYT, decode=decode)})


@pytest.mark.parametrize(
    "plant", [accepts_everything, rounds, forgets_a_reject, lets_errors_out], ids=lambda plant: plant.__name__
)
def test_a_planted_bug_is_found(plant, monkeypatch):
    plant(monkeypatch)
    with pytest.raises(WrongError):
        run_seed("payt", 0, PAYLOADS // 4)
