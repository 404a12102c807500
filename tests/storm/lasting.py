"""Loads committed to a real database and told to the commit log, while the power goes, the process dies or the disk is full.

DuckDB syncs its files from its own library, where no hook of the interpreter is heard: the place in it from which
`fdatasync` is called is pointed at ours as long as it is watched.
"""

import contextlib
import ctypes
import random
import resource
import signal
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PAGE = 4096
"""Bytes that the system writes back at a time."""
START = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
INSERT = "INSERT INTO meta.loads VALUES ($no, $id, 'payt', '17', $snapshot, 'FULL', true, $at, $at::DATE, $at, 1)"
_DYNAMIC = 2
_SYMBOLS, _NAMES, _SIZE, _CALLS = 6, 5, 2, 23


@cache
def place_of(symbol: str, library: Path) -> int:
    """Return where in this process the library keeps the address of a function that it calls.

    Raises:
        LookupError: it calls none of that name through a place that can be changed, or is not loaded.
    """
    image = library.read_bytes()
    (headers,), (size, count) = struct.unpack_from("<Q", image, 0x20), struct.unpack_from("<HH", image, 0x36)
    kinds = (struct.unpack_from("<IIQQQQ", image, headers + number * size) for number in range(count))
    start, length = next((at, size) for kind, _, at, _, _, size in kinds if kind == _DYNAMIC)
    told = dict(struct.unpack_from("<qQ", image, start + at) for at in range(0, length, 16))
    for at in range(told[_CALLS], told[_CALLS] + told[_SIZE], 24):
        offset, info = struct.unpack_from("<QQ", image, at)
        (name,) = struct.unpack_from("<I", image, told[_SYMBOLS] + (info >> 32) * 24)
        if image.startswith(symbol.encode() + b"\0", told[_NAMES] + name):
            return _base(library) + offset
    raise LookupError(f"{library} does not call {symbol}")


def _base(library: Path) -> int:
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        span, _, offset, _, _, *name = line.split(maxsplit=5)
        if name == [str(library)] and int(offset, 16) == 0:
            return int(span.partition("-")[0], 16)
    raise LookupError(f"{library} is not loaded")


@contextmanager
def database_syncs(heard: Callable[[int], None]) -> Iterator[None]:
    """Let `heard` stand in for each `fdatasync` of DuckDB's library; what it raises is raised at the end."""
    import _duckdb

    failed: list[BaseException] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    def instead(handle: int) -> int:
        try:
            heard(handle)
        except BaseException as error:  # noqa: BLE001  it would be lost in the library
            failed.append(error)
            return -1
        return 0

    place = ctypes.c_void_p.from_address(place_of("fdatasync", Path(_duckdb.__file__)))
    usual, place.value = place.value, ctypes.cast(instead, ctypes.c_void_p).value
    try:
        yield
    finally:
        place.value = usual
        for error in failed:
            raise error


@dataclass(frozen=True)
class Cut:
    """What a power cut left at some moment, how many loads somebody had been told of by then, and how many were begun."""

    told: int
    begun: int
    files: dict[int, bytes]
    folders: dict[int, Any]


class Power:
    """Commits loads by a seed on a disk that forgets, and keeps what cuts of the power at some moments would leave."""

    def __init__(self, disk: Any, seed: int) -> None:
        self.disk, self.rng = disk, random.Random(f"power {seed}")
        self.told = self.begun = self.syncs = 0
        self.cuts: list[Cut] = []

    def work(self) -> None:
        """Open a warehouse, commit loads and tell of them; the database is written back or its names last as chance has it."""
        from sql.storage.commit_log import CommitLog
        from sql.storage.commits import log_loads
        from sql.warehouse import Warehouse

        root = self.disk.root
        with (
            self.disk.watched(),
            database_syncs(self._sync),
            Warehouse.open(root / "planrecon.duckdb", state_dir=root / "state") as warehouse,
        ):
            for number in range(1, self.rng.randrange(3, 8)):
                self.begun = number
                put_load(warehouse, number, rows=self.rng.choice((0, 0, 3000)))
                self.cut(0.5)
                log_loads(warehouse.con, CommitLog(root / "state"))
                self.told = number
                self.cut(1)
                if self.rng.random() < 0.3:
                    warehouse.con.execute("CHECKPOINT")
                    self.cut(1)
        self.cut(1)

    def cut(self, chance: float) -> None:
        """Keep, with this chance, what is left if the power goes now."""
        if self.rng.random() < chance:
            self.cuts.append(Cut(self.told, self.begun, *self._left()))

    def _sync(self, handle: int) -> None:
        self.cut(0.3)
        self.disk.sync(handle)
        self.syncs += 1
        self.cut(0.3)

    def _left(self) -> tuple[dict[int, bytes], dict[int, Any]]:
        """Return what was made to last, and as much more of files and names as the system wrote back by itself."""
        files, folders = dict(self.disk.files), dict(self.disk.folders)
        root = self.disk.root
        if self.rng.random() < 0.5:
            folders[root.stat().st_ino] = self.disk.entries(root)
        for path in root.glob("planrecon.duckdb*"):
            number, now = path.stat().st_ino, path.read_bytes()
            lasting = files.get(number, b"")
            if lasting != now and self.rng.random() < 0.7:
                files[number] = self._written_back(lasting, now)
        return files, folders

    def _written_back(self, lasting: bytes, now: bytes) -> bytes:
        length = self.rng.choice((len(lasting), len(now), self.rng.randint(*sorted((len(lasting), len(now))))))
        share = self.rng.choice((0.1, 0.5, 0.9))
        old, new = (body[:length].ljust(length, b"\0") for body in (lasting, now))
        return b"".join((new if self.rng.random() < share else old)[at : at + PAGE] for at in range(0, length, PAGE))


def put_load(warehouse: Any, number: int, *, rows: int = 0) -> None:
    """Commit one load, with so many rows that it brings."""
    at = START + timedelta(minutes=number)
    with warehouse.transaction():
        warehouse.con.execute(INSERT, {"no": number, "id": f"l{number}", "snapshot": f"s{number}", "at": at})
        if rows:
            warehouse.con.execute("CREATE TABLE IF NOT EXISTS core.wide (a BIGINT, b UBIGINT)")
            warehouse.con.execute(f"INSERT INTO core.wide SELECT range, hash(range + {number}) FROM range({rows})")


def write_on(root: str, told: Connection, room: int | None) -> None:
    """Commit loads and tell of them for ever, or until `room` bytes more than now are in a file; say the number of each."""
    from sql.errors import StoreError
    from sql.storage.commit_log import CommitLog
    from sql.storage.commits import committed_loads, log_loads
    from sql.warehouse import Warehouse

    state = Path(root) / "state"
    with contextlib.suppress(StoreError), Warehouse.open(Path(root) / "planrecon.duckdb", state_dir=state) as warehouse:
        if room is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            size = max(path.stat().st_size for path in Path(root).glob("planrecon.duckdb*")) + room
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        number = len(committed_loads(warehouse.con))
        while True:
            number += 1
            put_load(warehouse, number, rows=20_000 if room is not None else 0)
            log_loads(warehouse.con, CommitLog(state))
            told.send(number)
