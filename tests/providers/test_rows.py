"""What a strict reader does with rows nobody should have sent, one page at a time."""

import hashlib
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers import PROVIDERS
from providers.errors import NotConfigured
from providers.payt.reading import decode
from providers.tables import number_text

ASKED = {"administration_id": "7"}
TERM = {"id": "t1", "total_amount": "100.00", "amount_due": "40.00", "due_date": "2026-03-01", "payment_date": None}
PLAN = {
    "id": "p1",
    "administration_id": "7",
    "debtor_id": "d1",
    "active": True,
    "auto_activated": False,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-02-01T00:00:00Z",
    "payment_terms": [TERM],
}


def text(**changes):
    return json.dumps({**PLAN, **changes})


def page(*rows):
    return ('{"data":[' + ",".join(rows) + "]}").encode()


def read(body, entity="payment_plans", context=ASKED):
    if isinstance(body, str):
        body = body.encode()
    return decode(entity, body, context)


def ids(decoded):
    return decoded.tables["payt__payment_plans"]["id"]


def only(decoded):
    assert len(decoded.rejects) == 1, decoded.rejects
    return decoded.rejects[0]


@pytest.mark.fault(24, 26)
@pytest.mark.parametrize(
    ("bad", "code", "column"),
    [
        (text(id=None), "MISSING_FIELD", "id"),
        (text(id=""), "WRONG_TYPE", "id"),
        (text(id=True), "WRONG_TYPE", "id"),
        (text(id=1.5), "WRONG_TYPE", "id"),
        (text(id={"a": 1}), "WRONG_TYPE", "id"),
        (text(active="yes"), "WRONG_TYPE", "active"),
        (text(created_at=20260101), "WRONG_TYPE", "created_at"),
        (text(payment_terms={}), "WRONG_TYPE", "payment_terms"),
        (text(payment_terms=[TERM, {**TERM, "amount_due": 40.0}]), "WRONG_TYPE", "payment_terms.amount_due"),
        (text(payment_terms=[TERM, {**TERM, "total_amount": None}]), "MISSING_FIELD", "payment_terms.total_amount"),
        (
            text(payment_terms=[TERM, {k: v for k, v in TERM.items() if k != "due_date"}]),
            "MISSING_FIELD",
            "payment_terms.due_date",
        ),
        ("[1]", "WRONG_TYPE", None),
        ("null", "MISSING_FIELD", None),
        ('"p1"', "WRONG_TYPE", None),
        (text(administration_id="8"), "FOREIGN_TENANT", "administration_id"),
    ],
)
def test_a_bad_row_costs_itself_and_not_its_neighbours(bad, code, column):
    decoded = read(page(text(id="before"), bad, text(id="after")))
    reject = only(decoded)
    assert (reject.position, reject.code, reject.column) == (1, code, column)
    assert ids(decoded) == ["before", "after"]
    assert decoded.tables["payt__payment_plans"]["position"] == [0, 2]
    assert decoded.rows == 3


def test_a_plan_is_taken_whole_with_its_terms_or_not_at_all():
    decoded = read(page(text(id="good"), text(id="bad", payment_terms=[TERM, {**TERM, "id": None}, TERM])))
    assert decoded.tables["payt__payment_terms"]["plan_id"] == ["good"]
    reject = only(decoded)
    assert (reject.key, reject.rows) == ("bad", 3)


@pytest.mark.fault(67)
def test_a_reject_tells_field_and_type_and_never_a_value():
    decoded = read(page(text(reason="canary-person", payment_terms=[{**TERM, "amount_due": ["canary-amount"]}])))
    assert "canary" not in repr(decoded.rejects)
    assert "payment_terms[0].amount_due" in only(decoded).reason


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    "doubled",
    [
        text()[:-1] + ', "id": "p2"}',
        text()[:-1] + ', "unheard_of": 1, "unheard_of": 2}',
        text().replace('"t1"', '"t1", "amount_due": "0.00"'),
        text()[:-1] + ', "id" : "p2"}',
        text()[:-1] + ', "i\\u0064": "p2"}',
        text(reason="z").replace('"z"', '"a \\u0022: b"')[:-1] + ', "id": "p2"}',
        text(reason='a ": b')[:-1] + ', "id": "p2"}',
        text()[:-1] + ', "rejected_by_user": {"id": "1"}, "rejected_by_user": null}',
    ],
)
def test_a_key_that_stands_twice_is_found_however_it_is_written(doubled):
    decoded = read(page(text(id="before"), doubled))
    reject = only(decoded)
    assert (reject.position, reject.code) == (1, "DUPLICATE_KEY")
    assert ids(decoded) == ["before"]


@pytest.mark.parametrize("reason", ['say "id": twice', "a : b", 'a": "b', "\\", '\\":', "x\u0001y", "\t:", "é:"])
def test_text_that_looks_like_keys_is_text(reason):
    decoded = read(page(text(reason=reason)))
    assert decoded.rejects == []
    assert decoded.unknown_fields == {}


