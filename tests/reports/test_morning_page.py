"""The HTML page says what a desk needs, and nothing runs in it but its own script."""

import base64
import csv
import hashlib
import re
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import polars as pl
import pytest

from reports import page as page_room
from reports.before import Before
from reports.digest import Digest
from reports.facts import BucketFacts, Source
from reports.page import MOST_BYTES, TEMPLATES, render
from reports.page.aging import SHADES
from reports.run import RunWriter
from reports.summary import outline

AS_OF = date(2026, 6, 30)
NONE_MISSED = pl.DataFrame(
    schema=dict.fromkeys(("provider", "tenant_id", "plan_id"), pl.String) | {"missed_terms": pl.Int64}
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</style><style>*{display:none}",
    "<!--",
    "]]>",
    "{{ 7*7 }}{% raw %}",
    "&lt;b&gt;",
    "\u202egnp.exe",
    "\x1b[31mred",
    "a\u2028b\nc",
    "=1+1",
]
VOID = {"meta", "br", "img", "rect", "link", "input", "hr", "polyline"}


class Page(HTMLParser):
    """Collects tags, attributes and text; refuses tags that do not close."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = set(), set(), [], []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= set(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= set(attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture
def page(tmp_path, frame, facts):
    """Return a function that publishes frames and reads the page."""

    def make(checks=(), rows=None, **changes):
        with RunWriter(tmp_path / f"r{len(list(tmp_path.iterdir()))}", as_of=AS_OF, run_id="secret-run-id") as writer:
            for name, dicts in (rows or {}).items():
                writer.write(name, frame(name, *dicts))
            if checks:
                writer.checks(frame("checks", *checks))
            folder = writer.finish(facts(**changes))
            writer.publish()
            return (folder / "report.html").read_text("utf-8")

    return make


LATE = {"status": "ACTIVE", "outstanding_minor": 100_000, "overdue_minor": 3334, "overdue_past_grace_minor": 3334}


@pytest.mark.fault(68)
def test_the_page_forbids_everything_but_its_own_style_and_its_one_script(page):
    source = page()
    scripts = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    assert len(scripts) == len(re.findall("<script", source)) == 1
    own = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"""content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{own}'\"""" in source
    parsed = Page(source)
    assert not parsed.tags & {"iframe", "object", "embed", "link", "img", "form", "base", "video"}
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert "http" not in source.replace("http-equiv", "")


def everywhere(text):
    """Return what makes a page in which every foreign text is `text`."""
    ids = {"plan_id": text, "account_id": text, "customer_id": text, "tenant_id": text}
    shown = ("plan_id", "term_id", "account_id", "payment_id", "reason", "explanation")
    return {
        "rows": {
            "plans": [{**ids, **LATE, "days_past_due": 4}],
            "breaks": [{**dict.fromkeys(shown, text), "fingerprint": "f", "kind": "real", "code": "X"}],
        },
        "checks": [{"check": "c", "code": text}],
        "held_because": (text,),
        "state": "HELD",
        "sources": (Source("payt", text, None, "contract", text),),
        "options": {text: text},
    }


@pytest.mark.fault(36, 68)
@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_hostile_text_stays_text(page, text):
    """A page full of it has the same elements and attributes as one full of harmless words."""
    harmless, hostile = Page(page(**everywhere("harmless"))), Page(page(**everywhere(text)))
    assert hostile.tags == harmless.tags
    assert hostile.attributes == harmless.attributes
    assert not set("\u202e\x1b\u2028") & set(hostile.text)
    shown = "".join(f"⟨U+{ord(c):04X}⟩" if c in "\u202e\x1b\u2028\n" else c for c in text)
    assert " ".join(shown.split()) in hostile.text


