"""What was received stays, byte for byte; what was not sealed never happened."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from sql.errors import CannotWrite, Damaged
from sql.storage.landing import Landing, Snapshot

MORNING = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Page:
    entity: str = "payments"
    body: bytes = b"[]"
    context: dict[str, str] = field(default_factory=dict)
    status: int = 200
    provider_clock: datetime | None = None
    received_at: datetime | None = None


def sweep(snapshot: Snapshot, name: str, *bodies: bytes, complete: bool = True, reason: str = "") -> None:
    with snapshot.sweep(name, tenant_id=snapshot.tenant_id, since=None) as writer:
        for body in bodies:
            writer.add(Page(entity=name, body=body))
        writer.seal(complete, reason)


def bodies(landing: Landing, snapshot_id: str) -> list[bytes]:
    return [page.body for page in landing.pages(snapshot_id)]


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def test_bodies_come_back_in_the_order_they_were_received(landing):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(snapshot, "payment_plans", b'{"a": 1.10}', b"\xff\x00 not text")
    sweep(snapshot, "invoices")
    sweep(snapshot, "payments", b"", b"third")
    snapshot.finish()

    pages = list(landing.pages(snapshot.id))

    assert [page.body for page in pages] == [b'{"a": 1.10}', b"\xff\x00 not text", b"", b"third"]
    assert [page.page_no for page in pages] == [0, 1, 2, 3]
    assert [page.sweep for page in pages] == ["payment_plans", "payment_plans", "payments", "payments"]
    assert pages[1].sha256 == sha256(b"\xff\x00 not text").hexdigest()


def test_a_seal_tells_what_was_asked_and_how_it_ended(landing):
    asked = datetime(2026, 6, 29, 23, 45, tzinfo=UTC)
    told = datetime(2026, 6, 30, 6, 0, 1, tzinfo=UTC)
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    with snapshot.sweep("payments", tenant_id="17", since=asked) as writer:
        writer.add(Page(body=b"1", context={"reference_number": "R-1"}, provider_clock=None))
        writer.add(Page(body=b"22", status=206, provider_clock=told))
        writer.add(Page(body=b"3", provider_clock=told + timedelta(seconds=9)))
        writer.seal(complete=False, reason="page 4: cut")

    seal = landing.seals(snapshot.id)["payments"]

    assert (seal.since, seal.complete, seal.reason, seal.started_clock) == (asked, False, "page 4: cut", told)
    assert [(page.offset, page.length, page.status) for page in seal.pages] == [(0, 1, 200), (1, 2, 206), (3, 1, 200)]
    assert seal.pages[0].context == {"reference_number": "R-1"}


def test_a_snapshot_that_was_not_finished_is_resumed_without_asking_again(landing):
    first = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(first, "payments", b"kept")

    again = landing.snapshot("payt", "17", opened_at=MORNING + timedelta(hours=2))

    assert again.id == first.id
    assert again.opened_at == MORNING
    assert list(again.sealed) == ["payments"]
    with pytest.raises(ValueError, match="sealed"):
        again.sweep("payments", tenant_id="17", since=None)


def test_a_snapshot_of_the_day_before_is_not_resumed_by_the_next_run_of_a_schedule(landing):
    first = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(first, "payments", b"kept")

    again = landing.snapshot("payt", "17", opened_at=MORNING + timedelta(hours=23, minutes=59))

    assert (again.id == first.id, list(again.sealed)) == (False, [])


def test_a_finished_snapshot_is_not_resumed_and_takes_no_more_pages(landing):
    first = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(first, "payments", b"kept")
    facts = first.finish()

    assert facts.is_finished
    assert first.finish() == facts
    assert landing.snapshot("payt", "17", opened_at=MORNING + timedelta(hours=1)).id != first.id
    with pytest.raises(ValueError, match="finished"):
        first.sweep("invoices", tenant_id="17", since=None)


def test_an_unfinished_snapshot_of_another_tenant_or_of_last_week_is_left_alone(landing):
    mine = landing.snapshot("payt", "17", opened_at=MORNING)

    assert landing.snapshot("payt", "18", opened_at=MORNING).id != mine.id
    assert landing.snapshot("totality", "17", opened_at=MORNING).provider == "totality"
    assert landing.snapshot("payt", "17", opened_at=MORNING + timedelta(days=7)).id != mine.id


def test_a_sweep_that_ended_incomplete_may_be_swept_again_before_the_end(landing):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(snapshot, "payments", b"half", complete=False, reason="cut")
    sweep(snapshot, "invoices", b"i")
    sweep(snapshot, "payments", b"half", b"whole")
    snapshot.finish()

    assert bodies(landing, snapshot.id) == [b"i", b"half", b"whole"]
    assert landing.seals(snapshot.id)["payments"].complete


def test_leaving_a_sweep_without_a_seal_forgets_it(landing):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    with snapshot.sweep("payments", tenant_id="17", since=None) as writer:
        writer.add(Page(body=b"lost"))

    assert bodies(landing, snapshot.id) == []
    assert not [name for name in everything(landing.root) if "payments" in name]


@pytest.mark.parametrize("name", ["../payments", "Payments", "pay ments", "", "a/b", "a" * 65])
def test_a_name_that_could_leave_the_folder_is_refused(landing, name):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    with pytest.raises(ValueError, match="cannot name"):
        snapshot.sweep(name, tenant_id="17", since=None)
    with pytest.raises(ValueError, match="cannot name"):
        landing.snapshot(name, "17", opened_at=MORNING)


@pytest.mark.fault(70)
def test_a_tenant_id_never_becomes_a_path(landing):
    snapshot = landing.snapshot("payt", "../../etc/passwd\n", opened_at=MORNING)
    sweep(snapshot, "payments", b"x")

    assert all("etc" not in name for name in everything(landing.root))
    assert landing.find(snapshot.id).tenant_id == "../../etc/passwd\n"


@pytest.mark.fault(71)
def test_every_file_is_private_even_under_an_open_umask(tmp_path):
    before = os.umask(0o022)
    try:
        landing = Landing(tmp_path / "landing")
        snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
        sweep(snapshot, "payments", b"x")
        snapshot.finish()
    finally:
        os.umask(before)

    for path in (landing.root, *landing.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.fault(44)
@pytest.mark.parametrize("byte", [0, 3, 9])
def test_a_flipped_bit_in_a_body_is_found(landing, byte):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(snapshot, "payments", b"01234", b"56789")
    snapshot.finish()
    pack = next(landing.root.rglob("*.pack"))
    flip(pack, byte)

    with pytest.raises(Damaged, match=r"001-payments\.pack.*restore"):
        bodies(landing, snapshot.id)


@pytest.mark.fault(44)
@pytest.mark.parametrize("name", ["001-payments.seal.json", "opened.json", "snapshot.json"])
def test_a_flipped_bit_in_an_index_is_found(landing, name):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(snapshot, "payments", b"01234")
    folder = snapshot.finish().folder
    for byte in range(0, (folder / name).stat().st_size - 1, 7):
        flip(folder / name, byte)
        with pytest.raises(Damaged):
            bodies(landing, snapshot.id)
        flip(folder / name, byte)
    assert bodies(landing, snapshot.id) == [b"01234"]


def test_a_torn_pack_is_found(landing):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(snapshot, "payments", b"0123456789")
    snapshot.finish()
    os.truncate(next(landing.root.rglob("*.pack")), 4)

    with pytest.raises(Damaged):
        bodies(landing, snapshot.id)


def test_a_seal_added_or_removed_after_the_end_is_found(landing):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(snapshot, "payments", b"p")
    sweep(snapshot, "invoices", b"i")
    folder = snapshot.finish().folder
    (folder / "002-invoices.seal.json").unlink()

    with pytest.raises(Damaged, match="seals"):
        bodies(landing, snapshot.id)


def test_the_digest_covers_every_body_and_nothing_else(tmp_path):
    def digest(root: Path, body: bytes) -> str:
        snapshot = Landing(root).snapshot("payt", "17", opened_at=MORNING)
        sweep(snapshot, "payments", body)
        return snapshot.finish().digest

    assert digest(tmp_path / "a", b"x") == digest(tmp_path / "b", b"x")
    assert digest(tmp_path / "c", b"x") != digest(tmp_path / "d", b"y")


def test_a_link_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "landing").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(CannotWrite, match="link"):
        Landing(tmp_path / "landing")


STEPS = ("parted", "packed", "sealed", "finished")


@pytest.mark.fault(39)
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_all_or_nothing_of_a_sweep(tmp_path, step):
    """`parted`: bodies written, nothing sealed; `packed`: pack renamed, no seal; then sealed, then finished."""
    script = f"""
        import os, signal
        from datetime import datetime, UTC
        from pathlib import Path
        from types import SimpleNamespace
        import sql.storage.sweeps, sql.storage.landing
        def die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)
        step = {step!r}
        snapshot = sql.storage.landing.Landing(Path({str(tmp_path)!r}) / "landing").snapshot("payt", "17", opened_at=datetime(2026, 6, 30, 6, tzinfo=UTC))
        page = SimpleNamespace(entity="payments", body=b"x" * 100_000, context={{}}, status=200, provider_clock=None, received_at=None)
        if step == "packed":
            sql.storage.sweeps.write_seal = die
        with snapshot.sweep("payments", tenant_id="17", since=None) as writer:
            writer.add(page)
            if step == "parted": die()
            writer.seal(True)
        if step == "sealed": die()
        snapshot.finish()
        die()
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=PROJECT, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL

    landing = Landing(tmp_path / "landing")
    left = landing.snapshots()[0]
    resumed = landing.snapshot("payt", "17", opened_at=MORNING + timedelta(minutes=5))
    if step == "finished":
        assert left.is_finished
        assert resumed.id != left.id
    else:
        assert resumed.id == left.id
        if step != "sealed":
            assert resumed.sealed == {}
            assert everything(left.folder) == ["opened.json"]
            sweep(resumed, "payments", b"x" * 100_000)
        resumed.finish()
    assert bodies(landing, left.id) == [b"x" * 100_000]
    assert not [name for name in everything(landing.root) if "part" in name or "tmp" in name]