@pytest.mark.parametrize(
    "body",
    ['{"data": [], "data": []}', '{"data" : [], "data": []}', '{"data":[],"pagination":{"cursor":"a"},"data":[]}'],
)
def test_a_key_twice_around_the_rows_refuses_the_page(body):
    assert (only(read(body)).position, only(read(body)).code) == (-1, "DUPLICATE_KEY")


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MALFORMED_JSON"),
        (page(text())[:-20], "MALFORMED_JSON"),
        (b"<html>maintenance</html>", "MALFORMED_JSON"),
        (page(text()).replace(b'"40.00"', b"NaN"), "MALFORMED_JSON"),
        (page(text()).replace(b'"40.00"', b"Infinity"), "MALFORMED_JSON"),
        (page(text()).replace(b'"40.00"', b"01"), "MALFORMED_JSON"),
        (page(text()).replace(b"p1", b"p\x001"), "MALFORMED_JSON"),
        (b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "TOO_DEEP"),
        (b'{"code":"x","message":"canary"}', "ENVELOPE_ERROR"),
        (b'{"data":null}', "ENVELOPE_ERROR"),
        (b'{"data":[],"pagination":5}', "ENVELOPE_ERROR"),
        (b"[]", "ENVELOPE_ERROR"),
    ],
)
def test_a_page_that_is_not_what_is_documented_is_refused_whole(body, code):
    decoded = read(body)
    reject = only(decoded)
    assert (reject.position, reject.code) == (-1, code)
    assert "canary" not in reject.reason
    assert decoded.rows == 0
    assert ids(decoded) == []


@pytest.mark.fault(20, 26)
def test_text_that_is_not_utf8_costs_its_row():
    decoded = read(page(text(id="good"), text(id="XX")).replace(b"XX", b"\xff\xfe"))
    assert (only(decoded).position, only(decoded).code) == (1, "MALFORMED_JSON")


@pytest.mark.fault(26)
def test_the_character_nul_costs_its_row_and_a_backslash_does_not():
    decoded = read(page(text(debtor_id="a\\u0000b"), text(debtor_id="a\x00b")))
    assert (only(decoded).position, only(decoded).code) == (1, "MALFORMED_JSON")


@pytest.mark.fault(26)
def test_deep_nesting_in_a_field_nobody_reads_costs_its_row():
    deep = "[" * 60 + "]" * 60
    decoded = read(page(text(id="good"), text(id="deep")[:-1] + f', "unheard_of": {deep}}}'))
    assert (only(decoded).code, only(decoded).key) == ("TOO_DEEP", "deep")


@pytest.mark.fault(32)
def test_unknown_fields_are_counted_and_the_row_is_kept():
    decoded = read(
        page(text(new_field=1), text(payment_terms=[{**TERM, "fee": 1}, {**TERM, "fee": 2}]), text(reason="r"))
    )
    assert decoded.rejects == []
    assert decoded.unknown_fields == {"new_field": 1, "payment_terms.fee": 2}


def test_fields_that_may_be_absent_or_null_are_empty():
    bare = {name: PLAN[name] for name in ("id", "administration_id", "created_at")} | {"payment_terms": []}
    nulls = {**bare, "id": "n", "active": None, "updated_at": None, "debtor_id": None}
    decoded = read(page(json.dumps(bare), json.dumps(nulls)))
    plans = decoded.tables["payt__payment_plans"]
    assert decoded.rejects == []
    assert plans["active"] == plans["debtor_id"] == plans["updated_at"] == [None, None]
    assert decoded.tables["payt__payment_terms"]["id"] == []


@pytest.mark.parametrize("left_out", [{}, {"payment_terms": None}], ids=["absent", "null"])
def test_a_plan_that_does_not_name_its_terms_has_not_lost_them_and_stays_out(left_out):
    without = {name: value for name, value in PLAN.items() if name != "payment_terms"} | left_out
    refused = only(read(page(json.dumps(without), text(id="p2", payment_terms=[]))))
    assert (refused.position, refused.code, refused.column, refused.key) == (0, "MISSING_FIELD", "payment_terms", "p1")


def test_what_rows_carry_is_counted_also_in_nested_rows_and_what_nobody_reads_is_not():
    bare = {name: TERM[name] for name in TERM if name != "payment_date"}
    carried = read(page(text(payment_terms=[TERM, bare]), text(reason="r", approved_at=None))).carried
    assert carried["approved_at"] == (2, 1)
    assert carried["active"] == (2, 2)
    assert carried["payment_terms.payment_date"] == (0, 0), "nothing says that a term with money due was paid"
    assert "reason" not in carried


def test_ids_may_be_integers_and_stay_exact_text():
    decoded = read(page(text(id=2603746, administration_id=7, debtor_id=12345678901234567890)))
    assert ids(decoded) == ["2603746"]
    assert decoded.tables["payt__payment_plans"]["debtor_id"] == ["12345678901234567890"]


