"""Keep the reasons that a run found for the next one.

    <state_dir>/reasons    a line with the SHA-256 of the program's version and the rest; `remembered.REASONS` as Parquet

It may be taken away at any time: then reasons are looked for again.
"""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import polars as pl

from flows import log
from flows.steps.run_key import version
from sql.storage.files import write_atomic
from transforms.conformance.remembered import REASONS, nothing_remembered

NAME = "reasons"
MOST_CASES = 50_000
"""Remembered at most: a few hundred bytes each. Where more plans differ, those with the lowest hashes stay."""


def remembered(state_dir: Path) -> pl.DataFrame:
    """Return the `REASONS` of the last run; none where they are gone, damaged, or of another version of the program."""
    try:
        seal, _, body = (state_dir / NAME).read_bytes().partition(b"\n")
    except OSError:
        return nothing_remembered()
    return pl.read_parquet(BytesIO(body)) if seal == _seal(body) else nothing_remembered()


def remember(state_dir: Path, before: pl.DataFrame, found: Sequence[pl.DataFrame]) -> None:
    """Keep the reasons that the parts of a run looked for in place of those of the run before."""
    used = pl.concat([nothing_remembered(), *found]).unique("case").sort("case")
    known = used.join(before, on="case", how="semi").height
    log.LOGGER.info("reasons: %d of %d known before", known, used.height, extra=log.STEP)
    kept = used.head(MOST_CASES)
    if kept["case"].equals(before["case"]):
        return
    body = BytesIO()
    kept.write_parquet(body, compression="zstd")
    write_atomic(state_dir / NAME, _seal(body.getvalue()) + b"\n" + body.getvalue())


def _seal(body: bytes) -> bytes:
    return (
        hashlib.sha256(f"{version()}|{pl.__version__}|{sorted(REASONS.items())}|".encode() + body).hexdigest().encode()
    )
