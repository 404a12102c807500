"""The witness notices every change to what it was told, and survives being cut off."""

import json
import os
import stat

import pytest

from sql.errors import CannotWrite, Damaged
from sql.storage.commit_log import Witness


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path / "state")


def test_lines_come_back_in_order_and_by_kind(witness):
    witness.append("load", {"load_no": 1})
    witness.append("run", {"run_id": "r1"})
    witness.append("load", {"load_no": 2, "provider": "payt"})

    assert [line.number for line in witness.read()] == [1, 2, 3]
    assert [line.facts for line in witness.read("load")] == [{"load_no": 1}, {"load_no": 2, "provider": "payt"}]
    assert witness.verify() == 3


def test_a_witness_that_was_never_told_anything_is_empty(witness):
    assert witness.read() == []
    assert not witness.path.exists()


def test_the_file_is_private(witness):
    before = os.umask(0)
    try:
        witness.append("load", {"load_no": 1})
    finally:
        os.umask(before)
    assert stat.S_IMODE(witness.path.stat().st_mode) == 0o600


def test_a_last_line_that_was_cut_is_dropped_and_written_again(witness):
    witness.append("load", {"load_no": 1})
    whole = witness.path.read_bytes()
    witness.append("load", {"load_no": 2})
    longer = witness.path.read_bytes()
    for length in range(len(whole), len(longer)):
        witness.path.write_bytes(longer[:length])
        assert [line.facts["load_no"] for line in witness.read()] == [1]
        witness.append("load", {"load_no": 2})
        assert witness.path.read_bytes() == longer


def test_every_changed_byte_of_an_earlier_line_is_found(witness):
    for number in (1, 2, 3):
        witness.append("load", {"load_no": number})
    body = witness.path.read_bytes()
    for byte in range(len(body.split(b"\n")[0])):
        witness.path.write_bytes(body[:byte] + bytes([body[byte] ^ 1]) + body[byte + 1 :])
        with pytest.raises(Damaged, match="line 1"):
            witness.read()


def test_a_line_that_was_taken_out_or_moved_is_found(witness):
    for number in (1, 2, 3):
        witness.append("load", {"load_no": number})
    first, second, third = witness.path.read_bytes().splitlines(keepends=True)
    for forged in (first + third, second + first + third, first + second + second, third):
        witness.path.write_bytes(forged)
        with pytest.raises(Damaged):
            witness.verify()


def test_a_line_that_was_written_anew_with_its_own_hash_breaks_the_next(witness):
    witness.append("load", {"load_no": 1})
    told = witness.path.read_bytes()
    witness.append("load", {"load_no": 2})
    second = witness.path.read_bytes()[len(told) :]
    witness.path.unlink()
    witness.append("load", {"load_no": 7})
    witness.path.write_bytes(witness.path.read_bytes() + second)

    with pytest.raises(Damaged, match="line 2"):
        witness.read()


def test_a_damaged_witness_takes_no_further_line(witness):
    witness.append("load", {"load_no": 1})
    line = json.loads(witness.path.read_bytes())
    witness.path.write_bytes(json.dumps({**line, "facts": {"load_no": 9}}).encode() + b"\n")
    before = witness.path.read_bytes()

    with pytest.raises(Damaged):
        witness.append("load", {"load_no": 2})
    assert witness.path.read_bytes() == before


def test_a_link_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "commits.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotWrite, match="plain file"):
        Witness(tmp_path / "state")
