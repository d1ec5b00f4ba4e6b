"""Normalise: every record of every evidence item becomes an event, or is unread with a reason, or blank.

The conservation law holds per item and is checked, not assumed: records = events + unread + blank,
where `records` counts what the cutter saw, and events and unread count what was written.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from playbooks import kit
from playbooks.case import Case, write_json
from playbooks.cores import cores
from playbooks.engine.lake import FORMAT as LAKE
from playbooks.evidence import Item, items
from playbooks.evidence.acquire.lake import LIST, lakes
from playbooks.normalise.captures import capture_rows, is_of_capture
from playbooks.normalise.containers import HEAD_BYTES, packed_kind
from playbooks.normalise.databases import database_rows
from playbooks.normalise.detect import Detection, detect
from playbooks.normalise.in_place import read_lake
from playbooks.normalise.own_formats import formats_of, read_formats
from playbooks.normalise.raw import RawRecord, show
from playbooks.normalise.read import Rows, Source, raw_records, read
from playbooks.normalise.writing import Sink, Tally

READINGS = "readings.json"
FILE_WEIGHT = 1 << 20
WORTH_PROCESSES = 64 << 20  # bytes of evidence; starting processes takes about a second


@dataclass(frozen=True)
class Reading:
    """What became of one evidence item; `format` is null where none fits and `note` says why.

    `events` counts the records that became events; `tables` counts the rows of each table that the format
    writes, which are more where a record holds several events. `status` counts the unread records that say
    themselves that they hold no event, `undated` the rows that have no time. `own_sha256` is the digest of
    the file of an own format.
    """

    evidence_id: str
    name: str
    sha256: str
    format: str | None
    tables: dict[str, int]
    records: int
    events: int
    unread: int
    status: int
    blank: int
    first: str | None
    last: str | None
    note: str
    undated: int = 0
    own_sha256: str = ""

    def law(self) -> str:
        """The conservation law of this item, in words."""
        counts = f"{self.records:,} records = {self.events:,} events + {self.unread:,} unread + {self.blank:,} blank"
        return f"{self.evidence_id} {self.name}: {counts}"


def normalise(
    case: Case, executor: Executor | None = None, done: Callable[[Reading], None] | None = None
) -> list[Reading]:
    """Read all evidence of a case into `events/` and `unread/`.

    Items read before from the same bytes with the same kit and clock are not read again.

    Parameters
    ----------
    case
        The case.
    executor
        Runs items in parallel; without one, many large items are read by processes of this machine.
    done
        Told each reading as it is ready.

    Returns
    -------
    list of Reading
        One per evidence item, in order.

    Raises
    ------
    CaseError
        An own format of the case is not valid; nothing was read.
    """
    stamp = _stamp(case)
    known = _known(case, stamp)
    if not known:
        for folder in (case.events, case.unread):
            shutil.rmtree(folder, ignore_errors=True)
    present = items(case)
    fresh = [item for item in present if item.evidence_id not in known]
    with _workers(case, fresh, executor) as workers:
        for reading in workers.map(partial(read_item, case), fresh):
            known[reading.evidence_id] = reading
            if done:
                done(reading)
    readings = [known[item.evidence_id] for item in present]
    write_json(case.events / READINGS, {"stamp": stamp, "readings": [asdict(r) for r in readings]})
    return readings


class _Here(Executor):
    """Does the work at once, in this process: what is small is not worth a process of its own."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:
        return map(fn, *iterables)


def _workers(case: Case, fresh: list[Item], given: Executor | None) -> AbstractContextManager[Executor]:
    """Who reads the items: the executor given, which its owner ends, or one for this work alone."""
    if given:
        return nullcontext(given)
    size = sum(_weight(item.file(case)) for item in fresh if item.is_in_bag(case))
    if len(fresh) < 2 or size < WORTH_PROCESSES:
        return _Here()
    return ProcessPoolExecutor(min(len(fresh), cores()), get_context("spawn"))


def _weight(file: Path) -> int:
    """About how many bytes there are to read: logs are packed to a tenth, and a file by itself costs some work."""
    with file.open("rb") as stream:
        packed = packed_kind(stream.read(HEAD_BYTES))
    return file.stat().st_size * (10 if packed else 1) + FILE_WEIGHT


