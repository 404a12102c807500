"""The file of a change: JSON and CSV give the same exact bodies, and what makes no sense is refused by its place."""

from decimal import Decimal

import pytest

from flows.changes import read_changes
from flows.errors import UsageError


@pytest.fixture
def read(tmp_path):
    def reading(text, name="changes.json"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_changes(file)

    return reading


def table(read, *lines):
    return read("\n".join(lines) + "\n", "changes.csv")


# JSON


def test_an_object_is_one_change_and_a_list_as_many_in_its_order(read):
    assert read('{"a": 1}') == [{"a": 1}]
    assert read('[{"a": 2}, {"a": 1}]') == [{"a": 2}, {"a": 1}]


def test_numbers_keep_their_digits(read):
    ((body),) = read('{"amount": 0.10, "large": 12345678901234567.89, "whole": 100, "power": 1e2}')
    assert {name: str(value) for name, value in body.items()} == {
        "amount": "0.10",
        "large": "12345678901234567.89",
        "whole": "100",
        "power": "1E+2",
    }
    assert (type(body["amount"]), type(body["whole"])) == (Decimal, int)


def test_a_mark_at_the_beginning_of_the_file_does_not_matter(read):
    assert read(b'\xef\xbb\xbf{"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1', "is no JSON"),
        ("", "is no JSON"),
        ('{"a": 1} {"a": 2}', "is no JSON"),
        ('{"amount": 1, "amount": 2}', "'amount' stands twice"),
        ('{"terms": [{"amount": 1, "amount": 2}]}', "'amount' stands twice"),
        ('{"amount": NaN}', "NaN is no number"),
        ('{"amount": -Infinity}', "-Infinity is no number"),
        ("[]", "holds no change"),
        ("[1]", "entry 1 is no JSON object"),
        ('[{"a": 1}, null]', "entry 2 is no JSON object"),
        ('"text"', "entry 1 is no JSON object"),
        (b'{"a": "\xff"}', "cannot be read"),
    ],
)
def test_what_is_no_file_of_changes_is_refused_with_the_reason(read, text, words):
    with pytest.raises(UsageError, match=words) as refused:
        read(text)
    assert "changes.json" in str(refused.value)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_changes(path)


def test_json_nested_without_end_is_refused_and_no_crash(read):
    with pytest.raises(UsageError):
        read("[" * 200_000)


# CSV


def test_cells_become_what_the_body_documents(read):
    (body,) = table(
        read,
        "administration_id,terms,invoice_numbers,cc_email_address",
        "1001,2026-01-31 100.00; 2026-02-28 50.5,F-1; 007,a@b.example",
    )
    assert body == {
        "administration_id": "1001",
        "terms": [
            {"due_date": "2026-01-31", "amount": Decimal("100.00")},
            {"due_date": "2026-02-28", "amount": Decimal("50.5")},
        ],
        "invoice_numbers": ["F-1", "007"],
        "cc_email_address": "a@b.example",
    }
    assert [str(term["amount"]) for term in body["terms"]] == ["100.00", "50.5"]


def test_the_providers_own_names_of_dates_and_amounts_are_used(read):
    (lms,) = table(read, "schedule,isPartialPaymentPlan,collectorUserId", "2026-01-31=10000,true,7")
    assert lms == {
        "schedule": [{"date": "2026-01-31", "amount": 10000}],
        "isPartialPaymentPlan": True,
        "collectorUserId": 7,
    }
    (bill,) = table(read, "Payments,FeeWaived,DayToPay,PaymentAmount", "2026-01-31: 10.5,false,31,33.30")
    assert bill["Payments"] == [{"Date": "2026-01-31", "Amount": Decimal("10.5")}]
    assert (bill["FeeWaived"], bill["DayToPay"], str(bill["PaymentAmount"])) == (False, 31, "33.30")


def test_texts_that_look_like_numbers_stay_texts(read):
    (body,) = table(read, "CustomerToken,ReferenceNumber,OtherData,PaymentName", "0012,0000000042,1e3,true")
    assert body == {"CustomerToken": "0012", "ReferenceNumber": "0000000042", "OtherData": "1e3", "PaymentName": "true"}


def test_an_empty_cell_is_a_field_left_out_and_every_line_is_a_change(read):
    bodies = table(read, "loanUuid,contactMethod,collectorUserId", "a,Phone,", "b, ,8")
    assert bodies == [{"loanUuid": "a", "contactMethod": "Phone"}, {"loanUuid": "b", "collectorUserId": 8}]


def test_a_cell_may_hold_json(read):
    (body,) = table(read, "terms,SelectedAccounts", '"[{""due_date"": ""2026-01-31"", ""amount"": 1.10}]","[1, 2]"')
    assert body == {"terms": [{"due_date": "2026-01-31", "amount": Decimal("1.10")}], "SelectedAccounts": [1, 2]}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["DayToPay", "fifth"], "line 2: DayToPay is 'fifth'"),
        (["DayToPay", "1", "NaN"], "line 3: DayToPay is 'NaN'"),
        (["PaymentAmount", "1,00"], "line 2 has another number of cells"),
        (["PaymentAmount,DayToPay", "1"], "line 2 has another number of cells"),
        (["PaymentAmount", "\u0661\u0662"], "PaymentAmount is"),
        (["PaymentAmount", "1_000"], "PaymentAmount is '1_000'"),
        (["PaymentAmount", "Infinity"], "PaymentAmount is 'Infinity'"),
        (["terms", "2026-01-31"], "terms holds '2026-01-31'"),
        (["terms", "31-01-2026 5"], "terms holds '31-01-2026 5'"),
        (["terms", "2026-01-31 -5"], "terms holds '2026-01-31 -5'"),
        (["terms", "[{]"], "terms is no JSON"),
        (["SelectedAccounts", '"{""a"":1,""a"":2}"'], "'a' stands twice"),
        (["SelectedAccounts", "[NaN]"], "NaN is no number"),
        (["DayToPay"], "holds no change"),
        ([""], "holds no change"),
        (["PaymentName", '"open'], "is no CSV"),
        (["DayToPay,DayToPay", "1,2"], "DayToPay stands twice"),
        (["DayToPay,", "1,2"], "a column has no name"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused_by_its_line(read, lines, words):
    with pytest.raises(UsageError, match=words):
        table(read, *lines)
