"""What is asked for, and from when: seen from what was asked, what was published and what was said."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from storm import faults

from flows import clock
from flows.commands.cli import execute
from flows.steps.pull import Fault, Pulled, Source
from sandbox.assumed import Assumed
from sandbox.exchange import Answer
from sandbox.worlds.scenarios import GOLDEN_AS_OF, generate, golden

pytestmark = pytest.mark.usefixtures("impatient")
DAY = timedelta(days=1)
EVERYTHING = None


def on_time():
    """The worked example at providers whose clocks go with this machine's."""
    world = golden()
    world.clock = None
    return world


def asked(desk):
    """From when each list of the newest fetch was asked for, per provider."""
    rows = desk.query(
        "SELECT provider, sweep, since FROM v_fetches WHERE sweep <> 'administrations'"
        " QUALIFY load_no = max(load_no) OVER (PARTITION BY provider, tenant_id)"
    )
    return {name: {since for provider, _, since in rows if provider == name} for name in {row[0] for row in rows}}


@pytest.fixture
def at(monkeypatch):
    """Set this machine's clock, and with it the providers'."""

    def moved(desk, moment):
        monkeypatch.setattr(clock, "now", lambda: moment)
        with desk.world.changing():
            desk.world.clock = moment.isoformat()

    return moved


@pytest.mark.fault(14, 64)
def test_a_provider_whose_clock_is_a_day_ahead_hides_nothing_that_changes_within_that_day(desk):
    desk = desk(on_time()).without("payiq")
    began = datetime.now(UTC)
    desk.sandbox.faults.add(
        faults.headed({"date": format_datetime(began + DAY + timedelta(minutes=5), usegmt=True)}), times=faults.FOREVER
    )
    first = desk.run(GOLDEN_AS_OF)
    assert first.state == "PUBLISHED"
    for provider in ("payt 1001", "totality 127.0.0.1"):
        assert f"clock: that of {provider} is 1 day ahead of this machine's" in first.text
    for (seconds,) in desk.query("SELECT clock_skew_seconds FROM v_fetches"):
        assert 0 <= seconds - DAY.total_seconds() <= 300
    for mark, at in desk.query("SELECT watermark, fetched_at FROM v_fetches"):
        assert mark < at

    with desk.world.changing():
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        desk.world.payt.payment_plans[0] |= {"active": False, "deactivated_at": now, "updated_at": now}
        desk.world.totality.payment_plans[0] |= {"isActive": False, "updatedAt": now}
    desk.sandbox.faults.clear()
    second = desk.run(None)
    assert "clock:" not in second.text
    assert all(EVERYTHING not in times for times in asked(desk).values())
    assert {row["status"] for row in desk.rows("plans")} == {"DEACTIVATED"}


def test_a_provider_whose_clock_is_a_year_behind_is_read_whole_and_told(desk):
    desk = desk(on_time()).without("payiq")
    behind = format_datetime(datetime.now(UTC) - 365 * DAY, usegmt=True)
    desk.sandbox.faults.add(faults.headed({"date": behind}), times=faults.FOREVER)
    first = desk.run(GOLDEN_AS_OF)
    assert first.state == "PUBLISHED"
    with desk.world.changing():
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        desk.world.payt.payment_plans[0] |= {"active": False, "deactivated_at": now, "updated_at": now}
        desk.world.totality.payment_plans[0] |= {"isActive": False, "updatedAt": now}
    second = desk.run(None)
    for provider in ("payt 1001", "totality 127.0.0.1"):
        assert f"clock: that of {provider} is 365 days behind this machine's" in second.text
    assert "not read" not in second.first_line
    assert {row["status"] for row in desk.rows("plans")} == {"DEACTIVATED"}


@pytest.mark.fault(64)
def test_a_watermark_that_lies_in_the_future_asks_for_everything(desk, monkeypatch):
    desk = desk(on_time()).without("payiq")
    with monkeypatch.context() as wrong:
        now = datetime.now(UTC)
        wrong.setattr(clock, "now", lambda: now + 3 * DAY)
        with desk.world.changing():
            desk.world.clock = (now + 3 * DAY).isoformat()
        desk.run(GOLDEN_AS_OF)
    with desk.world.changing():
        desk.world.clock = None
    desk.run(GOLDEN_AS_OF)
    assert asked(desk) == {"payt": {EVERYTHING}, "totality": {EVERYTHING}}
    desk.run(GOLDEN_AS_OF)
    assert all(EVERYTHING not in times for times in asked(desk).values())


