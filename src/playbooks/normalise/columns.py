"""Lines of columns → records with their cells: a header line names what follows, quotes may hold commas and lines.

A quote that is never closed costs the line in which it is opened, and no other.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from playbooks.formats import Columns
from playbooks.normalise.lines import Block, blocks_of_lines, holds
from playbooks.normalise.records import Gathering, Records, Torn
from playbooks.normalise.tables import plain_name
from playbooks.normalise.text import Damage

MAX_CELL_LINES = 100  # a quote that is open for longer was never closed
CELLS = pa.list_(pa.string())
QUOTE, COMMA = ord('"'), ord(",")
_Bytes = npt.NDArray[np.uint8]
_Places = npt.NDArray[np.integer[Any]]


def cut_columns(text: Iterable[str | Damage], columns: Columns) -> Iterator[Records]:
    """A header line gives the names of what follows; a quoted cell may run over several lines."""
    names: tuple[str, ...] = ()
    waiting: list[str] = []  # lines of which the last quote is still open
    for block in chain(blocks_of_lines(text), [None]):
        careful = bool(columns.comment or waiting)
        if isinstance(block, Block) and not careful and not (columns.delimiter == "," and _open_quotes(block)):
            lines, blank = block.kept()
            yield Records(lines.slice(0, 0), names, blank=blank)
            names = yield from _whole_lines(lines, names, columns)
            continue
        given = block.text.split("\n") if isinstance(block, Block) else []
        whole: list[str | Torn] = list(given)
        if columns.delimiter == ",":
            whole, waiting = _join_quoted(waiting + given, not isinstance(block, Block), columns.comment)
        names = yield from _one_by_one(whole + ([block] if isinstance(block, Torn) else []), names, columns)


def _open_quotes(block: Block) -> bool:
    """Whether a line opens a quote that it does not close."""
    if '"' not in block.text:
        return False
    _, quotes, edges = _quotes(block.lines)
    return bool((np.diff(np.searchsorted(quotes, edges)) & 1).any())


def _quotes(lines: pa.StringArray) -> tuple[_Bytes, _Places, _Places]:
    """The bytes of lines, where quotes stand among them, and where lines begin and end."""
    _, offsets, content = lines.buffers()
    data = np.frombuffer(content or b"", np.uint8)
    edges = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    first, last = (int(edges[0]), int(edges[-1])) if len(edges) else (0, 0)
    return data, np.flatnonzero(data[first:last] == QUOTE) + first, edges


def _quotes_oddly(lines: pa.StringArray) -> bool:
    """Whether a quote stands in the middle of a cell, where it neither opens nor closes it."""
    data, quotes, edges = _quotes(lines)
    opens = edges[np.searchsorted(edges, quotes)] == quotes
    closes = edges[np.searchsorted(edges, quotes + 1)] == quotes + 1
    inside = quotes[~opens & ~closes]
    before, behind = data[inside - 1], data[inside + 1]
    return bool(((before != COMMA) & (before != QUOTE) & (behind != COMMA) & (behind != QUOTE)).any())


def _whole_lines(
    lines: pa.StringArray, names: tuple[str, ...], columns: Columns
) -> Generator[Records, None, tuple[str, ...]]:
    """Lines of which each is a record or a header; gives the last header."""
    start = 0
    for place in _perhaps_headers(lines, columns):
        header = header_names(lines[place].as_py(), columns.delimiter)
        if columns.keys <= set(map(plain_name, header)):
            yield with_cells(lines.slice(start, place - start), names, columns.delimiter)
            names, start = header, place + 1
    yield with_cells(lines.slice(start), names, columns.delimiter)
    return names


def _perhaps_headers(lines: pa.StringArray, columns: Columns) -> list[int]:
    """The lines that hold the longest of the names that a header must have."""
    longest = max(columns.keys, key=len, default="")
    pattern = longest.replace("_", "[_-]")
    found = pc.match_substring_regex(lines, pattern, ignore_case=True)
    places: list[int] = pc.indices_nonzero(found).to_pylist() if longest else []
    return places


def with_cells(lines: pa.StringArray, names: tuple[str, ...], delimiter: str) -> Records:
    """Lines with their cells, however these are quoted."""
    if delimiter != "," or not holds(lines, b'"'):
        return Records(lines, names, delimiter=delimiter)
    cells = _quoted_cells(lines)
    return Records(lines, names, cells=cells if cells is not None else _careful_cells(lines))


def _quoted_cells(lines: pa.StringArray) -> pa.StructArray | None:
    """The cells of lines, all at once; None where lines differ in columns or quote in an odd way."""
    if _quotes_oddly(lines) or holds(lines, b"\r"):
        return None
    width = len(split_columns(lines[0].as_py(), ","))
    named = [str(place) for place in range(width)]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")[0].as_buffer()),
            read_options=arrow_csv.ReadOptions(column_names=named, use_threads=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(named, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(lines):
        return None
    columns = [pa.concat_arrays(column.chunks) for column in table.columns]
    return pa.StructArray.from_arrays(columns, named)


def _careful_cells(lines: pa.StringArray) -> pa.ListArray:
    return pa.array([split_columns(raw, ",") for raw in lines.to_pylist()], CELLS)


def _one_by_one(
    lines: list[str | Torn], names: tuple[str, ...], columns: Columns
) -> Generator[Records, None, tuple[str, ...]]:
    """Lines that want a careful look; gives the last header."""
    found = Gathering(names)
    for line in lines:
        if isinstance(line, Torn):
            found.add_broken(line.raw.rstrip("\r"), line.reason)
        elif not (raw := line.rstrip("\r")).strip():
            found.blank += 1
        elif columns.keys <= set(map(plain_name, header := named_columns(raw, columns))):
            yield found.records(with_cells=True)
            names = header
            found = Gathering(names)
        elif not is_comment(raw, columns.comment):
            found.raws.append(raw)
            found.cells.append(split_columns(raw.replace("\r\n", "\n"), columns.delimiter, bool(columns.comment)))
    yield found.records(with_cells=True)
    return names


def _join_quoted(lines: list[str], at_end: bool, comment: str) -> tuple[list[str | Torn], list[str]]:
    """Lines joined where a quoted cell runs over several, and the lines that wait for its end."""
    whole: list[str | Torn] = []
    start = 0
    while start < len(lines):
        end, quotes = start + 1, 0 if is_comment(lines[start], comment) else lines[start].count('"')
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


def is_comment(line: str, comment: str) -> bool:
    """Whether a line is a comment; never where the layout has none."""
    return bool(comment) and line.lstrip().startswith(comment)


def named_columns(raw: str, columns: Columns) -> tuple[str, ...]:
    """The cells of a line as field names; a header may stand in a comment, where the layout has such."""
    line = raw.lstrip().removeprefix(columns.comment).strip() if columns.comment else raw
    return header_names(line, columns.delimiter, spaced=bool(columns.comment))


def split_columns(raw: str, delimiter: str, spaced: bool = False) -> list[str]:
    """The cells of one line; a comma means CSV quoting. `spaced`: a blank behind a comma is no part of a cell."""
    if delimiter != ",":
        return raw.split(delimiter)
    try:
        return next(csv.reader([raw], strict=False, skipinitialspace=spaced))
    except (csv.Error, StopIteration):
        return [raw]


def header_names(raw: str, delimiter: str, spaced: bool = False) -> tuple[str, ...]:
    """The cells of a line as field names."""
    return tuple(cell.strip().lower().replace("-", "_") for cell in split_columns(raw, delimiter, spaced))


__all__ = [
    *("MAX_CELL_LINES", "cut_columns", "header_names"),
    *("is_comment", "named_columns", "split_columns", "with_cells"),
]