def test_templates_compiled_before_give_the_same_page_and_a_changed_one_is_compiled_again(tmp_path, monkeypatch):
    sources = tmp_path / "templates"
    sources.mkdir()
    (sources / "page.html").write_text("{{ '2' | grouped }} plans")
    monkeypatch.setattr(page_room, "TEMPLATES", sources)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    fresh = page_room._template.__wrapped__
    assert [fresh().render(), fresh().render()] == ["2 plans"] * 2
    [kept] = (sources / "__pycache__").iterdir()
    assert kept.read_bytes()
    (sources / "page.html").write_text("{{ '3' | grouped }} plans")
    assert fresh().render() == "3 plans"
    kept.unlink()
    (sources / "__pycache__").rmdir()
    (sources / "__pycache__").touch()  # a place that cannot be written
    assert fresh().render() == "3 plans"


def test_a_held_run_says_so_in_title_heading_and_reasons(page):
    source = page(state="HELD", held_because=("payt terms: 12 of 100 rows were quarantined.",))
    assert "<title>HELD · Payment plans, 2026-06-30</title>" in source
    heading = source[source.index("<h1>") : source.index("</h1>")]
    assert "HELD" in heading
    assert "safe to use" not in source
    assert "payt terms: 12 of 100 rows were quarantined." in Page(source).text
    assert "do not work from these figures" in Page(source).text


def test_a_published_page_never_says_held(page):
    assert "HELD" not in page()


def test_what_could_not_be_read_is_named_with_the_date_of_its_figures(page):
    fresh = datetime(2026, 6, 28, 4, 0, tzinfo=UTC)
    text = Page(page(sources=(Source("payiq", "payiq", fresh, "provider_unreachable", "No answer within 30 s."),))).text
    assert "Tuesday 30 June 2026 payiq is 2 days old Use with care: payiq is 2 days old, and figures" in text
    assert "No answer within 30 s. Last complete fetch: 2026-06-28 04:00 UTC" in text


@pytest.mark.fault(28)
def test_money_stands_by_provider_and_currency_and_is_never_added_across(page):
    plans = [
        {
            "plan_id": "a",
            "currency": "EUR",
            "due_today_minor": 3334,
            "amount_due_minor": 3334,
            "outstanding_minor": 3334,
        },
        {
            "plan_id": "b",
            "currency": "JPY",
            "due_today_minor": 500,
            "amount_due_minor": 500,
            "outstanding_minor": 1_500,
        },
        {
            "plan_id": "c",
            "currency": "KWD",
            "due_today_minor": 1250,
            "amount_due_minor": 1250,
            "outstanding_minor": 1_250_000,
        },
        {"plan_id": "d", "currency": "EUR", "due_today_minor": 1, "amount_due_minor": 1, "provider": "totality"},
    ]
    text = Page(page(rows={"plans": plans})).text
    assert "Due today 33.35 EUR 500 JPY 1.250 KWD Terms" in text
    assert "payt EUR 1 0 0 33.34 0.00 0.00 33.34 0.00 33.34" in text
    assert "payt JPY 1 0 0 500 0 0 500 0 1,500" in text
    assert "payt KWD 1 0 0 1.250 0.000 0.000 1.250 0.000 1,250.000" in text
    assert "totality EUR 1 0 0 0.01 0.00 0.00 0.01 0.00 0.00" in text


def test_plans_out_of_force_are_kept_apart(page):
    ended = {
        "plan_id": "x",
        "is_in_force": False,
        "status": "DEACTIVATED",
        "overdue_minor": 7700,
        "outstanding_minor": 7700,
    }
    text = Page(page(rows={"plans": [{"plan_id": "a"}, ended]})).text
    assert "Ended with money left · 1 EUR 77.00 No longer in force" in text
    assert "Overdue none" in text


def test_plans_with_money_on_its_way_are_not_chased(page):
    plans = [
        {**LATE, "plan_id": "chase", "days_past_due": 9},
        {**LATE, "plan_id": "wait", "days_past_due": 2, "pending_minor": 3334, "fresh_pending_minor": 3334},
    ]
    text = Page(page(rows={"plans": plans})).text
    assert "Call today · 1 EUR 33.34 Past due" in text
    assert "Settling: leave alone · 1 EUR 33.34 Past due" in text
    assert "call about 1 plan and leave 1 alone while money settles" in text