def readings(case: Case) -> list[Reading]:
    """What `normalise` said last, whatever code said it; empty before the first run."""
    return list(_known(case, None).values())


def _stamp(case: Case) -> str:
    """Changes when the same bytes could be read differently: by other code, another clock, other own formats."""
    own = "".join(f" {form.name} {form.sha256}" for form in formats_of(case))
    return hashlib.sha256(f"{kit.fingerprint()} {case.config.clock}{own}".encode()).hexdigest()


def _known(case: Case, stamp: str | None) -> dict[str, Reading]:
    """Readings on file of evidence that is the same still; with a stamp only those made under it."""
    file = case.events / READINGS
    if not file.is_file():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if stamp is not None and found.get("stamp") != stamp:
        return {}
    digests = {item.evidence_id: item.sha256 for item in items(case)}
    kept = (Reading(**entry) for entry in found["readings"])
    same = {r.evidence_id: r for r in kept if digests.get(r.evidence_id) == r.sha256 and _is_there(case, r)}
    # what a capture's record says changes when a tool reads it
    return same if stamp is None else {name: r for name, r in same.items() if not is_of_capture(r.note)}


def _is_there(case: Case, reading: Reading) -> bool:
    """Whether the rows that a reading speaks of are still on the disk."""
    name = f"{reading.evidence_id}.parquet"
    written = {} if reading.format == LAKE else reading.tables  # rows of a lake stay where they lie
    events = all((case.events / table / name).is_file() for table, count in written.items() if count)
    return events and (not reading.unread or (case.unread / name).is_file())


def read_item(case: Case, item: Item) -> Reading:
    """Read one evidence item into its Parquet files, whole or not at all."""
    detection = detect(item.file(case), formats_of(case))
    whole = capture_rows(case, item) or database_rows(case, item)  # one record, which is no event
    source = Source(item.evidence_id, item.file(case), case.config.clock)
    lake = (
        lakes(case).get(item.evidence_id) if item.name.endswith(LIST) else None
    )  # the chain is not read for each item
    tally = read_lake(case, lake) if lake else _write(case, item, (whole,) if whole else read(source, detection))
    return Reading(
        evidence_id=item.evidence_id,
        name=item.name,
        sha256=item.sha256,
        format=LAKE if lake else detection.format.name if detection.format else None,
        tables=dict(tally.tables),
        records=tally.events + tally.unread + tally.blank,
        events=tally.events,
        unread=tally.unread,
        blank=tally.blank,
        status=tally.status,
        first=tally.first,
        last=tally.last,
        note=lake.words() if lake else whole.unread["reason"][0].as_py() if whole else _note(detection, tally),
        undated=tally.undated,
        own_sha256=detection.format.sha256 if detection.format else "",
    )


def _write(case: Case, item: Item, runs: Iterable[Rows]) -> Tally:
    tally = Tally()
    file = f"{item.evidence_id}.parquet"
    with ExitStack() as stack:
        sinks: dict[str, Sink] = {}
        unread = stack.enter_context(Sink(case.unread / file))
        for rows in runs:
            for table, events in rows.tables.items():
                if table not in sinks:
                    sinks[table] = stack.enter_context(Sink(case.events / table / file))
                sinks[table].write(events)
            unread.write(rows.unread)
            tally.add(rows)
    return tally


def _note(detection: Detection, tally: Tally) -> str:
    if not tally.events and not tally.unread:
        return "empty: no records in it"
    if not detection.format:
        return detection.why_unknown()
    counted = sorted(tally.formats.items())
    others = ", ".join(f"{name} ({rows:,})" for name, rows in counted if name != detection.format.name)
    said = [detection.why_chosen(), f"records of other logs in it: {others}" if others else ""]
    return "; ".join(filter(None, said))


__all__ = [
    "Detection",
    "RawRecord",
    "Reading",
    "Rows",
    "Source",
    "detect",
    "formats_of",
    "normalise",
    "raw_records",
    "read",
    "read_formats",
    "read_item",
    "readings",
    "show",
]
