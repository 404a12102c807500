"""One Parquet file written frame by frame, in constant memory.

polars writes a Parquet file from a query only; here the query's source is a queue
that frames are put into, so the caller need not be a generator.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import polars as pl
from polars.io.plugins import register_io_source

from reports.errors import ReportError

ROW_GROUP = 250_000
"""Rows per row group; fixed, so that the bytes do not depend on how rows were handed over."""


class _Abandoned(Exception):  # noqa: N818  # not an error
    """The file is abandoned."""


class ParquetSink:
    """An open Parquet file. `write` in order, then `close`; `abandon` instead leaves an unusable file."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._path = path
        self._schema = schema
        self._queue: Queue[pl.DataFrame | _Abandoned | None] = Queue(maxsize=1)
        self._error: BaseException | None = None
        self._has_ended = False
        self._thread = threading.Thread(target=self._run, name=f"parquet {path.name}", daemon=True)
        self._thread.start()

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows; waits while the frame before is still being written."""
        self._queue.put(frame)
        self._refuse_broken()

    def close(self) -> None:
        """Finish the file."""
        self._queue.put(None)
        self._thread.join()
        self._refuse_broken()

    def abandon(self) -> None:
        """Stop writing, whatever happened before."""
        self._queue.put(_Abandoned())
        self._thread.join()

    def _refuse_broken(self) -> None:
        if self._error is not None:
            raise ReportError(
                f"could not write {self._path.name!r}: {self._error}; free space and run again"
            ) from self._error

    def _run(self) -> None:
        try:
            query = register_io_source(self._source, schema=self._schema)
            query.sink_parquet(self._path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
        except Exception as error:  # noqa: BLE001  # carried to the caller's thread
            self._error = error
        while not self._has_ended:  # lets a caller that waits for the queue go on to the error
            self._next()

    def _source(self, *_: object) -> Iterator[pl.DataFrame]:
        while (frame := self._next()) is not None:
            if not frame.is_empty():
                yield frame

    def _next(self) -> pl.DataFrame | None:
        item = self._queue.get()
        if isinstance(item, pl.DataFrame):
            return item
        self._has_ended = True
        if item is not None:
            raise item
        return None
