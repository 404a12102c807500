"""The commit log notices every change to its lines, and survives being cut off."""

import json
import os
import stat

import pytest

from sql.errors import CannotWrite, Damaged
from sql.storage.commit_log import CommitLog


@pytest.fixture
def commit_log(tmp_path):
    return CommitLog(tmp_path / "state")


def test_lines_come_back_in_order_and_by_kind(commit_log):
    commit_log.append("load", {"load_no": 1})
    commit_log.append("run", {"run_id": "r1"})
    commit_log.append("load", {"load_no": 2, "provider": "payt"})

    assert [line.number for line in commit_log.read()] == [1, 2, 3]
    assert [line.facts for line in commit_log.read("load")] == [{"load_no": 1}, {"load_no": 2, "provider": "payt"}]
    assert commit_log.verify() == 3


def test_a_commit_log_that_was_never_told_anything_is_empty(commit_log):
    assert commit_log.read() == []
    assert not commit_log.path.exists()


def test_the_file_is_private(commit_log):
    before = os.umask(0)
    try:
        commit_log.append("load", {"load_no": 1})
    finally:
        os.umask(before)
    assert stat.S_IMODE(commit_log.path.stat().st_mode) == 0o600


def test_a_last_line_that_was_cut_is_dropped_and_written_again(commit_log):
    commit_log.append("load", {"load_no": 1})
    whole = commit_log.path.read_bytes()
    commit_log.append("load", {"load_no": 2})
    longer = commit_log.path.read_bytes()
    for length in range(len(whole), len(longer)):
        commit_log.path.write_bytes(longer[:length])
        assert [line.facts["load_no"] for line in commit_log.read()] == [1]
        commit_log.append("load", {"load_no": 2})
        assert commit_log.path.read_bytes() == longer


def test_every_changed_byte_of_an_earlier_line_is_found(commit_log):
    for number in (1, 2, 3):
        commit_log.append("load", {"load_no": number})
    body = commit_log.path.read_bytes()
    for byte in range(len(body.split(b"\n")[0])):
        commit_log.path.write_bytes(body[:byte] + bytes([body[byte] ^ 1]) + body[byte + 1 :])
        with pytest.raises(Damaged, match="line 1"):
            commit_log.read()


def test_a_line_that_was_taken_out_or_moved_is_found(commit_log):
    for number in (1, 2, 3):
        commit_log.append("load", {"load_no": number})
    first, second, third = commit_log.path.read_bytes().splitlines(keepends=True)
    for forged in (first + third, second + first + third, first + second + second, third):
        commit_log.path.write_bytes(forged)
        with pytest.raises(Damaged):
            commit_log.verify()


def test_a_line_that_was_written_anew_with_its_own_hash_breaks_the_next(commit_log):
    commit_log.append("load", {"load_no": 1})
    told = commit_log.path.read_bytes()
    commit_log.append("load", {"load_no": 2})
    second = commit_log.path.read_bytes()[len(told) :]
    commit_log.path.unlink()
    commit_log.append("load", {"load_no": 7})
    commit_log.path.write_bytes(commit_log.path.read_bytes() + second)

    with pytest.raises(Damaged, match="line 2"):
        commit_log.read()


def test_a_damaged_commit_log_takes_no_further_line(commit_log):
    commit_log.append("load", {"load_no": 1})
    line = json.loads(commit_log.path.read_bytes())
    commit_log.path.write_bytes(json.dumps({**line, "facts": {"load_no": 9}}).encode() + b"\n")
    before = commit_log.path.read_bytes()

    with pytest.raises(Damaged):
        commit_log.append("load", {"load_no": 2})
    assert commit_log.path.read_bytes() == before


def test_a_link_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "commits.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotWrite, match="plain file"):
        CommitLog(tmp_path / "state")