def test_an_amount_counts_the_plans_that_its_number_counts_and_no_other(page):
    """Pending money of a plan on time waits for nobody; money overdue within the tolerance is of a plan not past due."""
    pending = {"pending_minor": 900, "fresh_pending_minor": 900}
    plans = [
        {**LATE, "plan_id": "wait", "days_past_due": 2, **pending},
        {"plan_id": "on time", "outstanding_minor": 5000, "pending_minor": 70_000, "fresh_pending_minor": 70_000},
        {**LATE, "plan_id": "stale", "days_past_due": 9, "pending_minor": 11},
        {**LATE, "plan_id": "tolerated", "overdue_minor": 2, "outstanding_minor": 2},
    ]
    text = Page(page(rows={"plans": plans})).text
    assert "Settling: leave alone · 1 EUR 33.34 Past due" in text
    assert "Call today · 1 EUR 33.34 Past due" in text
    assert "Overdue 66.70 EUR On 3 plans of 4." in text


def test_providers_are_counted_where_their_plans_are_in_force(page):
    ended = {"plan_id": "x", "provider": "payiq", "is_in_force": False, "status": "DEACTIVATED"}
    text = Page(page(rows={"plans": [{"plan_id": "a"}, ended]})).text
    assert "1 plan is in force at 1 provider, and every one is on time." in text


@pytest.mark.parametrize(
    ("labels", "unit", "shades"),
    [
        (("0-30", "31-90", "91+"), "days", ["b0", "b4", "b8"]),
        (("0", "1", "2", "3", "4", "5", "6+"), "months", ["b0", "b1", "b2", "b4", "b5", "b6", "b8"]),
        (("0", "1-30", "31-60", "61-90", "91-120", "121-150", "151-180", "181-365", "366+"), "days", [f"b{n}" for n in range(9)]),
        (("0+",), "days", ["b0"]),
    ],
)  # fmt: skip
def test_the_shades_of_a_bucket_set_go_from_calm_to_alarming_whatever_it_counts(page, labels, unit, shades):
    money = {
        "currency": "EUR",
        "plans": 1,
        "terms": 1,
        "amount_due_minor": 1,
        "overdue_minor": 1,
        "outstanding_minor": 9,
    }
    rows = [{"bucket": label, "bucket_no": number, **money} for number, label in enumerate(labels)]
    source = page(rows={"aging": rows}, buckets={"payt": BucketFacts(labels, unit)})
    assert re.findall(r'<span class="swatch (b\d)"></span>([^<]+)', source) == list(zip(shades, labels, strict=True))
    assert f"{unit.capitalize()} past due" in source


def test_every_shade_has_its_colour():
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    assert re.findall(r"\.b(\d+) \{", css) == [str(number) for number in range(SHADES)]


def test_plans_without_months_stand_last_and_in_no_shade(page):
    money = {
        "currency": "EUR",
        "plans": 1,
        "terms": 1,
        "amount_due_minor": 1,
        "overdue_minor": 1,
        "outstanding_minor": 9,
    }
    rows = [{"bucket": "none", "bucket_no": None, **money}, {"bucket": "1+", "bucket_no": 1, **money}]
    source = page(rows={"aging": rows}, buckets={"payt": BucketFacts(("0", "1+"), "months")})
    assert source.index('<span class="swatch b8"></span>1+') < source.index('<span class="swatch"></span>none')


