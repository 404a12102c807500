"""What waits on disk comes back as it was, and leaves nothing behind."""

from datetime import date

import polars as pl
import pytest

from sql.errors import CannotWrite
from sql.intake.parts import away

ROWS = pl.DataFrame(
    {
        "plan_id": ["1", None, "3"],
        "money_minor": [1, None, -3],
        "due_date": [date(2026, 1, 31), None, date(2026, 2, 28)],
        "tiers": [[{"minimum_minor": 1}], [], None],
        "nothing": pl.Series([None, None, None], dtype=pl.Int64),
    }
)


def test_frames_come_back_as_they_were_and_no_name_is_in_the_folder_meanwhile(tmp_path):
    with away(tmp_path) as put:
        one = put({"plans": ROWS, "terms": ROWS.clear()})
        other = put({"plans": ROWS.reverse()})
        assert list(tmp_path.iterdir()) == []
        assert other()["plans"].equals(ROWS.reverse())
        back = one()
    assert back["plans"].equals(ROWS)
    assert back["plans"].schema == back["terms"].schema == ROWS.schema
    assert back["terms"].is_empty()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with away(tmp_path / "gone") as put, pytest.raises(CannotWrite, match=r"cannot write .*/gone"):
        put({"plans": ROWS})
