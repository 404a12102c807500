"""The accounts of PayIQ as people save them, and what is said of a file that is not what it should be."""

import codecs

import pytest

from flows.commands import cli
from flows.errors import SettingsError
from flows.sources import accounts_of
from providers import PROVIDERS
from providers.base import AccountRef

HEAD = "CustomerToken,ReferenceNumber,OtherData"
TWO = [AccountRef("token-1", "0042", "x"), AccountRef("token-2", "", "")]


@pytest.fixture
def read(tmp_path):
    def reading(text):
        file = tmp_path / "accounts.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return list(accounts_of("payiq", file, PROVIDERS["payiq"].account_columns))

    return reading


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\ntoken-1,0042,x\ntoken-2,,\n",
        f"\ufeff{HEAD}\r\ntoken-1,0042,x\r\ntoken-2,,\r\n,,\r\n\r\n",
        f"{HEAD.upper().replace(',', ';')};;\r\ntoken-1;0042;x;;\r\ntoken-2;;;;\r\n",
        f"sep=;\r\n{HEAD.replace(',', ';')}\r\ntoken-1;0042;x\r\ntoken-2;;\r\n",
        f"name\t{HEAD}\n".replace(",", "\t") + "Jan\ttoken-1\t0042\tx\n\ttoken-2\t\t\n",
    ],
)
def test_accounts_are_read_however_a_spreadsheet_wrote_them(read, text):
    assert read(text) == TWO


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HEAD}\ntoken-1,M\u00fcller,x\n".encode("cp1252"), "line 2 is not UTF-8 .*save as CSV UTF-8"),
        (f"{HEAD}\ntoken-1,1,x\n".encode("utf-16"), "line 1 is not UTF-8 but UTF-16; save as CSV UTF-8"),
        (codecs.BOM_UTF16_BE + f"{HEAD}\n".encode("utf-16-be"), "line 1 is not UTF-8 but UTF-16"),
        (f"{HEAD}\ntoken-1,{'9' * 200_000},x\n", "after line 1 is no CSV: field larger than field limit"),
        (f"{HEAD}\n,0042,x\n", "line 2 has no CustomerToken"),
        ("token-1,token-1,x\ntoken-2,,\n", "line 1 lacks the column CustomerToken; the first line must be"),
        ("", "line 1 lacks the column CustomerToken"),
        (f"{HEAD}\ntoken-1,0042\n", "line 2 has another number of cells than the header, 2 and 3"),
    ],
)
def test_a_file_that_holds_no_accounts_is_refused_by_its_line_and_no_token_is_repeated(read, text, told):
    with pytest.raises(SettingsError, match=told) as refused:
        read(text)
    assert "accounts.csv" in str(refused.value)
    assert "token-1" not in str(refused.value)


def test_plan_parameters_in_another_encoding_are_refused_with_what_to_do(tmp_path, capsys):
    file = tmp_path / "plan.json"
    file.write_bytes('{"first_date": "2026-01-31", "total": "10.00", "count": 2}'.encode("utf-16"))
    assert cli.execute(["schedule", "--file", str(file)]) == 2
    assert "is not UTF-8 but UTF-16; save as UTF-8" in capsys.readouterr().err
    file.write_bytes(codecs.BOM_UTF8 + b'{"first_date": "2026-01-31", "total": "10.00", "count": 2}')
    assert cli.execute(["schedule", "--file", str(file)]) == 0