def test_timing_and_accepted_breaks_are_not_counted_as_open(page):
    breaks = [
        {"fingerprint": "1", "code": "A", "kind": "real", "severity": "critical", "explanation": "Look here first."},
        {"fingerprint": "2", "code": "A", "kind": "timing", "explanation": "Time will mend it."},
        {
            "fingerprint": "3",
            "code": "A",
            "kind": "real",
            "break_state": "ACCEPTED",
            "explanation": "Somebody took it.",
        },
        {"fingerprint": "4", "code": "A", "kind": "real", "break_state": "RESOLVED", "explanation": "Gone."},
    ]
    text = Page(page(rows={"breaks": breaks})).text
    assert "Today: clear 1 break of high or critical severity." in text
    assert "Look here first." in text
    assert "Time will mend it." not in text
    assert "1 that time alone will settle, 1 accepted by somebody, 1 resolved since the last run" in text


def test_the_worst_breaks_come_first_and_the_page_stays_small(page):
    breaks = [
        {"fingerprint": f"{n:04}", "kind": "real", "severity": "low", "code": "A", "explanation": f"number {n}."}
        for n in range(400)
    ]
    breaks[77] |= {"severity": "critical", "explanation": "worst of all."}
    source = page(rows={"breaks": breaks})
    text = Page(source).text
    assert text.index("worst of all.") < text.index("number 0.")
    assert "The 60 most pressing of 400" in text
    assert len(source) < 80_000


def test_checks_that_found_nothing_are_listed_and_those_not_run_are_named(page):
    checks = [
        {"check": "quiet", "code": "OVER_COVERED", "examined": 7, "breaks": 0},
        {"check": "loud", "code": "TOTAL_DIFF", "examined": 7, "breaks": 2},
        {"check": "blind", "code": "ORPHAN_PAYMENT", "reason": "PLAN", "is_evaluated": False},
    ]
    text = Page(page(checks=checks)).text
    assert "1 check of 3 found nothing OVER_COVERED 7 looked at" in text
    assert "Not evaluated: ORPHAN_PAYMENT · PLAN." in text


def test_rows_that_do_not_add_up_show(page):
    good = {"entity": "plans", "fetched": 5, "accepted": 3, "quarantined": 1, "deduplicated": 1}
    lost = {"entity": "terms", "fetched": 5, "accepted": 3, "quarantined": 1, "deduplicated": 0}
    text = Page(page(rows={"integrity": [good, lost]})).text
    assert "payt plans 5 3 1 1 yes" in text
    assert "payt terms 5 3 1 0 no" in text
    assert (
        "1 table does not add up, every fetch was complete, 0 checks ran and 2 rows stayed out, each with its reason."
        in text
    )
    assert "<details open>" in page(rows={"integrity": [good, lost]})
    assert "<details open>" not in page(rows={"integrity": [good]})


def test_nothing_names_the_run_so_that_the_same_figures_give_the_same_page(page):
    assert "secret-run-id" not in page()


def test_a_quiet_morning_claims_no_more_than_was_looked_at(page):
    assert "No plan is in force. No plan and no break needs a person today, and no check was run." in Page(page()).text
    quiet = page(rows={"plans": [{}]}, checks=[{"check": "c", "code": "C"}])
    assert (
        "every one is on time. No plan and no break needs a person today, and 1 check found nothing open."
        in Page(quiet).text
    )


HEADS = {"call": "CALL_TODAY", "due-today": "DUE_TODAY", "settling": "SETTLING", "paused": "PAUSED", "not-owed": "NOT_OWED", "ended": "ENDED_WITH_MONEY"}  # fmt: skip


