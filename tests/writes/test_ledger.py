"""The log of changes: which state may follow which, the chain, several processes, what is kept and removed."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from sql.errors import Damaged
from writes.errors import Changed, NothingSuch, Underway
from writes.intents import APPROVED, DONE, PARKED, PLANNED, REFUSED, SENDING, UNKNOWN
from writes.ledger import Ledger

ROOT = Path(__file__).parents[2]
STATES = (PLANNED, APPROVED, SENDING, DONE, REFUSED, UNKNOWN, PARKED)
ALLOWED = {
    (PLANNED, APPROVED), (PLANNED, REFUSED),
    (APPROVED, SENDING), (APPROVED, REFUSED), (APPROVED, DONE),
    (SENDING, DONE), (SENDING, REFUSED), (SENDING, UNKNOWN), (SENDING, APPROVED),
    (UNKNOWN, DONE), (UNKNOWN, REFUSED), (UNKNOWN, SENDING), (UNKNOWN, PARKED),
    (PARKED, DONE), (PARKED, REFUSED), (PARKED, UNKNOWN),
}  # fmt: skip
"""What the design lets follow; nothing follows an end, nothing is sent that was not approved first."""


def clerk(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("clerk.py")), *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(child, timeout=60):
    try:
        out, err = child.communicate(timeout=timeout)
    except BaseException:
        child.kill()
        child.communicate()
        raise
    assert child.returncode == 0, err
    return out


# Which state may follow which


@pytest.mark.parametrize("later", STATES)
@pytest.mark.parametrize("former", STATES)
def test_only_the_steps_of_the_design_can_be_written(office, former, later):
    intent = office.brought(former)
    assert intent.state == former
    written = office.ledger.path.read_bytes()
    if (former, later) in ALLOWED:
        assert office.move(intent, later).state == later
        assert office.reopened().get(intent.intent_id).state == later
    else:
        with pytest.raises(ValueError, match=f"{former} cannot become {later}"):
            office.move(intent, later)
        assert office.ledger.path.read_bytes() == written


def test_who_looks_at_an_old_state_cannot_move_the_intent_on(office):
    stale = office.plan()[0]
    office.move(stale, SENDING)
    with pytest.raises(Underway, match="sending now"):
        office.move(stale, SENDING)
    with pytest.raises(Underway):
        Ledger(office.state_dir).move(stale, REFUSED, at=office.now(), who="ben")
    assert office.ledger.get(stale.intent_id).attempts == 1


def test_a_round_back_to_the_same_state_is_still_noticed(office):
    stale = office.plan()[0]
    office.move(stale, SENDING, APPROVED)
    with pytest.raises(Underway):
        office.move(stale, SENDING)


def test_sendings_that_may_have_been_executed_are_counted_and_those_that_were_not_are_not(office):
    intent = office.plan()[0]
    counted = [intent.attempts]
    for state in (SENDING, APPROVED, SENDING, UNKNOWN, SENDING, UNKNOWN, SENDING, APPROVED, SENDING, DONE):
        intent = office.move(intent, state)
        counted.append(intent.attempts)
    assert counted == [0, 1, 0, 1, 1, 2, 2, 3, 2, 3, 3]
    assert office.reopened().get(intent.intent_id) == intent


def test_an_intent_tells_what_its_lines_said(office):
    intent = office.plan(again="the first was lost")[0]
    assert (intent.state, intent.who, intent.again, intent.attempts) == (APPROVED, "anna@desk", "the first was lost", 0)
    sending = office.move(intent, SENDING)
    assert (sending.sent_at, sending.ended_at, sending.answer_status) == (office.at, None, None)
    sent_at = office.at
    unknown = office.move(sending, UNKNOWN, status=503, reason="status 503")
    assert (unknown.reason, unknown.answer_status, unknown.sent_at) == ("status 503", 503, sent_at)
    done = office.move(unknown, DONE, plan_id="77", found=True, reason="found at the provider")
    assert (done.plan_id, done.found, done.ended_at, done.answer_status) == ("77", True, office.at, 503)
    assert (done.is_open, done.is_read_back, done.needs_its_request) == (False, False, True)
    told = office.read_back(done, "term 1: due 2026-12-01 agreed, 2026-12-02 shown")
    assert (told.is_read_back, told.needs_its_request) == (True, False)
    assert told.differences == ("term 1: due 2026-12-01 agreed, 2026-12-02 shown",)
    assert office.reopened().get(intent.intent_id) == told


def test_history_holds_every_line_of_the_intent_and_no_other(office):
    one = office.plan("one")[0]
    other = office.plan("two")[0]
    office.move(other, SENDING, REFUSED)
    one = office.move(one, SENDING)
    one = office.move(one, DONE, plan_id="7")
    office.read_back(one, "late")
    kinds = [(line.kind, line.facts.get("state")) for line in office.ledger.history(one)]
    assert kinds == [("intent", None), ("step", APPROVED), ("step", SENDING), ("step", DONE), ("read_back", None)]
    assert [line.number for line in office.ledger.history(one)] == [1, 2, 7, 8, 9]


def test_an_intent_is_named_by_the_beginning_of_its_id_if_that_is_one_alone(office):
    names = [office.plan(f"wish {number}")[0].intent_id for number in range(40)]
    shared = next(name[0] for name in names if sum(other[0] == name[0] for other in names) > 1)
    assert office.ledger.get(names[3]).intent_id == names[3]
    assert office.ledger.get(names[3][:11]).intent_id == names[3]
    for name in (shared, "", "no such"):
        with pytest.raises(NothingSuch):
            office.ledger.get(name)


# Equal wishes


@pytest.mark.parametrize("state", [PLANNED, APPROVED, SENDING, UNKNOWN, PARKED])
def test_an_equal_wish_is_the_open_intent_whatever_is_said_of_again(office, state):
    intent = office.brought(state)
    found, is_new = office.plan(again="once more", material=b"other")
    assert (found, is_new) == (intent, False)
    assert office.material_of(intent).read_bytes() == b'{"wanted":1}'


def test_an_equal_wish_that_is_done_is_made_again_only_for_a_reason(office):
    done = office.brought(DONE)
    assert office.plan() == (done, False)
    second, is_new = office.plan(again="the debtor asked for it")
    assert is_new
    assert (second.state, second.again) == (APPROVED, "the debtor asked for it")
    assert second.intent_id != done.intent_id


def test_a_wish_prepared_before_the_equal_one_was_done_is_not_made_again(office):
    prepared_at = office.now()
    done = office.brought(DONE)
    assert office.plan(again="the plan is not in the wanted state", since=prepared_at) == (done, False)
    assert office.plan(again="x", since=done.changed_at) == (done, False)
    assert office.plan(again="x", since=done.changed_at + timedelta(microseconds=1))[1]


def test_a_refused_wish_may_be_wished_anew(office):
    refused = office.brought(REFUSED)
    again, is_new = office.plan()
    assert is_new
    assert again.intent_id != refused.intent_id


def test_the_newest_change_of_a_plan_is_found_unless_it_was_refused_or_of_another_tenant(office):
    def wish(tenant, *states, **changed):
        one = office.plan(f"{tenant} {states} {changed}", operation="reject", plan_id="9", tenant_id=tenant, **changed)
        return office.move(one[0], *states)

    first = wish("1001", SENDING, DONE)
    wish("1001", SENDING, REFUSED, owner="x")
    assert office.ledger.earlier("payt", "reject", "9", "1001").intent_id == first.intent_id
    assert office.ledger.earlier("payt", "reject", "9", "").intent_id == first.intent_id
    assert office.ledger.earlier("payt", "reject", "9", "1002") is None
    assert office.ledger.earlier("payt", "approve", "9", "1001") is None
    assert office.ledger.earlier("payiq", "reject", "9", "1001") is None


# The chain


def filled(office):
    office.move(office.plan("one")[0], SENDING, DONE)
    office.move(office.plan("two")[0], SENDING, UNKNOWN)
    return office.lines()


def test_an_untouched_log_holds(office):
    assert office.ledger.verify() == 0
    assert len(filled(office)) == 8
    assert (office.ledger.verify(), office.reopened().verify()) == (8, 8)


@pytest.mark.parametrize("place", range(8))
def test_a_changed_line_is_noticed(office, place):
    lines = filled(office)
    fields = json.loads(lines[place])
    fields["facts"]["who"] = "somebody"
    lines[place] = json.dumps(fields).encode() + b"\n"
    office.ledger.path.write_bytes(b"".join(lines))
    with pytest.raises(Damaged, match=f"line {place + 1} is not what was written"):
        office.reopened().verify()


@pytest.mark.parametrize("place", range(7))
def test_a_removed_line_is_noticed(office, place):
    lines = filled(office)
    del lines[place]
    office.ledger.path.write_bytes(b"".join(lines))
    with pytest.raises(Damaged, match=f"line {place + 1} is not"):
        office.reopened().intents()


@pytest.mark.parametrize("put", [b"{}\n", b"[1]\n", b"\n", b"null\n", b"\xff\n"])
def test_an_inserted_line_is_noticed(office, put):
    lines = filled(office)
    office.ledger.path.write_bytes(b"".join([*lines[:3], put, *lines[3:]]))
    with pytest.raises(Damaged, match="line 4 is not"):
        office.reopened().intents()


def test_lines_that_changed_places_or_stand_twice_are_noticed(office):
    lines = filled(office)
    for broken in ([lines[1], lines[0], *lines[2:]], [*lines, lines[-1]]):
        office.ledger.path.write_bytes(b"".join(broken))
        with pytest.raises(Damaged):
            office.reopened().verify()


def test_nothing_is_added_to_a_damaged_log(office):
    lines = filled(office)
    office.ledger.path.write_bytes(b"".join(lines[1:]))
    there = office.ledger.path.read_bytes()
    later = office.reopened()
    for _ in range(2):
        with pytest.raises(Damaged):
            later.plan(office.ledger.intents()[0].draft, b"{}", at=office.now(), who="ben", since=office.at)
    assert office.ledger.path.read_bytes() == there


def test_a_log_that_became_shorter_while_it_was_in_use_is_noticed(office):
    lines = filled(office)
    office.ledger.path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(Damaged, match="restore it from a backup"):
        office.ledger.intents()
    with pytest.raises(Damaged):
        office.plan("three")
    assert office.lines() == lines[:-1]


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_last_line_torn_by_a_crash_never_was_and_the_next_entry_takes_its_place(office, cut):
    lines = filled(office)
    office.ledger.path.write_bytes(b"".join(lines)[:-cut])
    later = office.reopened()
    assert later.verify() == 7
    torn = later.intents()[1]
    assert torn.state == SENDING
    later.move(torn, UNKNOWN, at=office.now(), who="ben")
    assert later.verify() == 8
    assert office.reopened().get(torn.intent_id).state == UNKNOWN
    assert office.lines()[:7] == lines[:7]


def test_a_log_that_is_a_link_is_not_followed(office, tmp_path):
    filled(office)
    office.ledger.path.rename(tmp_path / "elsewhere")
    office.ledger.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="not a plain file"):
        office.reopened().intents()
    with pytest.raises(Exception, match="not a plain file"):
        office.reopened().plan(
            office.ledger._intents.popitem()[1].draft, b"", at=office.now(), who="x", since=office.at
        )


# Several processes


def test_two_processes_that_write_at_a_time_make_one_unbroken_chain(office):
    children = [clerk("append", office.state_dir, name, 25) for name in ("anna", "ben")]
    for child in children:
        ended(child)
    # two lines of a wish, two steps, one of reading back
    assert office.ledger.verify() == 2 * 25 * 5
    intents = office.ledger.intents()
    assert len({one.intent_id for one in intents}) == 50
    assert {one.plan_id for one in intents} == {f"{name}-{number}" for name in ("anna", "ben") for number in range(25)}
    writers = [json.loads(line)["facts"]["who"] for line in office.lines()]
    assert writers.count("anna") == writers.count("ben") == 125
    assert not list(office.ledger.folder.glob("*.json"))


@pytest.mark.fault(52)
def test_of_two_processes_at_one_intent_one_has_the_effect(office, tmp_path):
    children = [clerk("effect", office.state_dir, tmp_path / "effects") for _ in range(2)]
    said = [ended(child).strip() for child in children]
    assert len((tmp_path / "effects").read_text().splitlines()) == 1
    assert said.count("sent") == 1
    assert set(said) <= {"sent", "underway", "done"}
    (one,) = office.ledger.intents()
    assert (one.state, one.attempts, one.plan_id) == (DONE, 1, "7")


def test_an_intent_that_another_process_holds_is_under_way_until_that_one_ends(office):
    one, other = office.plan("one")[0], office.plan("two")[0]
    child = clerk("hold", office.state_dir, one.intent_id)
    try:
        assert child.stdout.readline() == "at work\n"
        with pytest.raises(Underway, match="another process"), office.ledger.claim(one):
            pass
        with office.ledger.claim(other) as mine:
            assert mine == other
        # a killed process holds nothing
        child.kill()
    finally:
        child.communicate()
    with office.ledger.claim(one) as mine:
        assert mine == one


def test_a_claim_shows_what_others_wrote_meanwhile(office):
    stale = office.plan()[0]
    Ledger(office.state_dir).move(stale, SENDING, at=office.now(), who="ben")
    with office.ledger.claim(stale) as mine:
        assert (mine.state, mine.attempts) == (SENDING, 1)


# What is kept, and for how long


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}


@pytest.mark.fault(71)
def test_folders_and_files_are_for_their_owner_alone(office, tmp_path):
    before = (tmp_path).stat().st_mode
    one = office.plan()[0]
    with office.ledger.claim(one):
        found = modes(office.state_dir)
    assert found == {
        "state": 0o700,
        "intents": 0o700,
        "audit.jsonl": 0o600,
        f"{one.intent_id}.json": 0o600,
        f"{one.intent_id}.lock": 0o600,
    }
    assert tmp_path.stat().st_mode == before


def test_the_kept_request_goes_when_its_change_is_refused_or_read_back_and_not_before(office):
    one = office.plan("one", material=b"someone@example.test")[0]
    for state in (SENDING, UNKNOWN, PARKED):
        one = office.move(one, state)
        assert office.ledger.material(one) == b"someone@example.test"
    one = office.move(one, DONE, plan_id="7")
    office.ledger.tidy()
    assert office.material_of(one).exists()
    office.read_back(one)
    assert not office.material_of(one).exists()
    other = office.move(office.plan("two")[0], SENDING)
    assert office.material_of(other).exists()
    office.move(other, REFUSED)
    assert not office.material_of(other).exists()
    assert b"someone" not in office.ledger.path.read_bytes()


def test_tidying_removes_what_a_crash_left_of_requests_that_are_not_needed(office):
    needed, ended_one = office.plan("one")[0], office.brought(REFUSED, "two")
    folder = office.ledger.folder
    left = [
        folder / f"{ended_one.intent_id}.json",  # killed before it was removed
        folder / f"{ended_one.intent_id}.lock",  # likewise
        folder / "0123456789ab.json",  # killed before its line was written
        folder / ".0123456789ab.json.planrecon-tmp",  # killed while it was written
    ]
    for path in left:
        path.write_bytes(b"someone@example.test")
    office.reopened().tidy()
    assert [path.name for path in left if path.exists()] == []
    assert office.ledger.material(needed) == b'{"wanted":1}'


def test_tidying_makes_no_folder(office):
    office.ledger.tidy()
    assert not office.state_dir.exists()


@pytest.mark.parametrize("put", [b"", b'{"wanted":2}', b'{"wanted":1} ', None])
def test_a_kept_request_that_is_not_the_approved_one_is_not_given_out(office, put):
    one = office.plan()[0]
    path = office.material_of(one)
    path.unlink() if put is None else path.write_bytes(put)
    with pytest.raises(Changed, match="nothing was sent"):
        office.ledger.material(one)
