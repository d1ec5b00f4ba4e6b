"""Where rows go: Parquet files that appear when they are whole, and the count of what was written."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from playbooks.normalise.rows import STATUS, Rows


@dataclass
class Tally:
    """What was counted over the runs of one item."""

    tables: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    events: int = 0
    unread: int = 0
    blank: int = 0
    status: int = 0
    undated: int = 0
    first: str | None = None
    last: str | None = None

    def add(self, rows: Rows) -> None:
        self.events += rows.count
        self.unread += rows.unread.num_rows
        self.blank += rows.blank
        self.status += rows.unread["kind"].to_pylist().count(STATUS)
        for name, events in rows.tables.items():
            self.tables[name] += events.num_rows
            self.formats.update({one["values"]: one["counts"] for one in events["format"].value_counts().to_pylist()})
            self.undated += events["time"].null_count
            span = pc.min_max(events["time"]).as_py()
            self.add_span(span["min"], span["max"])

    def add_span(self, first: dt.datetime | None, last: dt.datetime | None) -> None:
        """Widen the span of times."""
        if first and last:
            low, high = first.isoformat(), last.isoformat()
            self.first = min(self.first or low, low)
            self.last = max(self.last or high, high)


class Sink:
    """A Parquet file that appears when it is whole, and only when it has rows."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Sink:
        return self

    def write(self, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        if self.writer is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.writer = pq.ParquetWriter(self._staged(), rows.schema, compression="zstd")
        self.writer.write_table(rows)

    def _staged(self) -> Path:
        return self.file.with_name(f".{self.file.name}.part")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.writer is None:
            return
        self.writer.close()
        if kind is None:
            self._staged().replace(self.file)
        else:
            self._staged().unlink(missing_ok=True)
