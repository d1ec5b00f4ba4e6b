"""What a cutter gives: runs of records, and records that could not be cut whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

CHUNK_RECORDS = 100_000  # enough to be worth a query, few enough to be held at once
NONE_BROKEN: Mapping[int, str] = {}


@dataclass(frozen=True)
class Records:
    """A run of records under one header.

    `texts` holds the records; `broken` says why, by index into `texts`, for those cut off or damaged;
    `names` are the field names of a header line. Where a record is made of cells, `cells` holds them (as lists,
    or as structs where all records have as many), or they stand between `delimiter`s and nothing quotes these.
    """

    texts: pa.StringArray
    names: tuple[str, ...] = ()
    broken: Mapping[int, str] = field(default_factory=lambda: NONE_BROKEN)
    cells: pa.ListArray | pa.StructArray | None = None
    delimiter: str = ""
    blank: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def raws(self) -> list[str]:
        return list(self.texts.to_pylist())

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return int(self.texts.nbytes) + 64 * self.blank

    def part(self, start: int, count: int) -> Records:
        """So many records from `start` on; the blank lines belong to the first of them."""
        if start == 0 and count >= len(self):
            return self
        return Records(
            self.texts.slice(start, count),
            self.names,
            {index - start: reason for index, reason in self.broken.items() if start <= index < start + count},
            self.cells.slice(start, count) if self.cells is not None else None,
            self.delimiter,
            0 if start else self.blank,
        )

    def like(self, other: Records) -> bool:
        """Whether both stand under one header and give their cells alike."""
        return self._header() == other._header()

    def _header(self) -> tuple[object, ...]:
        return self.names, self.delimiter, self.cells.type if self.cells is not None else None

    def then(self, other: Records) -> Records:
        """Both runs as one; they must be `like`."""
        moved = {len(self) + index: reason for index, reason in other.broken.items()}
        return Records(
            pa.concat_arrays([self.texts, other.texts]),
            self.names,
            {**self.broken, **moved},
            pa.concat_arrays([self.cells, other.cells]) if self.cells is not None else None,
            self.delimiter,
            self.blank + other.blank,
        )


@dataclass
class Gathering:
    """Records gathered one by one, where a careful look at each is needed."""

    names: tuple[str, ...] = ()
    raws: list[str] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    cells: list[list[str]] = field(default_factory=list)
    blank: int = 0

    def add_broken(self, raw: str, reason: str) -> None:
        self.broken[len(self.raws)] = reason
        self.raws.append(raw)
        self.cells.append([])

    def records(self, with_cells: bool = False) -> Records:
        cells = pa.array(self.cells, pa.list_(pa.string())) if with_cells else None
        return Records(pa.array(self.raws, pa.string()), self.names, self.broken, cells, blank=self.blank)


@dataclass(frozen=True)
class Torn:
    """A record that could not be cut whole: what there is of it, and why."""

    raw: str
    reason: str

    def records(self, names: tuple[str, ...] = ()) -> Records:
        """The torn record alone, as a run of its own."""
        alone = Gathering(names)
        alone.add_broken(self.raw, self.reason)
        return alone.records()
