"""Write everything one run leaves behind, from its frames to the pointer; the entry to this room.

with RunWriter(reports_dir, as_of=as_of, run_id=run_id) as run:
    terms = run.table("terms", in_order=True)
    for part in parts:
        terms.add(part.terms)
    run.write("breaks", breaks)
    run.checks(results)
    folder = run.finish(facts)
    ...                          # more files may join the folder here
    run.publish()
"""

from collections.abc import Collection, Iterable
from datetime import date
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from reports import manifest, page
from reports.before import Before
from reports.digest import Digest
from reports.errors import ReportError
from reports.facts import RunFacts
from reports.files.tables import TableWriter
from reports.publish import Staging, point_latest
from reports.summary import Summary, outline
from reports.workbook.book import Written, rows_kept, write_workbook
from reports.workbook.lists import on_a_list
from schemas.reports import RECORDED, REPORTS
from schemas.words import PUBLISHED, REPORT_FORMATS

_READ_AGAIN = ("plans", *RECORDED)
"""Tables whose sums are read back from the files before the pointer moves."""


class ReportTable:
    """One open report: what goes into its files also goes into the page."""

    def __init__(self, writer: TableWriter, digest: Digest) -> None:
        self._writer = writer
        self._digest = digest

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows of the result table behind the report."""
        self._writer.add(frame)
        self._digest.add(self._writer.report.name, frame)


class RunWriter:
    """The files of one run. Leaving the block before `publish` leaves no folder behind."""

    def __init__(
        self, reports_dir: Path, *, as_of: date, run_id: str, formats: Collection[str] = REPORT_FORMATS
    ) -> None:
        unknown = sorted(set(formats) - set(REPORT_FORMATS))
        if unknown:
            raise ReportError(
                f"report formats {', '.join(unknown)} are not known; choose from {', '.join(REPORT_FORMATS)}"
            )
        self._dir = reports_dir.absolute()
        self._as_of = as_of
        self._run_id = run_id
        self._formats = frozenset(formats)
        self._digest = Digest()
        self._tables: dict[str, TableWriter] = {}
        self._facts: RunFacts | None = None
        self.summary: Summary
        self.stays = False
        """Whether the unsealed folder stays if the block is left before `publish`, as at the end of the process."""

    def __enter__(self) -> Self:
        self._staging = Staging(self._dir, self._as_of, self._run_id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._facts is None:
            for table in self._tables.values():
                table.abandon()
        self._staging.drop(stays=self.stays)

    def table(self, name: str, *, in_order: bool = False) -> ReportTable:
        """Open report `name` for frames of its result table.

        With `in_order` each frame must begin behind the end of the one before, by the
        report's key; rows inside a frame are sorted here. Otherwise any order will do, at
        the price of scratch files where there is more than one frame.
        """
        if name in self._tables:
            raise ReportError(f"report {name!r} is open already; add to the table you have")
        keep = rows_kept(REPORTS[name]) if "xlsx" in self._formats and REPORTS[name].has_csv else 0
        writer = TableWriter(
            REPORTS[name],
            self._staging.path,
            as_of=self._as_of,
            formats=self._formats,
            in_order=in_order,
            keep=keep,
            pick=partial(on_a_list, before=self._digest.before) if keep and name == "plans" else None,
        )
        self._tables[name] = writer
        return ReportTable(writer, self._digest)

    def write(self, name: str, frames: pl.DataFrame | Iterable[pl.DataFrame], *, in_order: bool = False) -> None:
        """Write a whole report from one frame or several."""
        table = self.table(name, in_order=in_order)
        for frame in [frames] if isinstance(frames, pl.DataFrame) else frames:
            table.add(frame)

    def compare(self, before: Before | None) -> None:
        """Take what the run is compared with, before its plans are written."""
        self._digest.before = before

    def checks(self, results: pl.DataFrame) -> None:
        """Take the check results, which the page and the summary list."""
        self._digest.checks = results

    def finish(self, facts: RunFacts) -> Path:
        """Write what remains and give the folder its place; return it. It is not published yet.

        Reports that were not written get their header. `self.summary` is what `summary.json` holds.
        """
        for name in REPORTS:
            if name not in self._tables:
                self.table(name)
        for name, table in self._tables.items():
            self._digest.rows[name] = table.close().rows
        self._facts = facts
        self.summary = outline(facts, self._digest)
        folder = self._staging.path
        (folder / "summary.json").write_text(manifest.to_json(self.summary), encoding="utf-8")
        if "html" in self._formats:
            (folder / "report.html").write_text(
                page.render(facts, self.summary, self._digest, self._formats), encoding="utf-8"
            )
        if "xlsx" in self._formats:
            tables = [_written(table) for table in self._shown()]
            write_workbook(folder / "reports.xlsx", self.summary, tables, plan_links=facts.plan_links)
        return self._staging.settle(facts.state)

    def publish(self) -> bool:
        """Seal the folder with its manifest and, if the run is published, move `latest`; tell whether it moved."""
        if self._facts is None:
            raise ReportError("the folder has no files yet; call finish before publish")
        folder = self._staging.path
        totals = {name: table.totals for name, table in self._tables.items()}
        described = manifest.describe(folder, self.summary, totals)
        manifest.compare_sums(folder, described, _READ_AGAIN)
        self._staging.seal(manifest.to_json(described))
        return self._facts.state == PUBLISHED and point_latest(self._dir, folder)

    def _shown(self) -> list[TableWriter]:
        return [self._tables[name] for name, report in REPORTS.items() if report.has_csv]


def _written(table: TableWriter) -> Written:
    return Written(table.report, table.head, table.totals.rows, table.totals.minor, table.picked)
