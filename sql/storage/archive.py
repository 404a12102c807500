"""Keep each run beside the warehouse, so that a rebuilt one knows its runs and the history of its breaks.

    <state_dir>/runs/<run_id>.zip    run.json, the recorded reports, the register of breaks

Written before the run enters the database: an archive that no run names was left
by a crash, and the next try writes over it.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl

from sql.errors import Damaged
from sql.runs import Run
from sql.storage.files import private_folder, sha256_file, write_atomic
from sql.storage.seals import canonical

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")
_REGISTER = "break_register"


@dataclass(frozen=True, slots=True)
class ArchivedRun:
    """A run with everything that `record_run` takes."""

    run: Run
    frames: Mapping[str, pl.DataFrame]
    register: pl.DataFrame | None


class Archive:
    """The runs of one state folder."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = private_folder(state_dir / "runs")

    def keep(self, run: Run, frames: Mapping[str, pl.DataFrame], register: pl.DataFrame | None) -> str:
        """Write the run, whole or not at all; return the SHA-256 of its file."""
        body = BytesIO()
        members = dict(frames) if register is None else {**frames, _REGISTER: register}
        with zipfile.ZipFile(body, "w") as file:
            file.writestr(zipfile.ZipInfo("run.json"), canonical(run.to_json()))
            for name, frame in members.items():
                table = BytesIO()
                frame.write_parquet(table, compression="zstd", compression_level=1)
                file.writestr(zipfile.ZipInfo(f"{name}.parquet"), table.getvalue())
        path = self._path(run.run_id)
        write_atomic(path, body.getvalue())
        return sha256_file(path)

    def read(self, run_id: str, sha256: str) -> ArchivedRun:
        """Return the run that was kept.

        Raises:
            Damaged: it is not here, or not what was written.
        """
        path = self._path(run_id)
        if not path.is_file() or sha256_file(path) != sha256:
            message = f"{path} is not what was written; restore it from a backup, or its run stays out of the warehouse"
            raise Damaged(message, where=path)
        with zipfile.ZipFile(path) as file:
            run = Run.from_json(json.loads(file.read("run.json")))
            names = [name.removesuffix(".parquet") for name in file.namelist() if name.endswith(".parquet")]
            frames = {name: pl.read_parquet(BytesIO(file.read(f"{name}.parquet"))) for name in names}
        return ArchivedRun(run, frames, frames.pop(_REGISTER, None))

    def sha256(self, run_id: str) -> str:
        """Return the SHA-256 of a run's file; empty if there is none."""
        path = self._path(run_id)
        return sha256_file(path) if path.is_file() else ""

    def _path(self, run_id: str) -> Path:
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} cannot name a run; use letters, digits and _ . + -")
        return self.folder / f"{run_id}.zip"
