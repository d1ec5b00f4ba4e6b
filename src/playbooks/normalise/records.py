"""What a cutter gives: runs of records, and records that could not be cut whole."""

from __future__ import annotations

from dataclasses import dataclass, field

CHUNK_RECORDS = 100_000  # enough to be worth a query, few enough to be held at once


@dataclass
class Records:
    """A run of records under one header.

    `raws` holds the records; `broken` says why, by index into `raws`, for those cut off or damaged;
    `names` are the field names of a header line; `cells` the split fields where SQL cannot split.
    """

    names: tuple[str, ...] = ()
    raws: list[str] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    cells: list[list[str]] = field(default_factory=list)
    blank: int = 0

    def add_broken(self, raw: str, reason: str) -> None:
        self.broken[len(self.raws)] = reason
        self.raws.append(raw)
        self.cells.append([])

    def add(self, run: Records) -> None:
        """Take the records of a run that follows under the same header."""
        self.broken |= {len(self.raws) + index: reason for index, reason in run.broken.items()}
        self.raws += run.raws
        self.cells += run.cells
        self.blank += run.blank


@dataclass(frozen=True)
class Torn:
    """A record that could not be cut whole: what there is of it, and why."""

    raw: str
    reason: str

    def records(self, names: tuple[str, ...] = ()) -> Records:
        """The torn record alone, as a run of its own."""
        records = Records(names)
        records.add_broken(self.raw, self.reason)
        return records
