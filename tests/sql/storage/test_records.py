"""Records written by an earlier version are read, and written again to the same bytes."""

import json

import msgspec
import pytest

from sql.runs import Run
from sql.storage.commits import CommittedLoad
from sql.storage.seals import Seal, as_json, canonical, from_json
from writes.intents import Draft

SEAL = (
    '{"complete":true,"name":"plans","pack":"000-plans.pack","pages":[{"context":{"cursor":"x"},"entity":"plans",'
    '"length":12,"offset":0,"sha256":"aaaaaaaa","status":200}],"reason":"","since":null,'
    '"started_clock":"2026-06-30T04:00:00.000000+00:00","tenant_id":"\\u00e91"}'
)
SEAL_WITH_OUR_CLOCK = SEAL.replace('"started_clock"', '"started_at":"2026-06-30T04:01:09.123456+00:00","started_clock"')
LOAD = (
    '{"load_id":"ab","load_no":1,"loaded_at":"2026-06-30T04:00:00.000000+00:00","provider":"payt",'
    '"snapshot_id":"20260630T040000000000Z-0123456789ab","tenant_id":"1"}'
)
RUN = (
    '{"as_of":"2026-06-30","ended_at":"2026-06-30T04:00:00.000000+00:00","exit_code":0,"folder":"as_of=2026-06-30/r1",'
    '"known_at":"2026-06-30T04:00:00.000000+00:00","known_load":3,"moves_breaks":true,"reason":"","run_id":"r1",'
    '"run_key":"k","run_no":7,"started_at":"2026-06-30T04:01:09.123456+00:00","state":"PUBLISHED",'
    '"summary":"{\\"a\\":\\"\\\\u00e9\\",\\"b\\":[1]}"}'
)
RUN_WITHOUT_FOLDER = RUN.replace('"as_of=2026-06-30/r1"', "null")
DRAFT = (
    '{"amount_minor":30000,"currency":"EUR","key":"key","operation":"create","owner":"50","plan_id":null,'
    '"provider":"payt","request_sha256":"55555555","summary":"create a plan","tenant_id":"1001",'
    '"terms":[["2026-12-01",10000],["2027-01-01",20000]]}'
)


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (SEAL, "c616e75b6d1e23692d8fe83ab368286fc1b24d1321ab07cb118a6626af12634d"),
        (SEAL_WITH_OUR_CLOCK, "cd5771aeeb1acda188ab2d3da8d770f95b0c751d91503816bf0d6372fd296669"),
    ],
)
def test_a_seal_keeps_its_bytes_and_its_digest(text: str, digest: str) -> None:
    seal = from_json(json.loads(text), Seal)
    assert canonical(as_json(seal)).decode() == text
    assert seal.digest == digest


def test_a_field_that_no_seal_has_is_refused_and_a_load_may_have_more() -> None:
    with pytest.raises(ValueError, match="unknown field"):
        from_json(json.loads(SEAL) | {"more": 1}, Seal)
    assert from_json(json.loads(LOAD) | {"more": 1}, CommittedLoad) == from_json(json.loads(LOAD), CommittedLoad)


def test_a_load_a_run_and_a_draft_keep_their_bytes() -> None:
    assert canonical(as_json(from_json(json.loads(LOAD), CommittedLoad))).decode() == LOAD
    for text in (RUN, RUN_WITHOUT_FOLDER):
        assert canonical(Run.from_json(json.loads(text)).to_json()).decode() == text
    draft = msgspec.convert(json.loads(DRAFT), Draft)
    assert draft.amount_minor == sum(term.amount_minor for term in draft.terms)
    assert canonical(msgspec.to_builtins(draft)).decode() == DRAFT
