"""The HTML page says what a desk needs, and nothing runs in it but its own script."""

import base64
import hashlib
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports import page as morning_page
from reports.facts import BucketFacts, Source
from reports.run import RunWriter

AS_OF = date(2026, 6, 30)
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
VOID = {"meta", "br", "img", "rect", "link", "input", "hr"}


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


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_hostile_text_stays_text(page, text):
    """A page full of it has the same elements and attributes as one full of harmless words."""
    harmless, hostile = Page(page(**everywhere("harmless"))), Page(page(**everywhere(text)))
    assert hostile.tags == harmless.tags
    assert hostile.attributes == harmless.attributes
    assert not set("\u202e\x1b\u2028") & set(hostile.text)
    shown = "".join(f"⟨U+{ord(c):04X}⟩" if c in "\u202e\x1b\u2028\n" else c for c in text)
    assert " ".join(shown.split()) in hostile.text


def test_a_held_run_says_so_in_title_heading_and_reasons(page):
    source = page(state="HELD", held_because=("payt terms: 12 of 100 rows were quarantined.",))
    assert "<title>HELD · Payment plans, 2026-06-30</title>" in source
    heading = source[source.index("<h1>") : source.index("</h1>")]
    assert "HELD" in heading
    assert "payt terms: 12 of 100 rows were quarantined." in Page(source).text
    assert "do not work from these figures" in Page(source).text


def test_a_published_page_never_says_held(page):
    assert "HELD" not in page()


def test_what_could_not_be_read_is_named_with_the_date_of_its_figures(page):
    fresh = datetime(2026, 6, 28, 4, 0, tzinfo=UTC)
    text = Page(page(sources=(Source("payiq", "payiq", fresh, "provider_unreachable", "No answer within 30 s."),))).text
    assert "payiq not read (provider_unreachable), figures of 2026-06-28" in text
    assert "No answer within 30 s. Last complete fetch: 2026-06-28 04:00 UTC" in text


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
    assert "Due today 33.35 EUR 500 JPY 1.250 KWD" in text
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
    assert "Left overdue on plans no longer in force, and so in neither this table nor the aging: EUR 77.00." in text
    assert "Overdue none" in text


def test_plans_with_money_on_its_way_are_not_chased(page):
    plans = [
        {**LATE, "plan_id": "chase", "days_past_due": 9},
        {**LATE, "plan_id": "wait", "days_past_due": 2, "pending_minor": 3334, "fresh_pending_minor": 3334},
    ]
    text = Page(page(rows={"plans": plans})).text
    assert "1 Chase plans past due that have no money on its way EUR 33.34" in text
    assert "1 Leave plans past due alone while their payment settles EUR 33.34" in text


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
    assert "1 Leave plans past due alone while their payment settles EUR 9.00" in text
    assert "1 Chase plans past due that have no money on its way EUR 33.34" in text
    assert "Overdue 66.70 EUR On 3 plans of 4." in text


def test_providers_are_counted_where_their_plans_are_in_force(page):
    ended = {"plan_id": "x", "provider": "payiq", "is_in_force": False, "status": "DEACTIVATED"}
    assert "1 plan in force at 1 provider," in Page(page(rows={"plans": [{"plan_id": "a"}, ended]})).text


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
    css = (Path(morning_page.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")
    assert re.findall(r"\.b(\d+) \{", css) == [str(number) for number in range(morning_page._SHADES)]


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
    assert "1 open break, 1 high or critical" in text
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
    assert '2 See why rows were rejected planrecon query "select * from v_quarantine"' in text


def test_nothing_names_the_run_so_that_the_same_figures_give_the_same_page(page):
    assert "secret-run-id" not in page()


def test_a_quiet_morning_claims_no_more_than_was_looked_at(page):
    assert "No plan is in force, and no check was run." in Page(page()).text
    quiet = page(rows={"plans": [{}]}, checks=[{"check": "c", "code": "C"}])
    assert (
        "Nothing needs a person today: every plan in force is on time, and 1 check found nothing open."
        in Page(quiet).text
    )
