"""Whole logs for tests of coverage: many stamps at once, one evidence item a log, with a window of whole days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.scoping.events import TYPES

from playbooks import schema
from playbooks.case import Case, CaseFile
from playbooks.coverage import coverage
from playbooks.coverage.seen import Seen, look
from playbooks.engine import open_tables
from playbooks.normalise import Reading

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
DAY, HOUR = 86_400, 3_600
Seconds = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Log:
    """One log: seconds after Monday 00:00 UTC (NaN: without a stamp), its table, and further columns."""

    seconds: Seconds | Sequence[float]
    form: str = "zeek_conn"
    table: str = "network_activity"
    columns: dict[str, list[Any]] = field(default_factory=dict)
    name: str = "log"


def day(number: float) -> str:
    """A day after that Monday as ISO text."""
    return (MONDAY + dt.timedelta(days=number)).isoformat()


def written(folder: Path, log: Log, number: int) -> Reading:
    """Write one log as evidence item E001, E002, … and say what became of it."""
    item, count = f"E{number:03d}", len(log.seconds)
    stamps = np.asarray(log.seconds, dtype="float64")
    micros = np.where(np.isnan(stamps), 0, (stamps + MONDAY.timestamp()) * 1e6).astype("int64")
    fixed: dict[str, Any] = {
        "evidence_id": pa.array([item] * count, pa.string()),
        "record_no": pa.array(range(1, count + 1), pa.int64()),
        "format": pa.array([log.form] * count, pa.string()),
        "time": pa.array(micros, pa.int64(), mask=np.isnan(stamps)).cast(TYPES["TIMESTAMPTZ"]),
    }
    columns = {
        column.name: fixed[column.name]
        if column.name in fixed
        else pa.array(log.columns.get(column.name, [None] * count), TYPES[column.type])
        for column in schema.TABLES[log.table].columns
    }
    (folder / log.table).mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / log.table / f"{item}.parquet")
    return Reading(
        evidence_id=item,
        name=f"{item}-{log.name}",
        sha256="0" * 64,
        format=log.form,
        tables={log.table: count},
        records=count,
        events=count,
        unread=0,
        status=0,
        blank=0,
        first=None,
        last=None,
        note="",
        undated=int(np.isnan(stamps).sum()),
    )


def case_of(folder: Path, days: float | None, **config: Any) -> Case:
    """A case whose window are these days from Monday on; none without."""
    window = {"window": {"start": day(0), "end": day(days)}} if days else {}
    return Case(folder, CaseFile.model_validate({"case_id": "COV-1", **window, **config}))


def seen(folder: Path, logs: Sequence[Log], days: float | None, **config: Any) -> Seen:
    """What was seen when, of these logs."""
    readings = [written(folder / "events", log, number) for number, log in enumerate(logs, start=1)]
    return look(case_of(folder, days, **config), readings, open_tables(folder / "events"))


def covered(
    folder: Path, logs: Sequence[Log], days: float | None, questions: Any = (), **config: Any
) -> dict[str, Any]:
    """The whole of `coverage.json` of these logs."""
    readings = [written(folder / "events", log, number) for number, log in enumerate(logs, start=1)]
    return coverage(case_of(folder, days, **config), readings, open_tables(folder / "events"), questions)


def hole(seconds: Seconds, start: float, end: float) -> Seconds:
    """The same log with nothing between two moments."""
    return seconds[(seconds < start) | (seconds >= end)]