def test_the_head_of_each_list_is_what_the_published_file_adds_up_to(tmp_path, frame, facts):
    """Counts and money by currency, added up again from `plans.csv`, whose columns are read by name alone."""
    plans = [
        {
            "plan_id": f"p{n:03}",
            "currency": ("EUR", "JPY", "KWD")[n % 3],
            "is_in_force": n % 7 > 0,
            "flags": ("", "PAUSED", "INVOICES_OWE_LESS")[n // 3 % 3],
            "overdue_minor": n % 5 * 1009,
            "days_past_due": n % 5 * 3,
            "due_today_minor": n % 2 * 1013,
            "fresh_pending_minor": n // 2 % 2 * 17,
        }
        for n in range(700)
    ]
    with RunWriter(tmp_path, as_of=AS_OF, run_id="r") as writer:
        writer.write("plans", [frame("plans", *plans[:300]), frame("plans", *plans[300:])])
        folder = writer.finish(facts())
        source = (folder / "report.html").read_text("utf-8")
        rows = list(csv.DictReader((folder / "plans.csv").read_text("utf-8").splitlines()))
    text = Page(source).text
    for name, word in HEADS.items():
        own = [row for row in rows if word in row["work_lists"].split(";")]
        column = "due_today" if word == "DUE_TODAY" else "overdue"
        sums = {c: sum(Decimal(row[column]) for row in own if row["currency"] == c) for c in ("EUR", "JPY", "KWD")}
        money = "EUR {EUR:,}, JPY {JPY:,} and KWD {KWD:,}".format(**sums)
        title = source[source.index(f'<h3 id="{name}">') :].partition("</h3>")[0].partition(">")[2]
        assert own
        assert title.endswith(f" · {len(own):,}")
        assert f"{title} {money}" in text
        table = source[source.index(f'data-list="{name}"') :].partition("</table>")[0]
        assert table.count("<tr data-") == min(len(own), 200)
        if len(own) > 200:
            assert f"The 200 with the most money of {len(own)}." in text


@pytest.mark.parametrize("letter", ["&", "\u202e"])
def test_the_page_stays_below_its_size_whatever_is_in_it(frame, facts, letter):
    """Every list and table at its most, and every foreign text at its longest."""
    long = letter * 400
    ids = {"tenant_id": long, "account_id": long, "customer_id": long, "reference": long}
    money = {**LATE, "due_today_minor": 5, "days_past_due": 3}
    kinds = [
        {},
        {"fresh_pending_minor": 5},
        {"flags": "PAUSED"},
        {"flags": "INVOICES_OWE_LESS"},
        {"is_in_force": False},
    ]
    digest = Digest(before=Before(date(2026, 6, 29), NONE_MISSED))
    digest.add(
        "plans",
        frame(
            "plans",
            *({**ids, **money, **kind, "plan_id": f"{n} {code} {at}{long}", "missed_terms": 2, "currency": code} for n in range(120) for at, kind in enumerate(kinds) for code in ("EUR", "JPY")),
        ),
    )  # fmt: skip
    said = {
        "explanation": long,
        "reason": long,
        "term_id": long,
        "payment_id": long,
        "plan_id": long,
        "account_id": long,
    }
    accepted = {"break_state": "ACCEPTED", "owner": long, "accepted_because": long}
    digest.add(
        "breaks",
        frame(
            "breaks",
            *({**said, "kind": "real", "code": f"C{n}", "fingerprint": f"{n}", **(accepted if n % 2 else {})} for n in range(300)),
        ),
    )  # fmt: skip
    digest.add("integrity", frame("integrity", *({"entity": f"e{n}", "break_currency": "EUR"} for n in range(200))))
    digest.checks = frame("checks", *({"check": f"c{n}", "code": f"C{n}", "reason": long} for n in range(70)))
    known = facts(
        held_because=(long,) * 50,
        sources=tuple(Source("payt", f"{n}{long}", None, "contract", long) for n in range(400)),
        causes=(long,) * 8,
        notes=(long,) * 3,
        write_backs=(long,) * 50,
        plan_links={"payt": "https://lender.example/{plan_id}"},
    )
    source = render(known, outline(known, digest), digest)
    assert len(source.encode()) <= MOST_BYTES
    assert 'data-list="newly-missed"' in source


def test_what_is_new_since_the_run_before_is_told_with_its_change(frame, facts):
    """One plan missed a second term, one its first; one misses what it missed then, one is no longer in force."""
    was = frame("plans", *({"plan_id": name, "missed_terms": 1} for name in ("more", "same", "gone")))
    then = {
        "portfolio": [{"currency": "EUR", "due_today": "0.00", "overdue": "70.00", "pending": "1.00"}],
        "work_lists": [],
    }
    before = Before(
        date(2026, 6, 27), was.select("provider", "tenant_id", "plan_id", "missed_terms"), ((date(2026, 6, 27), then),)
    )
    digest = Digest(before=before)
    late = [("more", 2, True), ("first", 1, True), ("same", 1, True), ("gone", 3, False), ("none", 0, True)]
    rows = [
        {**LATE, "plan_id": name, "missed_terms": terms, "is_in_force": on, "days_past_due": 9}
        for name, terms, on in late
    ]
    digest.add("plans", frame("plans", *rows))
    paid = [(27, 500, None), (28, 1000, None), (30, 40, None), (20, 300, 29)]
    digest.add(
        "payments",
        frame(
            "payments",
            *(
                {"payment_id": f"{n}", "payment_no": n, "effective_date": date(2026, 6, day), "amount_minor": sum_, "class": "received"}
                | ({"reversed_on": date(2026, 6, back), "reversed_amount_minor": sum_} if back else {})
                for n, (day, sum_, back) in enumerate(paid)
            ),
        ),
    )  # fmt: skip
    text = Page(render(facts(), outline(facts(), digest), digest)).text
    assert "Since 2026-06-27 Compared with the last run that was published before, as of 2026-06-27." in text
    assert "Newly missed 2 plans With more missed terms than then" in text
    assert "Newly missed · 2 EUR 66.68" in text
    assert "Overdue 133.36 EUR +63.36" in text
    assert "Pending 0.00 EUR -1.00" in text
    assert "Received 7.40 EUR Settled on plans since then" in text


def test_the_first_run_says_that_there_is_nothing_to_compare_with(page):
    text = Page(page(rows={"plans": [{**LATE, "missed_terms": 2}]})).text
    assert "This is the first published run: there is none before it to compare with." in text
    assert "Missed terms 2 Past grace" in text
    assert "Newly missed" not in text


def rates_of(kept, roll):
    """The three rates of one date and currency, counted row by row; a dash where there is nothing to count."""
    evaluated, good = (sum(row[at] for row in kept if row[0] == 30) for at in (1, 2))
    first = min((row[0] for row in roll), default=None)
    moves = [row for row in roll if row[0] == first and isinstance(row[1], int)]
    everyone = sum(plans for *_, plans in moves)
    worse = sum(plans for _, was, to, plans in moves if isinstance(to, int) and to > was)
    late = [row for row in moves if row[1] > 0]
    cured = sum(plans for _, _, to, plans in late if to in (0, "PAID_OFF"))
    shares = [(good, evaluated), (worse, everyone), (cured, sum(plans for *_, plans in late))]
    tenths = [(2000 * part + whole) // (2 * whole) if whole else None for part, whole in shares]
    return tuple("\u2013" if each is None else f"{each // 10}.{each % 10}%" for each in tenths)


RECORDED = {
    28: ([(7, 90, 1), (30, 300, 211)], []),
    29: ([(30, 41, 40), (30, 9, 0)], [(28, 0, 1, 4), (28, 0, 0, 196), (28, 1, 0, 3), (28, 2, "PAID_OFF", 1), (28, 1, "CANCELLED", 6)]),
    30: (
        [(30, 50, 41)],
        [(1, 0, 0, 90), (1, 1, 2, 5), (1, 2, 0, 2), (1, 2, 1, 3), (29, 0, 1, 999), (1, "NEW", 0, 77), (1, 3, "VANISHED", 2)],
    ),
}  # fmt: skip
"""By day of June: rows of `kept` (window, evaluated, kept) and of `roll` (day followed from, bucket then, and now, plans)."""


def test_rates_over_time_are_those_of_the_newest_run_of_each_date(frame, facts):
    def kept(day):
        return [
            {"as_of": date(2026, 6, day), "currency": "EUR", "window_days": window, "evaluated": all_, "kept": good}
            for window, all_, good in RECORDED[day][0]
        ]

    def roll(day):
        return [
            {"as_of": date(2026, 6, day), "currency": "EUR", "from_as_of": date(2026, 6, since), "plans": plans}
            | {"from_bucket_no": was if isinstance(was, int) else None, "to_bucket": str(to)}
            | {"to_bucket_no": to if isinstance(to, int) else None}
            for since, was, to, plans in RECORDED[day][1]
        ]

    told = {"portfolio": [], "work_lists": []}
    days = tuple((date(2026, 6, day), told) for day in (28, 29))
    earlier = [pl.DataFrame([row for day in (28, 29) for row in rows(day)]) for rows in (kept, roll)]
    digest = Digest(before=Before(date(2026, 6, 29), NONE_MISSED, days, *earlier))
    counted = [{**row, "partly_kept": 0, "broken": row["evaluated"] - row["kept"]} for row in kept(30)]
    digest.kept = pl.DataFrame(counted).drop("as_of")
    digest.roll = pl.DataFrame(roll(30)).drop("as_of").with_columns(from_bucket=pl.lit("a"))
    source = render(facts(), outline(facts(), digest), digest)
    figure = source[source.index('id="rates-EUR"') :].partition("</figure>")[0]
    table = Page(figure[figure.index("<tbody>") :].partition("</table>")[0]).text
    assert table == " ".join(f"2026-06-{day} {' '.join(rates_of(*RECORDED[day]))}" for day in (30, 29, 28))
    assert figure.count("<polyline") == 3  # two of the dates have moves, all have terms
    assert "On each of the last 3 published dates" in source


def test_rates_over_time_have_no_line_and_say_so_where_there_is_one_date(page):
    source = page()
    assert "There is one published date yet" in Page(source).text
    assert 'id="rates-' not in source


def test_the_page_stays_small_with_thirty_dates_in_more_currencies_than_are_drawn(frame, facts):
    days = [date(2026, 6, day) for day in range(1, 30)]
    codes = ("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NOK", "USD")
    rows = [
        {"as_of": day, "currency": code, "window_days": 30, "evaluated": 7, "kept": 3} for day in days for code in codes
    ]
    before = Before(
        days[-1], NONE_MISSED, tuple((day, {"portfolio": [], "work_lists": []}) for day in days), pl.DataFrame(rows)
    )
    digest = Digest(before=before)
    source = render(facts(), outline(facts(), digest), digest)
    assert source.count('id="rates-') == 6
    assert "2 more in <code>v_kept</code>" in source
    empty = render(facts(), outline(facts(), Digest()), Digest())
    assert len(source.encode()) - len(empty.encode()) < 40_000


def test_what_comes_first_is_weighed_by_money_and_by_how_bad_it_is(page):
    """A break of high severity without an amount weighs as much as 10,000.00; neither kind crowds out the other."""
    plans = [{**LATE, "plan_id": f"call{n}", "days_past_due": 9, "overdue_minor": 100_00 + n} for n in range(30)]
    plans.append({**LATE, "plan_id": "big", "days_past_due": 9, "overdue_minor": 20_000_00})
    breaks = [
        {"fingerprint": f"{n}", "kind": "real", "code": f"C{n}", "severity": "low", "explanation": f"small {n}."}
        for n in range(30)
    ]
    breaks.append({"fingerprint": "x", "kind": "real", "code": "X", "severity": "high", "explanation": "bad."})
    source = page(rows={"plans": plans, "breaks": breaks}, actions={("X", ""): "mend it."})
    table = Page(source[source.index('<table class="first ') :].partition("</table>")[0] + "</table>").text
    rows = table.split(" below")[:-1]
    assert len(rows) == 10
    assert "Plan big at payt" in rows[0]
    assert rows[1].strip().startswith("bad. new today Mend it.")
    assert "Plan call29 at payt" in rows[2]
    assert sum("Plan " in row for row in rows) == 5
