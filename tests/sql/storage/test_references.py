"""A page that came before is stored once, is found again, and says whether its account showed anything else."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from sql.errors import Damaged
from sql.storage.landing import Landing
from sql.storage.verification import Stored, verify

MORNING = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    body: bytes
    context: dict[str, str] = field(default_factory=dict)
    entity: str = "setup"
    status: int = 200
    provider_clock: datetime | None = None
    received_at: datetime | None = None


def account(context):
    return context.get("account", "")


def fetch(landing, day, *shown, since=None, complete=True, unread=(), tenant="17"):
    """Land one fetch of (account, body) pages; a body of None keeps what the account showed behind its first page."""
    snapshot = landing.snapshot("payiq", tenant, opened_at=MORNING + timedelta(days=day))
    snapshot.shown = landing.shown("payiq", tenant, before=snapshot.id, group=account)
    with snapshot.sweep("portfolio", tenant_id=tenant, since=since) as writer:
        for name, body in shown:
            context = {"account": name} if name else {}
            if body is None:
                writer.keep(context, ("rest",))
            else:
                writer.add(Page(body, context, "setup" if body.endswith(b"1") else "rest"))
        writer.seal(complete, "" if complete else "cut", unread=unread)
    return snapshot.finish()


def read(landing, facts):
    return [page.body for page in landing.pages(facts.id)]


def marks(landing, facts):
    """Of each page: `.` it came in here, `=` it lies elsewhere, `#` and its account is as it was."""
    return "".join("." if one.is_own else "#" if one.as_was else "=" for _, one in landing.listed(facts.id))


@pytest.fixture
def landing(tmp_path):
    return Landing(tmp_path / "state" / "landing")


FIRST = [("a", b"a1"), ("a", b"a2"), ("b", b"b1"), ("b", b"b2"), ("c", b"c1")]


def test_equal_bodies_are_stored_once_over_many_fetches_and_come_back_in_their_order(landing):
    days = [FIRST, FIRST, [*FIRST[:2], ("b", b"B1"), *FIRST[3:]], [*FIRST[:2], ("b", b"B1"), *FIRST[3:]]]
    fetches = [fetch(landing, day, *shown) for day, shown in enumerate(days)]
    assert [read(landing, facts) for facts in fetches] == [[body for _, body in shown] for shown in days]
    sizes = [sum(pack.stat().st_size for pack in facts.folder.glob("*.pack")) for facts in fetches]
    assert sizes == [10, 0, 2, 0]
    assert [marks(landing, facts) for facts in fetches] == [".....", "#####", "##.=#", "#####"]
    assert len({facts.digest for facts in fetches}) == 4


def test_an_account_is_as_it_was_only_with_all_its_pages_in_their_order(landing):
    fetch(landing, 0, *FIRST)
    assert marks(landing, fetch(landing, 1, *FIRST[:1], *FIRST[2:])) == "=###"
    assert marks(landing, fetch(landing, 2, *FIRST[:1], *FIRST[3:1:-1], FIRST[4])) == "#==#"


def test_a_body_that_comes_back_is_not_as_it_was_when_last_fetched(landing):
    fetch(landing, 0, ("a", b"old"))
    fetch(landing, 1, ("a", b"new"))
    assert marks(landing, fetch(landing, 2, ("a", b"old"))) == "."


def test_what_did_not_come_in_whole_is_no_measure(landing):
    fetch(landing, 0, ("a", b"a1"), ("b", b"b1"))
    fetch(landing, 1, ("a", b"a1"), ("b", b"b1"), complete=False, unread=["a"])
    assert marks(landing, fetch(landing, 2, ("a", b"a1"), ("b", b"b1"))) == "=#"


def test_of_an_account_whose_first_page_is_as_it_was_the_others_can_be_kept(landing):
    fetch(landing, 0, *FIRST)
    fetch(landing, 1, ("a", b"a1"), ("a", b"A2"), ("b", b"b1"), ("b", None), ("c", b"c1"))
    third = fetch(landing, 2, ("a", b"a1"), ("a", None), ("b", b"b1"), ("b", None), ("c", b"c1"))
    assert read(landing, third) == [b"a1", b"A2", b"b1", b"b2", b"c1"]
    assert marks(landing, third) == "#####"


def test_fetches_of_few_accounts_hide_none_of_the_others_and_tenants_are_told_apart(landing):
    fetch(landing, 0, *FIRST)
    fetch(landing, 1, ("b", b"B1"), complete=False)
    assert marks(landing, fetch(landing, 2, *FIRST[:2], ("b", b"B1"))) == "###"
    assert marks(landing, fetch(landing, 3, *FIRST, tenant="18")) == "....."


def test_a_list_is_known_by_its_newest_fetch_and_its_bodies_back_to_one_of_everything(landing):
    fetch(landing, 0, ("", b"page 1"), ("", b"page 2"))
    fetch(landing, 1, ("", b"changes"), since=MORNING)
    assert marks(landing, fetch(landing, 2, ("", b"changes"), since=MORNING)) == "#"
    assert marks(landing, fetch(landing, 3, ("", b"page 1"), ("", b"page two"))) == "=."


def test_the_verification_reads_through_names_and_finds_what_they_no_longer_lead_to(landing, tmp_path):
    first = fetch(landing, 0, *FIRST)
    second = fetch(landing, 1, *FIRST)
    stored = Stored(tmp_path / "none.duckdb", tmp_path / "state", tmp_path / "reports")

    def told():
        found = {checked.place: checked for checked in verify(stored)}["landing"]
        return found.seen, found.faults

    assert told() == ("2 fetches, 10 pages, 0.0 MB", ())
    pack = next(first.folder.glob("*.pack"))
    pack.write_bytes(b"x" + pack.read_bytes()[1:])
    assert "is not what was received" in " ".join(told()[1])
    with pytest.raises(Damaged, match=first.id) as raised:
        read(landing, second)
    assert raised.value.where == second.folder, "it is the later fetch that cannot be read"
    next(first.folder.glob("*.seal.json")).unlink()
    assert "does not hold the pages that came in again" in " ".join(told()[1])
    later = Landing(landing.root)  # a run reads each seal once
    assert marks(later, fetch(later, 2, *FIRST)) == ".....", "a damaged fetch is no measure"
