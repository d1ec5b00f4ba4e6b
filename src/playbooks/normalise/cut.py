"""Text → records, one cutter for each way in which logs lay records out.

Every cutter yields `Records`: the text of each record in order, how many blank lines stood between, and for
records that could not be cut whole the reason. Nothing is dropped here. Whole blocks of lines are handled at
once; only lines that are no plain records (headers, quotes over several lines) are looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from playbooks.formats import Columns, Json, Pairs, TextLines, W3c, Xml, Zeek
from playbooks.normalise.columns import cut_columns
from playbooks.normalise.joined_lines import joined_lines
from playbooks.normalise.json_records import is_json_lines, json_objects
from playbooks.normalise.lines import blocks_of_lines, true_count
from playbooks.normalise.records import CHUNK_RECORDS, Records, Torn
from playbooks.normalise.text import Damage, Edge
from playbooks.normalise.xml_records import xml_records

W3C_CELL = re.compile(r'("((?:[^"]|"")*)"|[^\s"]\S*)')
SMALL_RUN_BYTES = 4_000_000  # less is not worth a query of its own

Layout = TextLines | Json | Zeek | Columns | Pairs | W3c | Xml


def cut(text: Iterable[str | Damage | Edge], layout: Layout) -> Iterator[Records]:
    """Cut text into records as a layout says.

    Parameters
    ----------
    text
        Blocks as `read_text` yields them. Each member of an archive is cut by itself: a header line speaks
        of its own member only.
    layout
        The `cut` of a format.
    """
    runs = (records for member in _members(text) for records in _cut_member(member, layout))
    return (piece for run in _joined(runs) for piece in _pieces(run))


def _members(text: Iterable[str | Damage | Edge]) -> Iterator[Iterator[str | Damage]]:
    blocks = iter(text)
    for block in blocks:
        if not isinstance(block, Edge):
            member = _up_to_edge(block, blocks)
            yield member
            for _ in member:
                pass  # what a cutter did not want, and has said so


def _up_to_edge(first: str | Damage, blocks: Iterator[str | Damage | Edge]) -> Iterator[str | Damage]:
    yield first
    for block in blocks:
        if isinstance(block, Edge):
            return
        yield block


def _joined(runs: Iterable[Records]) -> Iterator[Records]:
    """Small runs under one header as one: an archive of many small files is worth few queries."""
    held: list[Records] = []
    size = 0
    for run in runs:
        if not len(run) and not run.blank:
            continue
        if held and not (held[-1].like(run) and size + run.size <= SMALL_RUN_BYTES):
            yield _as_one(held)
            held, size = [], 0
        held.append(run)
        size += run.size
    if held:
        yield _as_one(held)


def _as_one(runs: list[Records]) -> Records:
    while len(runs) > 1:  # by pairs, so that many small runs are not copied over and over
        runs = [a.then(b[0]) if (b := runs[i + 1 : i + 2]) else a for i, a in enumerate(runs) if i % 2 == 0]
    return runs[0]


def _pieces(run: Records) -> Iterator[Records]:
    """A long run of short records in pieces of a size that is worth a query."""
    step = -(-len(run) // max(1, round(len(run) / CHUNK_RECORDS))) or 1
    for start in range(0, max(len(run), 1), step):
        yield run.part(start, step)


def _cut_member(text: Iterable[str | Damage], layout: Layout) -> Iterator[Records]:
    match layout:
        case Json(envelopes=envelopes):
            return _json(text, envelopes)
        case Zeek(path=path):
            return _under_headers(text, _Zeek(path))
        case Columns() as columns:
            return cut_columns(text, columns)
        case W3c():
            return _under_headers(text, _W3c())
        case Xml(element=element):
            return xml_records(text, element)
        case TextLines(joined=joined) if joined:
            return joined_lines(_lines(text), joined)
        case TextLines(comment=comment):
            return _lines(text, comment)
        case Pairs():
            return _lines(text)


def _lines(text: Iterable[str | Damage], comment: str = "") -> Iterator[Records]:
    for block in blocks_of_lines(text):
        if isinstance(block, Torn):
            yield block.records()
        else:
            lines, blank = block.kept()
            if comment:
                lines = lines.filter(pc.invert(pc.starts_with(pc.utf8_ltrim_whitespace(lines), comment)))
            yield Records(lines, blank=blank)


@dataclass(frozen=True)
class _Zeek:
    """Comment lines are no records; a `#fields` line begins a new run, a `#path` line may begin another log."""

    path: str
    names: tuple[str, ...] = ()
    other: str = ""

    def comments(self, lines: pa.StringArray) -> pa.BooleanArray:
        return pc.starts_with(pc.utf8_ltrim_whitespace(lines), "#")

    def after(self, raw: str) -> _Zeek:
        """The header that holds behind a comment; the same one where the comment changes nothing."""
        if raw.lstrip().startswith("#fields"):
            return replace(self, names=tuple(zeek_name(name) for name in raw.split("\t")[1:]))
        word, _, rest = raw.lstrip().partition("\t")
        if word != "#path":
            return self
        found = rest.split("\t")[0].strip() or self.path
        is_other = bool(self.path) and found != self.path
        return replace(self, other=f"a record of the Zeek log {found[:40]}, not of {self.path}" if is_other else "")

    def records(self, lines: pa.StringArray) -> Records:
        return Records(lines, self.names, dict.fromkeys(range(len(lines)), self.other) if self.other else {})


@dataclass(frozen=True)
class _W3c:
    """Directive lines (`#…`) are no records; a new `#Fields:` line begins a new run."""

    names: tuple[str, ...] = ()

    def comments(self, lines: pa.StringArray) -> pa.BooleanArray:
        return pc.starts_with(lines, "#")

    def after(self, raw: str) -> _W3c:
        """The header that holds behind a directive; the same one where the directive changes nothing."""
        fields = w3c_fields(raw)
        return _W3c(fields) if fields else self

    def records(self, lines: pa.StringArray) -> Records:
        tabs = true_count(pc.match_substring(lines, "\t"))
        if tabs == len(lines):
            return Records(lines, self.names, delimiter="\t")
        if not tabs and not true_count(pc.match_substring_regex(lines, '"|  |^ | $')):
            return Records(lines, self.names, delimiter=" ")
        cells = pa.array([w3c_cells(raw) for raw in lines.to_pylist()], pa.list_(pa.string()))
        return Records(lines, self.names, cells=cells)


Header = _Zeek | _W3c


def _under_headers(text: Iterable[str | Damage], header: Header) -> Iterator[Records]:
    """Lines under the header that stands above them; comments are no records."""
    for block in blocks_of_lines(text):
        if isinstance(block, Torn):
            yield block.records(header.names)
            continue
        lines, blank = block.kept()
        yield Records(lines.slice(0, 0), header.names, blank=blank)
        comments = header.comments(lines)
        if true_count(comments):
            header = yield from _between(lines, comments, header)
        else:
            yield header.records(lines)


def _between(lines: pa.StringArray, comments: pa.BooleanArray, header: Header) -> Generator[Records, None, Header]:
    """The records between comments, in one run where the comments change nothing; gives the last header."""
    plain = pc.invert(comments)
    start = 0
    for place in pc.indices_nonzero(comments).to_pylist():
        after = header.after(lines[place].as_py())
        if after != header:
            yield header.records(lines.slice(start, place - start).filter(plain.slice(start, place - start)))
            header, start = after, place + 1
    yield header.records(lines.slice(start).filter(plain.slice(start)))
    return header


def w3c_fields(line: str) -> tuple[str, ...]:
    """The names in a `#Fields:` line, as formats write them; empty for another line."""
    word, _, rest = line.partition(":")
    if word.strip().lower() != "#fields":
        return ()
    return tuple(re.sub(r"\W+", "_", name.lower()).strip("_") for name in rest.split())


def w3c_cells(raw: str) -> list[str]:
    """The cells of a line: between tabs where there are any, else between blanks that no quotes enclose."""
    if "\t" in raw:
        return raw.split("\t")
    if '"' not in raw:
        return [cell for cell in raw.split(" ") if cell]
    return [quoted if quoted or whole.startswith('"') else whole for whole, quoted in W3C_CELL.findall(raw)]


def zeek_name(name: str) -> str:
    """Zeek field name with underscores for dots, as some collectors write it."""
    return name.strip().replace(".", "_")


def _json(text: Iterable[str | Damage], envelopes: tuple[str, ...]) -> Iterator[Records]:
    """JSON lines as lines (a broken one costs one record); anything else by its brackets."""
    blocks = iter(text)
    head = next((block for block in blocks if isinstance(block, Damage) or block.strip()), "")
    rest = chain([head], blocks)
    if isinstance(head, str) and is_json_lines(head, envelopes):
        return _lines(rest)
    return json_objects(rest, envelopes)


__all__ = ["Layout", "cut", "w3c_cells", "w3c_fields", "zeek_name"]
