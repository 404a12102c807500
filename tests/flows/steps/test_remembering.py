"""A run looks for no reason that the run before found, unless what it kept is gone, damaged or of another version."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.steps import remembering
from flows.steps.remembering import NAME, remember, remembered
from sandbox.worlds.demo import DEMO_AS_OF, demo
from transforms.conformance import why
from transforms.conformance.remembered import REASONS, nothing_remembered


def reasons(*cases):
    answer = {"term_no": 1, "sequence": None, "paired_by": "EXTRA", "dates": "CASCADED", "dates_says": "it cascades"}
    answer |= {"amounts": None, "amounts_says": None}
    return pl.DataFrame({"case": list(cases), "answers": [[answer]] * len(cases)}, schema=REASONS)


def test_what_parts_looked_for_is_there_the_next_time_in_place_of_what_was(tmp_path):
    remember(tmp_path, nothing_remembered(), [reasons("a")])
    remember(tmp_path, remembered(tmp_path), [reasons("c", "b"), reasons("c")])
    assert_frame_equal(remembered(tmp_path), reasons("b", "c"))


def test_no_more_is_kept_than_has_room(tmp_path, monkeypatch):
    monkeypatch.setattr(remembering, "MOST_CASES", 2)
    remember(tmp_path, nothing_remembered(), [reasons("c", "a", "b")])
    assert remembered(tmp_path)["case"].to_list() == ["a", "b"]


def test_nothing_is_remembered_before_the_first_run(tmp_path):
    assert_frame_equal(remembered(tmp_path), nothing_remembered())


def test_one_flipped_bit_is_enough_to_remember_nothing(tmp_path):
    remember(tmp_path, nothing_remembered(), [reasons("a")])
    body = bytearray((tmp_path / NAME).read_bytes())
    for place in (0, 64, len(body) // 2, len(body) - 1):
        (tmp_path / NAME).write_bytes(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
        assert remembered(tmp_path).is_empty()


def test_another_version_of_the_program_remembers_nothing(tmp_path, monkeypatch):
    remember(tmp_path, nothing_remembered(), [reasons("a")])
    monkeypatch.setattr(remembering, "version", lambda: "another")
    assert remembered(tmp_path).is_empty()


def test_a_second_report_looks_for_no_reason_and_says_the_same_bytes(desk, monkeypatch):
    desk = desk(demo()).without("payt", "payiq")
    names = ("plans", "terms", "breaks")
    first = desk.tables(desk.run(DEMO_AS_OF).folder, names)
    assert any(row["code"] in {"DUE_DATE_DIFF", "AMOUNT_DIFF"} for row in desk.rows("breaks"))
    monkeypatch.setattr(why, "_judged", lambda *_: pytest.fail("looked for again"))
    assert desk.tables(desk.report(DEMO_AS_OF).folder, names) == first
    assert desk.is_sound()
