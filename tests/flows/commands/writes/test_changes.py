"""The file of a change: JSON and CSV give the same exact bodies, and what makes no sense is refused by its place."""

import codecs
from decimal import Decimal

import pytest

from flows.commands.writes.changes import read_changes
from flows.errors import UsageError
from providers.checking import Field, anything, day, entries, flag, moment, money, text, texts, whole, word

ENTRIES = {"amount": Field(money()), "due_date": Field(day)}
FIELDS = {
    **dict.fromkeys(("administration_id", "cc_email_address", "loanUuid", "CustomerToken"), Field(text())),
    **dict.fromkeys(("ReferenceNumber", "OtherData", "PaymentName"), Field(text())),
    "contactMethod": Field(word("Email")),
    "invoice_numbers": Field(texts),
    "terms": entries(ENTRIES),
    "schedule": entries({"date": Field(day), "amount": Field(whole())}),
    "Payments": entries({"Date": Field(moment), "Amount": Field(money())}),
    "isPartialPaymentPlan": Field(flag),
    "FeeWaived": Field(flag),
    "collectorUserId": Field(whole()),
    "DayToPay": Field(whole()),
    "PaymentAmount": Field(money()),
    "SelectedAccounts": Field(anything),
}


@pytest.fixture
def read(tmp_path):
    def reading(text, name="changes.json"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return [one.body for one in read_changes(file, FIELDS)]

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
        (b'{"a": 1,\n"b": "\xff"}', "line 2 is not UTF-8 .*save as UTF-8"),
        (codecs.BOM_UTF8 + b'{"a":\n1,\n"b": "\xff"}', "line 3 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8 but UTF-16; save as UTF-8"),
        ('{"a": 1}'.encode("utf-16-be"), "is not UTF-8 but UTF-16; save as UTF-8"),
    ],
)
def test_what_is_no_file_of_changes_is_refused_with_the_reason(read, text, words):
    with pytest.raises(UsageError, match=words) as refused:
        read(text)
    assert "changes.json" in str(refused.value)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_changes(path, FIELDS)


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
        (["PaymentName", '"open'], "after line 1 is no CSV"),
        (["PaymentName", "x" * 200_000], "after line 1 is no CSV: field larger than field limit"),
        (
            ["PaymentAmount;DayToPay", "33,34;1"],
            "line 2: PaymentAmount is '33,34', with a decimal comma; write the number with a point",
        ),
        (["PaymentAmount", '"1.000,50"'], "with a decimal comma"),
        (["PaymentAmount;DayToPay", "1.000;1"], "a point that may stand between thousands"),
        (["terms;DayToPay", "2026-01-31 100,00;1"], "line 2: terms is '100,00', with a decimal comma"),
        (["Payments", "2026-01-31 1.000"], "a point that may stand between thousands"),
        (["notes,DayToPay", "hello,1"], "line 1: 'notes' is not a field of this call"),
        (["PaymentAmout", "1"], "line 1: 'PaymentAmout' is not a field of this call; the nearest is PaymentAmount"),
        (["DayToPay,dayTOpay", "1,2"], "DayToPay stands twice"),
        (["DayToPay", "", "", "fifth"], "line 4: DayToPay is 'fifth'"),
        (["PaymentName,DayToPay", '"two', 'lines",1', "a,fifth"], "line 4: DayToPay is 'fifth'"),
        (["DayToPay,DayToPay", "1,2"], "DayToPay stands twice"),
        (["DayToPay,", "1,2"], "line 1: column 2 has no name"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused_by_its_line(read, lines, words):
    with pytest.raises(UsageError, match=words):
        table(read, *lines)


def saved(read, text, encoding="utf-8-sig"):
    return read(text.encode(encoding), "changes.csv")


EUROPEAN = (
    "ADMINISTRATION_ID;Terms;invoice_numbers;IsPartialPaymentPlan;DayToPay;;\r\n"
    '1001;"2026-01-31 100.00; 2026-02-28 50.5";"F-1; 007";TRUE;31;;\r\n'
    '1001;"2026-01-31 100.00\n2026-02-28 50.5";"F-1\n007";False;31;;\r\n'
    ";;;;;;\r\n"
    "\r\n"
)


@pytest.mark.parametrize("text", [EUROPEAN, "sep=;\r\n" + EUROPEAN, EUROPEAN.replace('"F-1; 007"', '"F-1;007"')])
def test_a_table_as_european_excel_writes_it_is_read_like_any_other(read, text):
    whole = {
        "administration_id": "1001",
        "terms": [
            {"due_date": "2026-01-31", "amount": Decimal("100.00")},
            {"due_date": "2026-02-28", "amount": Decimal("50.5")},
        ],
        "invoice_numbers": ["F-1", "007"],
        "DayToPay": 31,
    }
    assert saved(read, text) == [whole | {"isPartialPaymentPlan": True}, whole | {"isPartialPaymentPlan": False}]


def test_tabs_stand_between_cells_as_well(read):
    assert saved(read, "DayToPay\tPaymentAmount\n1\t33.34\n") == [{"DayToPay": 1, "PaymentAmount": Decimal("33.34")}]


def test_columns_in_which_nothing_is_written_are_left_out_whatever_they_are_called(read):
    assert saved(read, "notes,DayToPay,,notes,\n,1,,,\n ,2\n,,,,\n".replace(" ,2", ",2,,,")) == [
        {"DayToPay": 1},
        {"DayToPay": 2},
    ]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-16", "line 1 is not UTF-8 but UTF-16; save as CSV UTF-8"),
        ("utf-16-le", "line 1 is not UTF-8 but UTF-16; save as CSV UTF-8"),
        ("cp1252", "line 3 is not UTF-8 .Windows-1252 perhaps.; save as CSV UTF-8"),
    ],
)
def test_a_table_in_another_encoding_is_refused_with_file_line_and_what_to_do(read, encoding, words):
    with pytest.raises(UsageError, match=words) as refused:
        saved(read, "PaymentName;DayToPay\r\na;1\r\nMaaike Sch\u00f6n;2\r\n", encoding)
    assert "changes.csv" in str(refused.value)