@pytest.mark.fault(41)
def test_a_disk_that_is_full_is_named_and_what_was_sealed_stays(tmp_path):
    """A limit on the size of files stands for the full disk."""
    script = f"""
        import resource, signal
        from datetime import datetime, UTC
        from pathlib import Path
        from types import SimpleNamespace
        from sql.errors import CannotWrite
        from sql.storage.landing import Landing
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        snapshot = Landing(Path({str(tmp_path)!r}) / "landing").snapshot("payt", "17", opened_at=datetime(2026, 6, 30, 6, tzinfo=UTC))
        def sweep(name, size):
            with snapshot.sweep(name, tenant_id="17", since=None) as writer:
                writer.add(SimpleNamespace(entity=name, body=b"x" * size, context={{}}, status=200, provider_clock=None, received_at=None))
                writer.seal(True)
        sweep("invoices", 10)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            sweep("payments", 200_000)
        except CannotWrite as error:
            print(error.code, error)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stderr == ""
    assert ended.stdout.startswith(f"cannot_write cannot write {tmp_path}/landing/payt/")
    landing = Landing(tmp_path / "landing")
    resumed = landing.snapshot("payt", "17", opened_at=MORNING)
    assert bodies(landing, resumed.id) == [b"x" * 10]
    assert not [name for name in everything(landing.root) if "payments" in name]


def test_seals_are_plain_json_that_names_no_body(landing):
    snapshot = landing.snapshot("payt", "17", opened_at=MORNING)
    sweep(snapshot, "payments", b"canary-body")
    seal = next(landing.root.rglob("*.seal.json")).read_text()

    assert "canary" not in seal
    assert json.loads(seal)["pages"][0]["sha256"] == sha256(b"canary-body").hexdigest()


def flip(path: Path, byte: int) -> None:
    body = bytearray(path.read_bytes())
    body[byte] ^= 4
    path.write_bytes(body)
