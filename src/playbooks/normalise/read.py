"""Evidence files → rows of one or more tables, unread records, and blank lines; and the raw records behind them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from playbooks.formats import Format
from playbooks.normalise.cut import cut
from playbooks.normalise.detect import Detection, detect
from playbooks.normalise.mappers import Mappers
from playbooks.normalise.rows import BROKEN, STATUS, UNKNOWN, Rows
from playbooks.normalise.text import read_text


@dataclass(frozen=True)
class Source:
    """An evidence file to be read: its id in the case, where it lies, and the case's clock."""

    evidence_id: str
    file: Path
    clock: str | None = None


def read(source: Source, detection: Detection | None = None) -> Iterator[Rows]:
    """Read one file from its first to its last record.

    Parameters
    ----------
    source
        The file.
    detection
        What `detect` said of it; detected here when absent.

    Yields
    ------
    Rows
        Runs of rows in the order of the records; together they hold every record once.
    """
    detection = detection or detect(source.file)
    runs = (records for records in cut(read_text(source.file), detection.layout) if len(records) or records.blank)
    first = 1
    waiting: deque[Future[Rows]] = deque()
    with Mappers(source.evidence_id, source.clock, detection) as mappers:
        for records in runs:  # the next run is cut while others are mapped
            waiting.append(mappers.submit(records, first))
            first += len(records)
            if len(waiting) > mappers.count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def raw_records(file: Path, wanted: set[int], own: Sequence[Format] = ()) -> dict[int, str]:
    """The raw text of records by number, as `read` counts them; numbers beyond the end are absent.

    Parameters
    ----------
    file
        The evidence file.
    wanted
        Record numbers, from 1.
    own
        Own formats of the case: how a file is cut depends on its format.
    """
    found: dict[int, str] = {}
    first = 1
    last = max(wanted, default=0)
    for records in cut(read_text(file), detect(file, own).layout):
        for number in sorted(n for n in wanted if first <= n < first + len(records)):
            found[number] = records.texts[number - first].as_py()
        first += len(records)
        if first > last:
            break
    return found


__all__ = ["BROKEN", "STATUS", "UNKNOWN", "Rows", "Source", "raw_records", "read"]