@pytest.mark.slow
def test_everything_is_asked_for_again_on_the_seventh_day_and_not_a_day_later(desk, at):
    desk = desk(golden()).without("payiq").configure(gates={"freshness_hours": 10_000})
    start = datetime(2026, 6, 1, 6, tzinfo=UTC)
    hours = timedelta(hours=1)
    for since_full, is_full in ((0 * hours, True), (7 * DAY - hours, False), (7 * DAY, True), (8 * DAY, False)):
        at(desk, start + since_full)
        desk.run(GOLDEN_AS_OF)
        for provider, times in asked(desk).items():
            assert (times == {EVERYTHING}) is is_full, (provider, since_full)


@pytest.mark.slow
@pytest.mark.fault(21)
def test_a_gap_of_sixty_days_is_closed_by_asking_for_everything(desk, at):
    """The overlap alone may carry the next start beyond what a provider's list of deletions reaches back to."""
    desk = desk(golden()).without("payiq")
    desk.configure(run={"full_sweep_days": 60, "overlap_minutes": 24 * 60}, gates={"freshness_hours": 10_000})
    start = datetime(2026, 1, 1, 6, tzinfo=UTC)
    for gap, is_full in ((timedelta(0), True), (timedelta(hours=1), False)):
        at(desk, start + gap)
        desk.run(GOLDEN_AS_OF)
        assert (asked(desk)["payt"] == {EVERYTHING}) is is_full
    at(desk, start + 59 * DAY + timedelta(hours=2))
    desk.run(GOLDEN_AS_OF)
    assert asked(desk) == {"payt": {EVERYTHING}, "totality": {EVERYTHING}}


@pytest.mark.slow
def test_a_full_fetch_that_a_gate_held_does_not_count_and_the_next_run_fetches_everything(desk, capsys):
    desk = desk(on_time()).without("payiq")
    run = ["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF)]
    assert execute(run) == 0
    held, desk.world.totality = desk.world.totality, type(desk.world.totality)()
    desk.world.version += 1
    capsys.readouterr()
    assert execute([*run, "--full"]) == 3
    said = capsys.readouterr().out
    assert "totality plans: 0 current rows, 1 in the last published run" in said
    assert "`planrecon run --full`" in said
    assert asked(desk) == {"payt": {EVERYTHING}, "totality": {EVERYTHING}}
    assert execute(["report", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF)]) == 3, "nor is it published so"

    desk.world.totality = held
    desk.world.version += 1
    assert execute(run) == 0
    assert asked(desk)["totality"] == {EVERYTHING}
    assert EVERYTHING not in asked(desk)["payt"]
    assert len([row for row in desk.rows("plans") if row["provider"] == "totality"]) == 1
    assert execute(run) == 0
    assert EVERYTHING not in asked(desk)["totality"]


@pytest.mark.fault(67)
def test_names_and_reasons_nobody_reads_are_not_landed_unless_the_fields_are_left_to_the_provider(desk):
    desk = desk(on_time()).without("totality", "payiq")
    personal = {b"Canary Person", b"canary reason of the debtor"}
    with desk.world.changing():
        desk.world.payt.debtors[0]["name"] = "Canary Person"
        desk.world.payt.payment_plans[0]["reason"] = "canary reason of the debtor"

    def landed():
        bodies = b"".join(pack.read_bytes() for pack in (desk.state_dir / "landing").rglob("*.pack"))
        return {word for word in personal if word in bodies}

    desk.run(GOLDEN_AS_OF)
    before = desk.tables()
    assert landed() == set()
    desk.configure(payt={"fields": False}).run(GOLDEN_AS_OF, full=True)
    assert landed() == personal
    assert desk.tables() == before


