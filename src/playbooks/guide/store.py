"""Tables of results on disk: each kept with the stamp it was computed under, and computed anew under another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from playbooks.case import write_json
from playbooks.engine import Tables, keep_table, read_table
from playbooks.guide.progress import tell
from playbooks.schema.arrow import framed, shape_of

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from playbooks import schema

STAMPS = ".stamps.json"
ROW_GROUP = 100_000


class Store:
    """The tables in one folder; `stamp` tells what the results of today depend on, and is asked only when needed."""

    def __init__(self, folder: Path, stamp: Callable[[], str], stamps: str = STAMPS) -> None:
        self._folder = folder
        self._stamp = stamp
        self._marks = folder / stamps

    def file(self, table: schema.Table) -> Path:
        """Where a table lies."""
        return self._folder / f"{table.name}.parquet"

    def kept(self, table: schema.Table, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """The table as it lies there if its stamp is that of today, else computed and kept."""
        if not (self.is_current(table.name) and self.file(table).is_file()):
            tell(f"working out {table.name.replace('_', ' ')}")
            self.keep(table, compute())
            self.mark(table.name)
        return self.load(table)

    def kept_both(
        self, tables: tuple[schema.Table, schema.Table], compute: Callable[[], tuple[pd.DataFrame, pd.DataFrame]]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The same for two tables that are computed together."""
        if not all(self.is_current(table.name) and self.file(table).is_file() for table in tables):
            tell(f"working out {' and '.join(table.name.replace('_', ' ') for table in tables)}")
            for table, frame in zip(tables, compute(), strict=True):
                self.keep(table, frame)
                self.mark(table.name)
        first, second = tables
        return self.load(first), self.load(second)

    def load(self, table: schema.Table) -> pd.DataFrame:
        """The table as it lies there; of one that grows with the estate, lists of texts stay in Arrow."""
        rows = pq.read_table(self.file(table))
        found: pd.DataFrame = framed(rows) if table.grows else rows.to_pandas()
        return found

    def keep(self, table: schema.Table, frame: pd.DataFrame) -> None:
        """Write a frame in the shape of its table."""
        rows = pa.Table.from_pandas(frame[list(table.names)], schema=shape_of(table), preserve_index=False)
        self._write(table, rows.replace_schema_metadata(None).to_batches())

    def keep_rows(self, table: schema.Table, rows: ir.Table) -> None:
        """Write rows that are too many for a frame."""
        shape = shape_of(table)
        self._write(table, (batch.cast(shape) for batch in rows.select(*table.names).to_pyarrow_batches()))

    def parked(self, name: str, tables: Tables, compute: Callable[[], ir.Table]) -> ir.Table:
        """Rows that several questions start from, kept in a file of this name."""
        file = self._folder / name
        if not (self.is_current(name) and file.exists()):
            file.parent.mkdir(parents=True, exist_ok=True)
            tell(f"gathering {name.strip('.').removesuffix('.parquet').replace('_', ' ')}")
            keep_table(compute(), file)
            self.mark(name)
        return read_table(tables, file)

    def is_current(self, name: str) -> bool:
        """Whether what has this name was computed under the stamp of today."""
        return self._stamps().get(name) == self._stamp()

    def mark(self, name: str) -> None:
        """Say that what has this name is of today."""
        # A mark of another case file or kit goes: its file may be overwritten by now, and the case file come back.
        kept = {other: stamp for other, stamp in self._stamps().items() if stamp == self._stamp()}
        write_json(self._marks, kept | {name: self._stamp()})

    def _stamps(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._marks.read_text(encoding="utf-8")) if self._marks.is_file() else {}
        return found

    def _write(self, table: schema.Table, batches: Iterable[pa.RecordBatch]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        staged = self._folder / f".{table.name}.part"
        with pq.ParquetWriter(staged, shape_of(table), compression="zstd") as out:
            for batch in batches:
                out.write_batch(batch, row_group_size=ROW_GROUP)
        staged.replace(self.file(table))
