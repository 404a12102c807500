"""Breaks are accepted with an owner until a day and up to an amount, one by one or from a spreadsheet."""

import csv
import re
import zipfile
from contextlib import contextmanager
from datetime import timedelta

import pytest

from flows import clock
from flows.commands import cli
from sandbox.worlds import scenarios

DAY = scenarios.DEMO_AS_OF
MORNING = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def served(open_desk, tmp_path_factory):
    """Two published days; the second knows what the first showed."""
    with open_desk(tmp_path_factory.mktemp("accepting"), scenarios.demo()) as desk:
        desk.without("payt").run(DAY)
        yield desk


@contextmanager
def also(desk, shape):
    """Let the reports be written in this format, too, while the block runs."""
    desk.configure(reports={"formats": ["csv", shape]})
    yield
    desk.configure(reports={"formats": ["csv"]})


def planrecon(desk, *words):
    return cli.execute([*words, "--config", str(desk.file)])


def open_breaks(desk):
    return [row for row in desk.rows("breaks") if row["state"] not in {"ACCEPTED", "RESOLVED"}]


def state_of(desk, fingerprint, folder=None):
    return [row["state"] for row in desk.rows("breaks", folder) if row["fingerprint"] == fingerprint]


def latest_known_at(desk):
    return desk.query("SELECT known_at FROM v_runs ORDER BY run_no DESC LIMIT 1")[0][0]


@pytest.mark.slow
def test_an_accepted_break_is_not_open_until_its_last_day_has_passed_or_it_is_taken_back(served, capsys):
    chosen = next(row for row in open_breaks(served) if row["kind"] == "real" and row["difference"])
    name, before, known = chosen["fingerprint"], served.latest, latest_known_at(served)
    size = chosen["difference"].removeprefix("-")
    last = (clock.now().date() + timedelta(days=30)).isoformat()
    words = ("--owner", "anna", "--reason", "agreed by phone", "--expires", last, "--maximum", size)
    assert planrecon(served, "accept", name[:20], *words) == 0
    said = capsys.readouterr().out
    assert f"accepted: {name[:12]} ({chosen['code']}" in said
    assert f"anna, through {last}, up to {size} {chosen['currency']}" in said
    assert state_of(served, name) == [chosen["state"]]  # what is published stays

    with also(served, "html"):
        served.report(DAY)
    assert state_of(served, name) == ["ACCEPTED"]
    row = next(row for row in served.rows("breaks") if row["fingerprint"] == name)
    assert [row[key] for key in ("owner", "accepted_because", "expires_on", "maximum")] == [
        "anna", "agreed by phone", last, size,
    ]  # fmt: skip
    assert served.query("SELECT owner, is_withdrawn, is_newest, plan_id FROM v_acceptances") == [
        ("anna", False, True, chosen["plan_id"])
    ]
    page = (served.latest / "report.html").read_text(encoding="utf-8")
    assert "agreed by phone" in page

    assert planrecon(served, "accept", name, *words) == 0
    assert "1 row unchanged" in capsys.readouterr().out

    # What was published before the acceptance is made again to the byte, and knows nothing of it.
    again = served.report(DAY, known_at=known)
    assert (again.folder / "breaks.csv").read_bytes() == (before / "breaks.csv").read_bytes()

    assert planrecon(served, "accept", name, "--withdraw") == 0
    served.report(DAY)
    assert state_of(served, name) == ["REOPENED"]
    assert [row["owner"] for row in served.rows("breaks") if row["fingerprint"] == name] == [""]
    assert served.query("SELECT owner, is_withdrawn, is_newest FROM v_acceptances ORDER BY acceptance_no") == [
        ("anna", False, False),
        (None, True, True),
    ]


@pytest.mark.slow
def test_a_rebuilt_warehouse_has_the_acceptances_of_the_one_before(served, capsys):
    name = open_breaks(served)[0]["fingerprint"]
    assert planrecon(served, "accept", name, "--owner", "bert", "--reason", "known") == 0
    before = served.query("SELECT * FROM v_acceptances ORDER BY ALL")
    assert planrecon(served, "rebuild") == 0
    served.report(DAY)
    assert served.query("SELECT * FROM v_acceptances ORDER BY ALL") == before
    assert state_of(served, name) == ["ACCEPTED"]
    capsys.readouterr()
    assert planrecon(served, "verify") == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("f" * 64, "--owner", "a", "--reason", "b"), r"no break has the fingerprint 'f+'; the nearest is [0-9a-f]{12} \("),
        (("", "--owner", "a"), "give either the fingerprint of a break or --file"),
        (("{some}", "--reason", "b"), "--owner"),
        (("{some}", "--owner", "a"), "--reason"),
        (("{some}", "--owner", "a", "--reason", "b", "--until", "31-12-2030"), "write it as 2026-12-31"),
        (("{some}", "--owner", "a", "--reason", "b", "--until", "2020-01-01"), "2020-01-01 is past"),
        (("{some}", "--owner", "a", "--reason", "b", "--maximum", "1.000,00"), "a decimal comma"),
        (("{some}", "--owner", "a", "--reason", "b", "--maximum", "-5"), "no amount of"),
        (("{some}", "--owner", "a", "--reason", "b", "--maximum", "0"), "is below the difference there is"),
        (("{some}", "--withdraw"), "not accepted, so there is nothing to take back"),
    ],
)  # fmt: skip
def test_what_cannot_be_accepted_is_said_with_what_to_do_and_changes_nothing(served, capsys, words, told):
    some = next(row["fingerprint"] for row in open_breaks(served) if row["difference"] and row["owner"] == "")
    before = served.query("SELECT count(*) FROM v_acceptances")
    assert planrecon(served, "accept", *(word.format(some=some) for word in words)) == 2
    assert re.search(told, capsys.readouterr().err)
    assert served.query("SELECT count(*) FROM v_acceptances") == before


