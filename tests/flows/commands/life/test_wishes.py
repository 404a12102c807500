"""Which breaks are to be accepted is read by the heads of the workbook as by the names of the columns."""

import pytest

from flows.commands.life.wishes import wishes_of

NAMES = "fingerprint,code,reason,owner,accepted_because,expires_on,maximum"
HEADS = "Fingerprint;Code;Reason;Owner;Comment;Accepted through;Accepted up to"


@pytest.mark.parametrize(("heads", "separator"), [(NAMES, ","), (HEADS, ";"), (HEADS.upper(), ";")])
def test_a_sheet_saved_as_csv_is_read_by_its_plain_heads_too(tmp_path, heads, separator):
    cells = ("a1", "TOTAL_DIFF", "NEAR", "Anna", "agreed by phone", "2026-12-31", "12.50")
    file = tmp_path / "breaks.csv"
    file.write_text(f"{heads}\n{separator.join(cells)}\n", encoding="utf-8")
    (wish,) = wishes_of(file)
    told = (wish.fingerprint, wish.owner, wish.because, wish.expires, wish.maximum)
    assert told == ("a1", "Anna", "agreed by phone", "2026-12-31", "12.50")


def test_the_reason_of_ones_own_list_is_why_a_break_is_accepted(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("Fingerprint,Owner,Reason\na1,Anna,by letter\n", encoding="utf-8")
    assert [wish.because for wish in wishes_of(file)] == ["by letter"]
