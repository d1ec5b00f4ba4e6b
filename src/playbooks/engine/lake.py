"""A lake table in OCSF, scoped where it lies: Parquet files below `region=…/accountId=…/eventDay=YYYYMMDD/`.

Nothing is copied, so the rows are pinned otherwise: `list_lake` gives the files with digest and number of rows, in
order. Kept as evidence, that list is what a reference leads to: record 4118 of it is a row of one of its files
(`row_at`), and the digest tells whether the file is still the one that was listed. A file that came later is not read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks import schema
from playbooks.engine import Tables, duckdb
from playbooks.engine_choice import DUCKDB, EngineChoice
from playbooks.errors import EvidenceChanged, NotFound, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

FORMAT = "ocsf_lake"
DAY = re.compile(r"(?:^|/)eventDay=(\d{8})(?:/|$)")
PATTERN = re.compile(r"[*?\[]")
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
        return _may_hold(self.name, span)


def _may_hold(name: str, span: Span | None) -> bool:
    day = DAY.search(name)
    if span is None or day is None:
        return True
    since, until = (moment.astimezone(dt.UTC) for moment in span)
    return since.strftime("%Y%m%d") <= day[1] <= until.strftime("%Y%m%d")


@dataclass(frozen=True)
class ClassRows:
    """Rows of one OCSF class in a lake: how many, how many with a time, the first and the last of these."""

    class_uid: int | None
    rows: int
    dated: int
    first: dt.datetime | None
    last: dt.datetime | None


def list_lake(root: Path, span: Span | None = None, known: Sequence[LakeFile] = ()) -> list[LakeFile]:
    """Every Parquet file below `root`, by name: what is to be kept as evidence of a lake that is not copied.

    Parameters
    ----------
    root
        Folder of the lake table.
    span
        First moment and end; files of other days are neither opened nor listed.
    known
        Files that were listed before; they are not listed again.

    Raises
    ------
    UsageError
        There is no Parquet file, or one that cannot be read.
    EvidenceChanged
        A known file is gone or has another size.
    """
    names = sorted(file.relative_to(root).as_posix() for file in root.rglob("*.parquet"))
    if not names:
        raise UsageError(f"{root}: no Parquet file below it. Expected the folder of a lake table. Name that folder.")
    mine = [name for name in names if _may_hold(name, span)]
    if not mine:
        raise UsageError(f"{root}: {len(names):,} Parquet files, none of a day of the case. State its window first.")
    _require_sizes(root, [file for file in known if file.may_hold(span)])
    before = {file.name for file in known}
    return [_listed(root, name) for name in mine if name not in before]


def _listed(root: Path, name: str) -> LakeFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if PATTERN.search(str(root / name)):
        raise UsageError(
            f"{root / name}: DuckDB would take this name for a pattern (* ? [). Nothing was listed. Rename it."
        )
    try:
        rows = pq.read_metadata(root / name).num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{root / name}: no whole Parquet file ({error}). Nothing was listed.") from error
    return LakeFile(name, rows, (root / name).stat().st_size, _digest(root / name))


def open_lake(
    root: Path,
    files: Sequence[LakeFile],
    evidence_id: str,
    span: Span | None = None,
    choice: EngineChoice = DUCKDB,
    beside: Tables | None = None,
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
        `engine` of `case.yaml`; not asked where `beside` is given.
    beside
        Tables that the rows are added to; none by default.

    Returns
    -------
    Tables
        As `open_tables` gives them.

    Raises
    ------
    EvidenceChanged
        A file of the span is gone, or has another size than the one that was listed.
    """
    from playbooks.engine.lake_columns import CLASSES, flat

    empty = beside or open_none(choice)
    chosen = [(file, before) for file, before in zip(files, _before(files), strict=True) if file.may_hold(span)]
    if not chosen:
        return empty
    rows = _rows(empty, root, chosen, evidence_id)
    found = {name: _inside(flat(rows, name), span) for name in CLASSES}
    if beside is not None:
        found = {name: beside[name].union(mine.select(*beside[name].columns)) for name, mine in found.items()}
    return Tables(**{name: found.get(name, empty[name]) for name in schema.TABLES})


def count_lake(root: Path, files: Sequence[LakeFile]) -> list[ClassRows]:
    """How many rows of which class a lake holds.

    Raises
    ------
    EvidenceChanged
        A file is gone, or has another size than the one that was listed.
    """
    from playbooks.engine.lake_columns import class_and_time

    if not files:
        return []
    rows = class_and_time(_every_row(root, files))
    told = rows.group_by("class_uid").agg(
        rows=rows.count(), dated=rows.time.count(), first=rows.time.min(), last=rows.time.max()
    )
    return [ClassRows(**row) for row in told.order_by("class_uid").to_pyarrow().to_pylist()]


def rows_of_other_classes(root: Path, files: Sequence[LakeFile]) -> Iterator[pa.RecordBatch]:
    """`record_no` and `class_uid` of every row that becomes no event, in order."""
    from playbooks.engine.lake_columns import class_and_time, known_classes

    if not files:
        return
    rows = class_and_time(_every_row(root, files))
    others = rows.filter((~rows.class_uid.isin(known_classes())).fill_null(True))
    yield from others.order_by("record_no").select("record_no", "class_uid").to_pyarrow_batches()


def _every_row(root: Path, files: Sequence[LakeFile]) -> ir.Table:
    return _rows(open_none(DUCKDB), root, list(zip(files, _before(files), strict=True)), "")


def _rows(beside: Tables, root: Path, chosen: list[tuple[LakeFile, int]], evidence_id: str) -> ir.Table:
    """The rows of these files as they are, with `evidence_id` and `record_no`."""
    import ibis

    _require_sizes(root, [file for file, _ in chosen])
    rows = _scan(beside.dns_activity, root, [file.name for file, _ in chosen])
    starts = ibis.memtable({"start_of": [file.name for file, _ in chosen], "start": [before for _, before in chosen]})
    rows = rows.inner_join(starts, rows.lake_file == starts.start_of).drop("start_of")
    return rows.mutate(evidence_id=ibis.literal(evidence_id), record_no=rows.start + rows.lake_row + 1)


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
                raise EvidenceChanged(_changed(held, file))
            return file.name, record_no - before - 1
    raise NotFound(f"record {record_no}: the list holds {sum(file.rows for file in files):,} rows.")


def _require_sizes(root: Path, files: Sequence[LakeFile]) -> None:
    for file in files:
        held = root / file.name
        if not held.is_file() or held.stat().st_size != file.size:
            raise EvidenceChanged(_changed(held, file))


def _changed(held: Path, file: LakeFile) -> str:
    return (
        f"{held} is not the file that was listed (SHA-256 {file.sha256[:16]}…). What was found in it can "
        "no longer be shown. Ask who keeps the lake for the file of that day."
    )


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
    told = file.stat()
    return _digest_of(file, told.st_size, told.st_mtime_ns)


@cache
def _digest_of(file: Path, _size: int, _changed: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
