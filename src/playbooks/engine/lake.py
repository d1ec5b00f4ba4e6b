"""A lake table in OCSF, scoped where it lies: Parquet files below `region=…/accountId=…/eventDay=YYYYMMDD/`.

Nothing is copied, so the rows are pinned otherwise: `list_lake` gives the files with digest and number of rows, in
order. Kept as evidence, that list is what a reference leads to: record 4118 of it is a row of one of its files
(`row_at`), and the digest tells whether the file is still the one that was listed. A file that came later is not read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks import schema
from playbooks.engine import Tables, duckdb
from playbooks.engine_choice import DUCKDB, EngineChoice
from playbooks.errors import EvidenceChanged, NotFound, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir

DAY = re.compile(r"(?:^|/)eventDay=(\d{8})(?:/|$)")
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class LakeFile:
    """One Parquet file of a lake: its name below the root, its rows, its size and its SHA-256."""

    name: str
    rows: int
    size: int
    sha256: str

    def may_hold(self, span: Span | None) -> bool:
        """Whether rows of the span can lie in it, by the day in its name; a name without one may hold any."""
        day = DAY.search(self.name)
        if span is None or day is None:
            return True
        since, until = (moment.astimezone(dt.UTC) for moment in span)
        return since.strftime("%Y%m%d") <= day[1] <= until.strftime("%Y%m%d")


def list_lake(root: Path) -> list[LakeFile]:
    """Every Parquet file below `root`, by name: what is to be kept as evidence of a lake that is not copied.

    Raises
    ------
    UsageError
        There is no Parquet file.
    """
    import pyarrow.parquet as pq

    files = sorted((file.relative_to(root).as_posix(), file) for file in root.rglob("*.parquet"))
    if not files:
        raise UsageError(f"{root}: no Parquet file below it. Expected the folder of a lake table. Name that folder.")
    return [LakeFile(name, pq.read_metadata(file).num_rows, file.stat().st_size, _digest(file)) for name, file in files]


def open_lake(
    root: Path, files: Sequence[LakeFile], evidence_id: str, span: Span | None = None, choice: EngineChoice = DUCKDB
) -> Tables:
    """The rows of a lake as event tables, read in place; tables that a lake does not hold are empty.

    Parameters
    ----------
    root
        Folder of the lake table; for Spark, where driver and workers see it.
    files
        As `list_lake` gave them.
    evidence_id
        Of the list that was kept; `record_no` counts the rows of its files from 1.
    span
        First moment and end (not included); files of other days are not opened.
    choice
        `engine` of `case.yaml`.

    Returns
    -------
    Tables
        As `open_tables` gives them.
    """
    import ibis

    from playbooks.engine.lake_columns import CLASSES, flat

    empty = open_none(choice)
    chosen = [(file, before) for file, before in zip(files, _before(files), strict=True) if file.may_hold(span)]
    if not chosen:
        return empty
    rows = _scan(empty.dns_activity, root, [file.name for file, _ in chosen])
    starts = ibis.memtable({"start_of": [file.name for file, _ in chosen], "start": [before for _, before in chosen]})
    rows = rows.inner_join(starts, rows.lake_file == starts.start_of).drop("start_of")
    rows = rows.mutate(evidence_id=ibis.literal(evidence_id), record_no=rows.start + rows.lake_row + 1)
    found = {name: _inside(flat(rows, name), span) for name in CLASSES}
    return Tables(**{name: found.get(name, empty[name]) for name in schema.TABLES})


def open_none(choice: EngineChoice) -> Tables:
    """Every table, without a row."""
    from playbooks.engine import open_tables

    return open_tables(Path("/nonexistent"), choice)


def row_at(root: Path, files: Sequence[LakeFile], record_no: int) -> tuple[str, int]:
    """The file and the row in it (from 0) that a record number stands for.

    Raises
    ------
    NotFound
        The list has no such row.
    EvidenceChanged
        The file is gone, or is not the one that was listed.
    """
    for file, before in zip(files, _before(files), strict=True):
        if before < record_no <= before + file.rows:
            held = root / file.name
            if not held.is_file() or _digest(held) != file.sha256:
                raise EvidenceChanged(
                    f"{held} is not the file that was listed (SHA-256 {file.sha256[:16]}…). What was found in it can "
                    "no longer be shown. Ask who keeps the lake for the file of that day."
                )
            return file.name, record_no - before - 1
    raise NotFound(f"record {record_no}: the list holds {sum(file.rows for file in files):,} rows.")


def _before(files: Sequence[LakeFile]) -> list[int]:
    return [0, *accumulate(file.rows for file in files)][:-1]


def _scan(beside: ir.Table, root: Path, names: list[str]) -> ir.Table:
    if beside.get_backend().name == "duckdb":
        return duckdb.scan(beside, root, names)
    from playbooks.engine import spark

    return spark.scan(beside, root, names)


def _inside(rows: ir.Table, span: Span | None) -> ir.Table:
    if span is None:
        return rows
    import ibis

    since, until = (ibis.literal(moment.astimezone(dt.UTC), type="timestamp('UTC', 6)") for moment in span)
    return rows.filter(rows.time >= since, rows.time < until)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
