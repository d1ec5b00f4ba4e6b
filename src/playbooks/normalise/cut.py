"""Text → records, one cutter for each way in which logs lay records out.

Every cutter yields `Records`: the raw text of each record in order, how many blank lines stood
between, and for records that could not be cut whole the reason. Nothing is dropped here.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from playbooks.formats import Columns, Json, TextLines, Zeek
from playbooks.normalise.text import Damage

CHUNK_RECORDS = 100_000
CHUNK_CHARS = 64_000_000
MAX_RECORD_CHARS = 16_000_000  # a longer "line" is a bomb or no log line; it is kept as unread, in pieces
MAX_JSON_CHARS = 1_000_000_000  # JSON that is not one object a line is held in memory as a whole
MAX_CELL_LINES = 100  # a quote that is open for longer was never closed
JSON_LINES_TRIED = 20
BAD_BYTE = re.compile(r"(?<!\\)((?:\\\\)*)\\(x[0-9a-f]{2})")
JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\[\s\S][^"\\]*)*"(?P<key>\s*:)?|[{}\[\]]|[^\s"{}\[\],:]+|"')

CUT_OFF = "JSON ends in the middle of a record"
Layout = TextLines | Json | Zeek | Columns


@dataclass
class Records:
    """A run of records under one header.

    `raws` holds the records; `broken` says why, by index into `raws`, for those cut off or damaged;
    `names` are the field names of a header line; `cells` the split fields where SQL cannot split.
    """

    names: tuple[str, ...] = ()
    raws: list[str] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    cells: list[list[str]] = field(default_factory=list)
    blank: int = 0

    def add_broken(self, raw: str, reason: str) -> None:
        self.broken[len(self.raws)] = reason
        self.raws.append(raw)
        self.cells.append([])


def cut(text: Iterable[str | Damage], layout: Layout) -> Iterator[Records]:
    """Cut text into records as a layout says.

    Parameters
    ----------
    text
        Blocks as `read_text` yields them.
    layout
        The `cut` of a format.
    """
    match layout:
        case Json(envelopes=envelopes):
            return _json(text, envelopes)
        case Zeek():
            return _zeek(text)
        case Columns() as columns:
            return _columns(text, columns)
        case TextLines():
            return _lines(text)


@dataclass(frozen=True)
class Torn:
    """A record that could not be cut whole: what there is of it, and why."""

    raw: str
    reason: str

    def records(self, names: tuple[str, ...] = ()) -> Records:
        """The torn record alone, as a run of its own."""
        records = Records(names)
        records.add_broken(self.raw, self.reason)
        return records


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


def _zeek(text: Iterable[str | Damage]) -> Iterator[Records]:
    """Comment lines are no records; a new `#fields` line begins a new run."""
    names: tuple[str, ...] = ()
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
            elif raw.strip():
                records.raws.append(raw)
            else:
                records.blank += 1
        yield records


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
    return _json_objects(rest, envelopes)


def is_json_lines(head: str, envelopes: tuple[str, ...]) -> bool:
    """Whether text holds one JSON object a line: its first line is one, or is broken and most others are."""
    lines = [line for line in head.split("\n")[:JSON_LINES_TRIED] if line.strip()]
    if not lines or lines[0].lstrip().startswith("["):
        return False
    first, *others = (json_object(line) for line in lines)
    if first is not None:
        return not any(isinstance(first.get(key), list) for key in envelopes)
    return 2 * sum(found is not None for found in others) >= len(lines)


def mended(raw: str) -> str:
    """JSON text in which bytes that are no UTF-8 stand as text: `\\xNN` alone is no escape of JSON."""
    return BAD_BYTE.sub(r"\1\\\\\2", raw) if "\\x" in raw else raw


def json_object(raw: str) -> dict[str, object] | None:
    """The JSON object in `raw`, or None where there is none."""
    try:
        found = json.loads(mended(raw))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json_objects(text: Iterable[str | Damage], envelopes: tuple[str, ...]) -> Iterator[Records]:
    damage = None
    blocks: list[str] = []
    length = 0
    for block in text:
        if isinstance(block, Damage):
            damage = block
            break
        blocks.append(block)
        length += len(block)
        if length > MAX_JSON_CHARS:
            damage = Damage(f"JSON of more than {MAX_JSON_CHARS:,} characters: what follows was not read")
            break
    yield from _walk("".join(blocks), envelopes)
    if damage:
        yield Torn("", damage.reason).records()


def _walk(text: str, envelopes: tuple[str, ...]) -> Iterator[Records]:
    """Follow the brackets of concatenated values; arrays and envelopes give their elements."""
    decoder = json.JSONDecoder()
    records = Records()
    inside: list[str] = []  # open brackets around the next element: "[", or "{" and "[" of an envelope
    position = 0
    while token := JSON_TOKEN.search(text, position):
        start, word = token.start(), token.group()
        if word in ("]", "}"):
            if inside:
                inside.pop()
            else:
                records.add_broken(word, "a closing bracket without an opening one")
            position = token.end()
        elif word == "[" and not inside:
            inside.append("[")
            position = token.end()
        elif inside == ["{"]:
            position = _envelope_member(text, token, envelopes, inside)
        elif word == "{" and not inside and _is_envelope(text, start, envelopes):
            inside.append("{")
            position = token.end()
        else:
            position = _element(text, token, decoder, records, bool(inside))
        if len(records.raws) >= CHUNK_RECORDS:
            yield records
            records = Records()
    if inside and records.broken.get(len(records.raws) - 1) != CUT_OFF:
        records.add_broken("", "JSON ends before its closing bracket: records may be missing")
    yield records


def _is_envelope(text: str, start: int, envelopes: tuple[str, ...]) -> bool:
    """Whether the object at `start` has, at its own level, one of the keys with an array."""
    depth = 0
    key = ""
    for token in JSON_TOKEN.finditer(text, start):
        word = token.group()
        if word in ("{", "["):
            if word == "[" and depth == 1 and key in envelopes:
                return True
            depth += 1
        elif word in ("}", "]"):
            depth -= 1
            if depth <= 0:
                return False
        if depth == 1:
            key = word[1 : word.rfind('"')] if token.group("key") else ""
    return False


def _envelope_member(text: str, token: re.Match[str], envelopes: tuple[str, ...], inside: list[str]) -> int:
    """Step over one member of an envelope object, or into the array that holds the records."""
    word = token.group()
    if token.group("key") and word[1 : word.rfind('"')] in envelopes:
        opening = JSON_TOKEN.match(text, _skip_space(text, token.end()))
        if opening and opening.group() == "[":
            inside.append("[")
            return opening.end()
    return (_closing(text, token.start()) or len(text)) if word in ("{", "[") else token.end()


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _element(text: str, token: re.Match[str], decoder: json.JSONDecoder, records: Records, in_array: bool) -> int:
    """Take one value as a record; a broken one up to its closing bracket, or to the end of the text.

    A word that is no value ends with itself in an array, and with its line in text that is no JSON.
    """
    start, word = token.span()[0], token.group()
    try:
        _, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        in_array = in_array and word != '"'
        closed = _closing(text, start) if word in "{[" else token.end() if in_array else _line_end(text, start)
        end = len(text) if closed is None else closed
        raw = text[start:end].rstrip()
        if closed is not None and json_object(raw) is not None:
            records.raws.append(raw)
        else:
            records.add_broken(raw, CUT_OFF if closed is None else "not valid JSON")
        return end
    records.raws.append(text[start:end])
    return end


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _closing(text: str, start: int) -> int | None:
    """Where the bracket that opens at `start` is closed; None where it never is, or a string is never closed."""
    depth = 0
    for token in JSON_TOKEN.finditer(text, start):
        word = token.group()
        if word == '"':
            return None
        if word in ("{", "["):
            depth += 1
        elif word in ("}", "]"):
            depth -= 1
        if depth <= 0:
            return token.end()
    return None