def filled_in(rows, **cells):
    return [row | cells for row in rows]


def write_csv(path, rows, *, delimiter=",", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("saved", [{}, {"delimiter": ";", "encoding": "utf-8-sig"}], ids=["as we write it", "as Excel"])
def test_the_rows_of_the_csv_are_accepted_once_and_those_without_an_owner_left_alone(served, tmp_path, capsys, saved):
    served.report(DAY)
    rows = served.rows("breaks")
    chosen = [row["fingerprint"] for row in open_breaks(served) if not row["owner"]][:2]
    rows = [
        row | {"owner": "carl", "accepted_because": "'=listed"} if row["fingerprint"] in chosen else row for row in rows
    ]
    file = write_csv(tmp_path / "breaks.csv", rows, **saved)
    assert planrecon(served, "accept", "--file", str(file)) == 0
    assert capsys.readouterr().out.count("accepted: ") == len(chosen)
    assert planrecon(served, "accept", "--file", str(file)) == 0
    assert "nothing to accept" in capsys.readouterr().out
    found = served.query("SELECT DISTINCT accepted_because FROM v_acceptances WHERE owner = 'carl'")
    assert found == [("=listed",)]  # the apostrophe that keeps a spreadsheet from running it is not part of it


def test_where_one_row_does_not_fit_its_line_is_named_and_nothing_is_written(served, tmp_path, capsys):
    rows = [
        {"fingerprint": row["fingerprint"], "owner": "dora", "reason": "r", "expires": ""}
        for row in open_breaks(served)[:3]
    ]
    rows[1]["expires"] = "soon"
    rows.append(rows[0])
    file = write_csv(tmp_path / "list.csv", rows)
    before = served.query("SELECT count(*) FROM v_acceptances")
    assert planrecon(served, "accept", "--file", str(file)) == 2
    told = capsys.readouterr().err
    assert "line 3: the last day is 'soon'; write it as 2026-12-31" in told
    assert re.search("line 5: break [0-9a-f]{12} stands in an earlier line, too", told)
    assert "nothing was accepted" in told
    assert served.query("SELECT count(*) FROM v_acceptances") == before


def with_cells(book, path, edit):
    """A copy of a workbook with the text of its break sheet changed, as a spreadsheet program would leave it."""
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(path, "w") as new:
        places = re.findall(r'<sheet name="([^"]*)"', old.read("xl/workbook.xml").decode())
        part = f"xl/worksheets/sheet{places.index('breaks') + 1}.xml"
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, edit(body.decode()).encode() if name == part else body)
    return path


HEADS = {"owner": "Owner", "accepted_because": "Comment", "expires_on": "Accepted through", "maximum": "Accepted up to"}


def column(sheet, name):
    head = re.search(r"<row r=\"1\".*?</row>", sheet, re.DOTALL)[0]
    return re.search(rf'<c r="([A-Z]+)1"[^>]*>(?:(?!</c>).)*<t>{HEADS[name]}</t>', head, re.DOTALL)[1]


def test_the_break_sheet_of_the_workbook_is_read_back(served, tmp_path, capsys):
    with also(served, "xlsx"):
        served.report(DAY)
    rows = sorted(open_breaks(served), key=lambda row: row["fingerprint"])
    chosen = next(row for row in rows if row["difference"] and not row["owner"])

    def edit(sheet):
        line = next(
            row for row in re.findall(r"<row r=\"\d+\".*?</row>", sheet, re.DOTALL) if chosen["fingerprint"] in row
        )
        at = re.match(r'<row r="(\d+)"', line)[1]
        cells = "".join(
            f'<c r="{column(sheet, name)}{at}" {kind}</c>'
            for name, kind in {
                "owner": 't="inlineStr"><is><r><t>Eva</t></r><r><t xml:space="preserve"> B</t></r></is>',
                "accepted_because": 't="str"><f>A1</f><v>by letter</v>',
                "expires_on": 's="1"><v>73050</v>',  # 31 December 2099, as days since 1899
                "maximum": "><v>123456.70000000001</v>",
            }.items()
        )
        return sheet.replace(line, line.replace("</row>", cells + "</row>"))

    file = with_cells(served.latest / "reports.xlsx", tmp_path / "mine.xlsx", edit)
    assert planrecon(served, "accept", "--file", str(file)) == 0
    assert "Eva B, through 2099-12-31, up to 123456.70" in capsys.readouterr().out
    found = served.query("SELECT owner, accepted_because FROM v_acceptances WHERE maximum = 123456.70")
    assert found == [("Eva B", "by letter")]


def test_a_file_that_is_no_workbook_is_refused(served, tmp_path, capsys):
    file = tmp_path / "mine.xlsx"
    file.write_text("no workbook")
    assert planrecon(served, "accept", "--file", str(file)) == 2
    assert "cannot be read as a workbook" in capsys.readouterr().err
