"""Text → records, one cutter for each way in which logs lay records out.

Every cutter yields `Records`: the raw text of each record in order, how many blank lines stood
between, and for records that could not be cut whole the reason. Nothing is dropped here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from playbooks.formats import Columns, Json, Pairs, TextLines, W3c, Zeek
from playbooks.normalise.json_records import is_json_lines, json_objects
from playbooks.normalise.records import CHUNK_RECORDS, Records, Torn
from playbooks.normalise.text import Damage, Edge

CHUNK_CHARS = 64_000_000
MAX_RECORD_CHARS = 16_000_000  # a longer "line" is a bomb or no log line; it is kept as unread, in pieces
W3C_CELL = re.compile(r'("((?:[^"]|"")*)"|[^\s"]\S*)')
MAX_CELL_LINES = 100  # a quote that is open for longer was never closed
SMALL_RUN_CHARS = 4_000_000  # less is not worth a query of its own

Layout = TextLines | Json | Zeek | Columns | Pairs | W3c


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
    return _joined(records for member in _members(text) for records in _cut_member(member, layout))


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
    held: Records | None = None
    chars = 0
    for run in runs:
        size = sum(map(len, run.raws))
        if held and held.names == run.names and chars + size <= min(SMALL_RUN_CHARS, CHUNK_CHARS):
            held.add(run)
            chars += size
            continue
        if held:
            yield held
        held, chars = run, size
    if held:
        yield held


def _cut_member(text: Iterable[str | Damage], layout: Layout) -> Iterator[Records]:
    match layout:
        case Json(envelopes=envelopes):
            return _json(text, envelopes)
        case Zeek(path=path):
            return _zeek(text, path)
        case Columns() as columns:
            return _columns(text, columns)
        case W3c():
            return _w3c(text)
        case TextLines() | Pairs():
            return _lines(text)


def _split(text: Iterable[str | Damage]) -> Iterator[list[str] | Torn]:
    """Whole lines, many at a time; the last one may lack its line end.

    A line of more than `MAX_RECORD_CHARS` comes as torn pieces, so that neither it nor what follows is lost.
    """
    rest: list[str] = []
    length = 0
    in_pieces = False
    piece = f"part of a line that is longer than {MAX_RECORD_CHARS:,} characters"
    for block in text:
        if isinstance(block, Damage):
            yield Torn("".join(rest), block.reason)
            return
        head, newline, tail = block.rpartition("\n")
        if newline:
            lines = ("".join(rest) + head).split("\n")
            if in_pieces and (last := lines.pop(0)):
                yield Torn(last, piece)
            yield lines
            rest, length, in_pieces = [], 0, False
        rest.append(tail)
        length += len(tail)
        if length > MAX_RECORD_CHARS:
            yield Torn("".join(rest), piece)
            rest, length, in_pieces = [], 0, True
    if tail := "".join(rest):
        yield Torn(tail, piece) if in_pieces else [tail]


def _chunks(text: Iterable[str | Damage]) -> Iterator[list[str] | Torn]:
    """Lines gathered to chunks of a size that is worth a query."""
    chunk: list[str] = []
    chars = 0
    for lines in _split(text):
        if isinstance(lines, Torn):
            yield chunk
            yield lines
            chunk, chars = [], 0
            continue
        chunk += lines
        chars += sum(map(len, lines))
        if len(chunk) >= CHUNK_RECORDS or chars >= CHUNK_CHARS:
            yield chunk
            chunk, chars = [], 0
    yield chunk


def _lines(text: Iterable[str | Damage]) -> Iterator[Records]:
    for lines in _chunks(text):
        if isinstance(lines, Torn):
            yield lines.records()
            continue
        raws = [line.rstrip("\r") for line in lines]
        kept = [raw for raw in raws if raw.strip()]
        yield Records(raws=kept, blank=len(raws) - len(kept))


def _zeek(text: Iterable[str | Damage], path: str) -> Iterator[Records]:
    """Comment lines are no records; a new `#fields` line begins a new run, a `#path` line may begin another log."""
    names: tuple[str, ...] = ()
    other = ""
    for lines in _chunks(text):
        if isinstance(lines, Torn):
            yield lines.records(names)
            continue
        records = Records(names)
        for line in lines:
            raw = line.rstrip("\r")
            if raw.lstrip().startswith("#"):
                if raw.lstrip().startswith("#fields"):
                    yield records
                    names = tuple(zeek_name(name) for name in raw.split("\t")[1:])
                    records = Records(names)
                elif raw.lstrip().startswith("#path\t"):
                    found = raw.lstrip().split("\t")[1].strip() or path
                    other = f"a record of the Zeek log {found[:40]}, not of {path}" if path and found != path else ""
            elif raw.strip() and other:
                records.add_broken(raw, other)
            elif raw.strip():
                records.raws.append(raw)
            else:
                records.blank += 1
        yield records


def _w3c(text: Iterable[str | Damage]) -> Iterator[Records]:
    """Directive lines (`#…`) are no records; a new `#Fields:` line begins a new run."""
    names: tuple[str, ...] = ()
    for lines in _chunks(text):
        if isinstance(lines, Torn):
            yield lines.records(names)
            continue
        records = Records(names)
        for line in lines:
            raw = line.rstrip("\r")
            if raw.startswith("#"):
                if fields := w3c_fields(raw):
                    yield records
                    names = fields
                    records = Records(names)
            elif raw.strip():
                records.raws.append(raw)
                records.cells.append(w3c_cells(raw))
            else:
                records.blank += 1
        yield records


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
        return raw.split()
    return [quoted if quoted or whole.startswith('"') else whole for whole, quoted in W3C_CELL.findall(raw)]


def zeek_name(name: str) -> str:
    """Zeek field name with underscores for dots, as some collectors write it."""
    return name.strip().replace(".", "_")


def _columns(text: Iterable[str | Damage], columns: Columns) -> Iterator[Records]:
    """A header line gives the names of what follows; a quoted cell may run over several lines."""
    names: tuple[str, ...] = ()
    waiting: list[str] = []
    for lines in chain(_chunks(text), [None]):
        whole: list[str | Torn] = [lines] if isinstance(lines, Torn) else list(lines or [])
        if columns.delimiter == ",":
            given = lines if isinstance(lines, list) else []
            whole, waiting = _join_quoted(waiting + given, at_end=not isinstance(lines, list))
            whole += [lines] if isinstance(lines, Torn) else []
        records = Records(names)
        for line in whole:
            if isinstance(line, Torn):
                records.add_broken(line.raw.rstrip("\r"), line.reason)
            elif not (raw := line.rstrip("\r")).strip():
                records.blank += 1
            elif columns.keys <= set(header := header_names(raw, columns.delimiter)):
                yield records
                names = header
                records = Records(names)
            else:
                records.raws.append(raw)
                records.cells.append(split_columns(raw.replace("\r\n", "\n"), columns.delimiter))
        yield records


def _join_quoted(lines: list[str], at_end: bool) -> tuple[list[str | Torn], list[str]]:
    """Lines joined where a quoted cell runs over several, and the lines that wait for its end.

    A quote that is never closed costs the line in which it is opened, and no other.
    """
    whole: list[str | Torn] = []
    start = 0
    while start < len(lines):
        end, quotes = start + 1, lines[start].count('"')
        while quotes % 2 and end < min(len(lines), start + MAX_CELL_LINES):
            quotes += lines[end].count('"')
            end += 1
        if quotes % 2 == 0:
            whole.append("\n".join(lines[start:end]))
        elif at_end or end == start + MAX_CELL_LINES:
            whole.append(Torn(lines[start], "a quote is opened and never closed"))
            end = start + 1
        else:
            return whole, lines[start:]
        start = end
    return whole, []


def split_columns(raw: str, delimiter: str) -> list[str]:
    """The cells of one line; a comma means CSV quoting."""
    if delimiter != ",":
        return raw.split(delimiter)
    try:
        return next(csv.reader([raw], strict=False))
    except (csv.Error, StopIteration):
        return [raw]


def header_names(raw: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a line as field names."""
    return tuple(cell.strip().lower().replace("-", "_") for cell in split_columns(raw, delimiter))


def _json(text: Iterable[str | Damage], envelopes: tuple[str, ...]) -> Iterator[Records]:
    """JSON lines as lines (a broken one costs one record); anything else by its brackets."""
    blocks = iter(text)
    head = next((block for block in blocks if isinstance(block, Damage) or block.strip()), "")
    rest = chain([head], blocks)
    if isinstance(head, str) and is_json_lines(head, envelopes):
        return _lines(rest)
    return json_objects(rest, envelopes)
