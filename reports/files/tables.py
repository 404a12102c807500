"""One report as CSV and Parquet, written frame by frame.

Where the files lie and how they become visible is in `publish.py`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from reports.cells import lines
from reports.decimals import decimals
from reports.errors import OrderError
from reports.files.parquet import ParquetSink
from reports.files.shape import arrange, empty, is_ordered
from reports.files.spool import Spool
from schemas.reports import Kind, Report

SLICE = 100_000
"""Rows turned into text at once: their cells stay in the processor's cache."""


@dataclass(slots=True)
class Totals:
    """What a table sums to: rows, and minor units by currency and money column."""

    rows: int = 0
    minor: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, report: Report, frame: pl.DataFrame) -> None:
        """Count an arranged frame in."""
        self.rows += frame.height
        money = report.of_kind(Kind.MONEY)
        if not money or frame.is_empty():
            return
        sums = frame.lazy().filter(pl.col("currency").is_not_null()).group_by("currency")
        for currency, *amounts in sums.agg(pl.col(money).cast(pl.Int128).sum()).collect().rows():
            totals = self.minor.setdefault(currency, dict.fromkeys(money, 0))
            for name, amount in zip(money, amounts, strict=True):
                totals[name] += amount


class TableWriter:
    """A report being written into `folder`.

    Frames may come in any order and number; rows end up sorted by the report's key. With
    `in_order` the caller promises that each frame begins behind the end of the one before,
    and nothing is put aside. `head` is an arranged frame of the first `keep` rows, `picked` what `pick` returned of all.
    """

    def __init__(
        self,
        report: Report,
        folder: Path,
        *,
        as_of: date,
        formats: Collection[str],
        in_order: bool = False,
        keep: int = 0,
        pick: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
    ) -> None:
        self.report = report
        self.totals = Totals()
        self.head = empty(report)
        self._keep = keep
        self._pick = pick
        self._picked: list[pl.DataFrame] = [] if pick is None else [pick(empty(report))]
        self._as_of = as_of
        self._spool = None if in_order else Spool(report.key, folder / f".{report.name}.spool")
        self._last: pl.DataFrame | None = None
        self._csv = None
        self._parquet = None
        if "csv" in formats and report.has_csv:
            self._csv = (folder / f"{report.name}.csv").open("wb")
            self._csv.write((",".join(report.names) + "\n").encode())
        if "parquet" in formats:
            schema = pl.Schema({column.name: column.kind.value for column in report.columns})
            self._parquet = ParquetSink(folder / f"{report.name}.parquet", schema)

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows of the result table behind this report.

        Raises:
            LayoutError: the frame is not of the report's shape.
            OrderError: order was promised and not kept.
        """
        arranged = arrange(self.report, frame, self._as_of)
        if self._spool is not None:
            self._spool.add(arranged)
            return
        self._refuse_disorder(arranged)
        self._emit(arranged)

    @property
    def picked(self) -> pl.DataFrame | None:
        """Return what was picked, in the order of the file; None where nothing was to be."""
        return pl.concat(self._picked) if self._picked else None

    def close(self) -> Totals:
        """Finish both files and return what they sum to."""
        if self._spool is not None:
            for frame in self._spool.frames():
                self._emit(frame)
            self._spool.remove()
        if self._csv is not None:
            self._csv.close()
        if self._parquet is not None:
            self._parquet.close()
        return self.totals

    def abandon(self) -> None:
        """Let go of both files; what they hold is of no use."""
        if self._csv is not None:
            self._csv.close()
        if self._parquet is not None:
            self._parquet.abandon()

    def _emit(self, arranged: pl.DataFrame) -> None:
        self.totals.add(self.report, arranged)
        if self.head.height < self._keep:
            self.head = pl.concat([self.head, arranged.head(self._keep - self.head.height)])
        if self._pick is not None:
            self._picked.append(self._pick(arranged))
        for rows in arranged.iter_slices(SLICE):
            if self._csv is not None:
                lines(self.report, rows).write_csv(self._csv, include_header=False, quote_style="never")
            if self._parquet is not None:
                self._parquet.write(decimals(self.report, rows))

    def _refuse_disorder(self, arranged: pl.DataFrame) -> None:
        seam = [frame for frame in (self._last, arranged.head(1)) if frame is not None]
        if not is_ordered(pl.concat(seam), self.report.key):
            raise OrderError(
                f"report {self.report.name!r}: a frame begins before the end of the one before it; "
                "hand parts over in key order, or open the report without `in_order`"
            )
        if not arranged.is_empty():
            self._last = arranged.tail(1)