def test_every_top_level_row_carries_the_hash_of_its_own_bytes_and_children_their_parents_place():
    import hashlib

    first, second = text(id="a"), text(id="b")
    decoded = read(page(first, second))
    expected = [hashlib.sha256(row.encode()).hexdigest() for row in (first, second)]
    assert decoded.tables["payt__payment_plans"]["row_hash"] == expected
    assert "row_hash" not in decoded.tables["payt__payment_terms"]
    assert decoded.tables["payt__payment_terms"]["position"] == [0, 1]
    assert decoded.tables["payt__payment_terms"]["ordinal"] == [0, 0]


@pytest.mark.fault(26, 27)
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"3.0", "3.0"),
        (b"1234567890123456.78", "1234567890123456.78"),
        (b"0.1", "0.1"),
        (b"-0.05", "-0.05"),
        (b"100", "100"),
        (b"1e2", "100"),
        (b"1.5E-3", "0.0015"),
        (b"-0", "-0"),
        (b"1e400", None),
        (b"1e999999999", None),
        (b"9" * 41, None),
        (b'"3.0"', None),
        (b"null", None),
        (b"true", None),
    ],
)
def test_a_number_keeps_every_digit_or_is_refused(written, expected):
    assert number_text(written) == expected


def test_every_provider_names_its_tables_types_and_assumptions():
    assert set(PROVIDERS) == {"payt", "totality", "payiq"}
    for name, provider in PROVIDERS.items():
        assert provider.name == name
        assert all(table.startswith(f"{name}__") for table in provider.TABLES)
        assert all(set(types.values()) <= {"text", "bool", "bigint"} for types in provider.TABLES.values())
        assert all(entry.about for entry in provider.ASSUMED.values())


def test_an_override_of_something_that_is_no_assumption_is_refused():
    from providers.base import assumed

    provider = PROVIDERS["payt"]
    assert assumed("payt", provider.ASSUMED, {"token_path": "/t"})["token_path"] == "/t"
    with pytest.raises(NotConfigured, match="Known are"):
        assumed("payt", provider.ASSUMED, {"tokenpath": "/t"})


ENTITIES = [
    ("payt", "payment_plans"),
    ("payt", "psp_transactions"),
    ("payt", "deleted_payments"),
    ("totality", "payments"),
    ("totality", "payment_plans"),
    ("payiq", "setup"),
    ("payiq", "plan"),
    ("payiq", "payments"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "uuid", "ID", "data", "Result", "payment_terms", "Accounts", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@pytest.mark.fault(26)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=JSON, entity=st.sampled_from(ENTITIES), seed=st.integers(0, 2**32))
def test_no_page_raises_and_every_row_is_accepted_or_rejected(tree, entity, seed):
    name, kind = entity
    body = json.dumps(tree).encode()
    wrapped = {"payt": b'{"data":[%b,%b]}', "totality": b"[%b,%b]", "payiq": b'{"Success":true,"Result":[%b,%b]}'}[name]
    mutable = bytearray(wrapped % (body, body))
    draw = random.Random(seed)
    for _ in range(draw.randrange(3)):
        mutable[draw.randrange(len(mutable))] = draw.randrange(256)
    decoded = PROVIDERS[name].decode(kind, bytes(mutable), ASKED)
    main = next(iter(decoded.tables.values()))
    accepted = len(main["position"])
    if decoded.rejects and decoded.rejects[0].position == -1:
        assert (decoded.rows, accepted, len(decoded.rejects)) == (0, 0, 1)
    else:
        assert decoded.rows == accepted + len(decoded.rejects)
    for columns in decoded.tables.values():
        assert len({len(values) for values in columns.values()}) == 1


def test_a_byte_order_mark_before_a_page_is_skipped():
    assert read(b"\xef\xbb\xbf" + page(text())) == read(page(text()))


@pytest.mark.parametrize(
    "unused",
    [
        {"reason": "thanks \ud83d"},
        {"reason": "\ude00 thanks"},
        {"reason": "\ude00\ud83d"},
        {"rejected_by_user": {"name": "\ud83d"}},
        {"a_new_field": ["\ud83d"]},
    ],
    ids=["first half", "second half", "swapped", "nested", "undeclared"],
)
def test_half_a_character_in_a_field_nobody_reads_costs_nothing(unused):
    body = page(text(**unused), text(id="p2", reason="😀 \\ud83d"))
    decoded = read(body)
    assert (ids(decoded), decoded.rejects) == (["p1", "p2"], [])
    own = hashlib.sha256(text(**unused).encode()).hexdigest()
    assert decoded.tables["payt__payment_plans"]["row_hash"][0] == own, "the hash is of the bytes as received"


@pytest.mark.fault(26)
@pytest.mark.parametrize("read_field", [{"debtor_id": "d\ud83d"}, {"payment_terms": [{**TERM, "id": "t\ude00"}]}])
def test_half_a_character_in_a_field_that_is_read_costs_its_row_alone(read_field):
    decoded = read(page(text(**read_field), text(id="p2")))
    assert ids(decoded) == ["p2"]
    assert (only(decoded).code, only(decoded).key) == ("MALFORMED_JSON", "p1")
