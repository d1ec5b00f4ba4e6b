"""Records of other logs in the same file: what a collector of many products writes into one file.

A record that has not the mark of the file's format is offered to the formats that need no header. It is theirs only
where it has their mark, and becomes an event under the number that it has in the file; otherwise it stays unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa

from playbooks.formats import FORMATS, Columns, Format, Json, Pairs, TextLines
from playbooks.normalise.columns import with_cells
from playbooks.normalise.detect import fit
from playbooks.normalise.mapping import NO_PART, NO_TIME
from playbooks.normalise.records import Records
from playbooks.normalise.rows import STATUS
from playbooks.normalise.sample import Sample
from playbooks.schema import EVENT_TABLES

TRIED_RECORDS = 100
MISFIT = re.compile(r"not a line of |not a whole JSON object|\d+ columns where ")
LOOSE = (NO_PART, NO_TIME)  # said by formats that map whatever names they find, also of a record that lacks their mark


def _needs_no_header(form: Format) -> bool:
    match form.cut:
        case TextLines() | Json() | Pairs():
            return True
        case Columns(default_mark=mark):
            return bool(mark)
        case _:
            return False


# what stands in a log is never taken for intelligence, nor for an answer that a collector of ours got
HEADLESS = tuple(form for form in FORMATS if _needs_no_header(form) and set(form.tables) <= set(EVENT_TABLES))


def strangers(unread: pa.Table, form: Format, torn: Iterable[int]) -> pa.Table:
    """The unread records that lack the mark of `form`; those that could not be cut whole are none."""
    torn = set(torn)
    keep = [
        row["kind"] != STATUS and row["record_no"] not in torn and _lacks_mark(row["reason"], row["raw"], form)
        for row in unread.to_pylist()
    ]
    return unread.filter(pa.array(keep, pa.bool_()))


def _lacks_mark(reason: str, raw: str, form: Format) -> bool:
    if MISFIT.match(reason):
        return True
    return isinstance(form.cut, Json | Pairs) and reason.startswith(LOOSE) and not fit(form, Sample(raw)).share


def candidates(texts: pa.StringArray, form: Format) -> list[Format]:
    """The formats whose mark the first of these records have, those first that most of them have."""
    lines = [text.replace("\n", " ") for text in texts.slice(0, TRIED_RECORDS).to_pylist()]
    objects = [line for line in lines if line.lstrip().startswith("{")]
    samples = [Sample("\n".join(some)) for some in (objects, [line for line in lines if line not in objects]) if some]
    counts = {
        other.name: sum(fit(other, sample).share * len(sample.lines) for sample in samples)
        for other in HEADLESS
        if other.name != form.name
    }
    return sorted((o for o in HEADLESS if counts.get(o.name)), key=lambda o: (o.general, -counts[o.name], o.name))


def with_mark(texts: pa.StringArray, form: Format) -> pa.BooleanArray:
    """Which records have the mark of `form`."""
    return pa.array([fit(form, Sample(text.replace("\n", " "))).share == 1 for text in texts.to_pylist()], pa.bool_())


def as_records(texts: pa.StringArray, form: Format) -> Records:
    """Records as the layout of `form` cuts them."""
    return with_cells(texts, (), form.cut.delimiter) if isinstance(form.cut, Columns) else Records(texts)


__all__ = ["as_records", "candidates", "strangers", "with_mark"]
