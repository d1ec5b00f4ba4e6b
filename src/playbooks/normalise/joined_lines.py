"""Lines → records where several lines tell one event: those that follow each other under the same key are one record.

A line without the key is a record of its own. A record keeps its lines as they stand, with a line feed between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from playbooks.normalise.records import Gathering, Records

MAX_LINES = 1000  # an event of more lines than this was made up; it is cut here, and nothing is lost


def joined_lines(runs: Iterable[Records], key: str) -> Iterator[Records]:
    """Join the lines of runs.

    Parameters
    ----------
    runs
        Lines, as the cutter of lines gives them.
    key
        Pattern whose first group is the same in all lines of an event.
    """
    pattern = re.compile(key)
    held: list[str] = []
    held_key = ""
    for run in runs:
        records = Gathering(run.names, blank=run.blank)
        for index, raw in enumerate(run.raws):
            found = pattern.search(raw)
            this_key = found[1] if found and index not in run.broken else ""
            if held and not (this_key and this_key == held_key and len(held) < MAX_LINES):
                records.raws.append("\n".join(held))
                held = []
            if index in run.broken:
                records.add_broken(raw, run.broken[index])
            else:
                held.append(raw)
                held_key = this_key
        yield records.records()
    if held:
        yield Gathering(raws=["\n".join(held)]).records()