def test_a_list_that_never_ends_is_a_fault_of_the_provider_that_answered(desk, capsys):
    desk = desk(on_time()).without("totality", "payiq")
    numbers = iter(range(10**6))

    async def on_and_on(exchange):
        body = b'{"data": [{"id": "1001"}], "pagination": {"cursor": %d}}' % next(numbers)
        await exchange.answer(Answer(200, [(b"content-type", b"application/json")], body))

    desk.sandbox.faults.add(on_and_on, match="/v1/administrations", times=faults.FOREVER)
    desk.configure(payt={"sweep_minutes": 0.005})
    assert execute(["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF)]) == 2
    said = capsys.readouterr().err
    assert "provider_protocol: no provider could be read" in said
    assert "the time for one list is over" in said


@pytest.mark.fault(22)
@pytest.mark.parametrize(("match", "code"), [("/v1/payments", 403), ("/v1/payments", 401)])
def test_a_list_that_is_not_permitted_is_said_to_be_so(desk, match, code):
    """One scope is missing, or the token is refused half-way and so is the renewed one."""
    desk = desk(on_time()).without("totality", "payiq").configure(gates={"freshness_hours": 10_000})
    desk.begin(GOLDEN_AS_OF)
    body = b'{"error":{"message":"Missing permission: payments:read"}}'
    desk.sandbox.faults.add(faults.status(code, body=body), match=f"{match}[?]", times=faults.FOREVER)
    finished = desk.run(GOLDEN_AS_OF)
    assert "payt 1001 not read (not_permitted)" in finished.first_line
    unread = {row[0] for row in desk.query("SELECT sweep FROM v_fetches WHERE NOT complete")}
    assert "payments" in unread
    assert ("invoices" in unread) is (code == 401), (
        "a refusal of one list costs that list, one of the token all after it"
    )


def test_a_missing_permission_is_told_before_what_else_went_wrong_at_the_tenant():
    codes = ("provider_protocol", "not_permitted", "provider_unreachable")
    pulled = Pulled(Source("payt", "1001"), "snapshot", faults=tuple(Fault(code, "said") for code in codes))
    assert pulled.code == "not_permitted"


def test_strange_answers_are_named_and_cost_no_more_than_what_they_answer(desk, capsys):
    """A mark before JSON and a date no clock shows cost nothing; an empty answer one list; an echoed secret is masked."""
    desk = desk(on_time()).configure(gates={"freshness_hours": 10_000})
    desk.run(GOLDEN_AS_OF)
    secret = desk.sections["providers.payiq"]["signing_secret"]
    plans = desk.rows("plans")

    async def marked(exchange):
        answer = await exchange.execute()
        dated = answer.with_body(b"\xef\xbb\xbf" + answer.body).with_header("date", "Fri, 31 Dec 9999 23:59:59 -0100")
        await exchange.answer(dated)

    desk.sandbox.faults.add(marked, provider="payt", times=faults.FOREVER)
    desk.sandbox.faults.add(faults.status(204), match="/api/payments[?]", times=faults.FOREVER)
    echo = {"x-request-id": secret, "retry-after": "Fri, 31 Dec 9999 23:59:59 -0100"}
    desk.sandbox.faults.add(faults.status(503, headers=echo), match="/PaymentPlan/Setup", times=faults.FOREVER)
    run = ["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF), "--log-format", "json"]
    assert execute(run) == 0
    said = capsys.readouterr()
    first = said.out.splitlines()[0]
    assert "payt" not in first
    assert "totality 127.0.0.1 not read (provider_protocol)" in first
    assert "payiq not read (provider_unreachable)" in first
    assert "the answer is empty (204) where data was asked for" in said.err
    assert desk.rows("plans") == plans
    unread = {row[0] for row in desk.query("SELECT sweep FROM v_fetches WHERE NOT complete")}
    assert "payments" in unread
    assert secret not in said.out + said.err
    own = {desk.file, *(desk.state_dir / "landing").rglob("*")}
    for path in desk.folder.rglob("*"):
        if path.is_file() and path not in own:
            assert secret.encode() not in path.read_bytes(), path


def test_pages_that_overlap_make_a_whole_first_fetch(desk):
    """Every second answer for a page begins with the last three rows of the page before, as while rows are added."""
    world = generate(seed=3, plans=24, as_of=GOLDEN_AS_OF, providers=("totality",))
    straight = desk(world, "straight", assumed=Assumed(totality_page_size=7)).without("payt", "payiq")
    assert straight.run(GOLDEN_AS_OF).state == "PUBLISHED"
    overlapping = desk(world, "overlapping", assumed=Assumed(totality_page_size=7)).without("payt", "payiq")
    before, answered = {}, []

    async def again(exchange):
        answer = await exchange.execute()
        rows = json.loads(answer.body, parse_float=str)
        place, _, number = exchange.recorded.line.rpartition("page=")
        before[place, int(number)] = rows
        answered.append(place)
        more = before.get((place, int(number) - 1), [])[-3:] if rows and len(answered) % 2 == 0 else []
        await exchange.answer(answer.with_body(json.dumps(more + rows).encode()))

    overlapping.sandbox.faults.add(again, match=r"GET /api/[a-z-]+[?].*page=\d+$", times=faults.FOREVER)
    finished = overlapping.run(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED", finished.text
    assert len(answered) > 10
    assert overlapping.tables() == straight.tables()
    assert overlapping.query("SELECT count(*) FROM v_fetches WHERE NOT complete") == [(0,)]


@pytest.mark.fault(10)
def test_an_answer_above_the_configured_budget_costs_its_list_and_the_advice_names_a_key_there_is(desk, capsys):
    desk = desk(on_time()).without("totality", "payiq").configure(gates={"freshness_hours": 10_000})
    desk.begin(GOLDEN_AS_OF)
    desk.configure(payt={"byte_budget_mb": 0.0002})
    run = ["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF), "--full"]
    assert execute(run) in {0, 2}
    said = capsys.readouterr().err
    assert "larger than 209 bytes" in said
    assert "raise its byte_budget_mb" in said
    desk.configure(payt={"byte_budget_mb": 1})
    assert execute(run) == 0
