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

from playbooks.formats import Columns, Json, TextLines, Zeek
from playbooks.normalise.text import Damage

CHUNK_RECORDS = 100_000
MAX_RECORD_CHARS = 16_000_000  # a longer "line" is a bomb or no log line; it is kept as unread
JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(?P<key>\s*:)?|[{}\[\]]|[^\s"{}\[\],:]+')

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


def _split(text: Iterable[str | Damage]) -> Iterator[list[str] | Damage]:
    """Whole lines, many at a time; the last one may lack its line end."""
    rest: list[str] = []
    length = 0
    for block in text:
        if isinstance(block, Damage):
            if tail := "".join(rest):
                yield [tail]
            yield block
            return
        head, newline, tail = block.rpartition("\n")
        if newline:
            yield ("".join(rest) + head).split("\n")
            rest, length = [], 0
        rest.append(tail)
        length += len(tail)
        if length > MAX_RECORD_CHARS:
            yield ["".join(rest)]
            yield Damage(f"a line is longer than {MAX_RECORD_CHARS:,} characters; what follows was not read")
            return
    if tail := "".join(rest):
        yield [tail]


def _chunks(text: Iterable[str | Damage]) -> Iterator[list[str] | Damage]:
    """Lines gathered to chunks of a size that is worth a query."""
    chunk: list[str] = []
    for lines in _split(text):
        if isinstance(lines, Damage):
            if chunk:
                yield chunk
            yield lines
            return
        chunk += lines
        if len(chunk) >= CHUNK_RECORDS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _damaged(damage: Damage, names: tuple[str, ...] = ()) -> Records:
    records = Records(names)
    records.add_broken("", damage.reason)
    return records


def _lines(text: Iterable[str | Damage]) -> Iterator[Records]:
    for lines in _chunks(text):
        if isinstance(lines, Damage):
            yield _damaged(lines)
            continue
        raws = [line.rstrip("\r") for line in lines]
        kept = [raw for raw in raws if raw.strip()]
        yield Records(raws=kept, blank=len(raws) - len(kept))


def _zeek(text: Iterable[str | Damage]) -> Iterator[Records]:
    """Comment lines are no records; a new `#fields` line begins a new run."""
    names: tuple[str, ...] = ()
    for lines in _chunks(text):
        if isinstance(lines, Damage):
            yield _damaged(lines, names)
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
    carried = ""
    for lines in _chunks(text):
        if isinstance(lines, Damage):
            yield _damaged(lines, names)
            break
        records = Records(names)
        for line in lines:
            raw = carried + line.rstrip("\r")
            carried = ""
            if columns.delimiter == "," and raw.count('"') % 2 and len(raw) < MAX_RECORD_CHARS:
                carried = raw + "\n"
            elif not raw.strip():
                records.blank += 1
            elif columns.keys <= set(header := header_names(raw, columns.delimiter)):
                yield records
                names = header
                records = Records(names)
            else:
                records.raws.append(raw)
                records.cells.append(split_columns(raw, columns.delimiter))
        yield records
    if carried:
        records = Records(names)
        records.add_broken(carried.rstrip("\n"), "a quote is opened and never closed")
        yield records


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
    rest = _chain(head, blocks)
    if isinstance(head, str) and is_json_lines(head, envelopes):
        return _lines(rest)
    return _json_objects(rest, envelopes)


def _chain(head: str | Damage, blocks: Iterator[str | Damage]) -> Iterator[str | Damage]:
    yield head
    yield from blocks


def is_json_lines(head: str, envelopes: tuple[str, ...]) -> bool:
    """Whether text holds one JSON object a line (judged by the first line that is whole)."""
    for line in head.splitlines()[:20]:
        try:
            first = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            continue
        return isinstance(first, dict) and not any(isinstance(first.get(key), list) for key in envelopes)
    return False


def _json_objects(text: Iterable[str | Damage], envelopes: tuple[str, ...]) -> Iterator[Records]:
    damage = None
    blocks: list[str] = []
    for block in text:
        if isinstance(block, Damage):
            damage = block
        else:
            blocks.append(block)
    yield from _walk("".join(blocks), envelopes)
    if damage:
        yield _damaged(damage)


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
            position = _element(text, start, decoder, records)
        if len(records.raws) >= CHUNK_RECORDS:
            yield records
            records = Records()
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
    return _balanced_end(text, token.start()) if word in ("{", "[") else token.end()


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _element(text: str, start: int, decoder: json.JSONDecoder, records: Records) -> int:
    """Take one value as a record; a broken one up to its closing bracket, or to the end of the text."""
    try:
        _, end = decoder.raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        bracket = text[start] in "{["
        end = _balanced_end(text, start) if bracket else _line_end(text, start)
        ends_early = bracket and end == len(text) and text[end - 1] not in "}]"
        reason = "JSON ends in the middle of a record" if ends_early else "not valid JSON"
        records.add_broken(text[start:end].rstrip(), reason)
        return end
    records.raws.append(text[start:end])
    return end


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _balanced_end(text: str, start: int) -> int:
    depth = 0
    for token in JSON_TOKEN.finditer(text, start):
        word = token.group()
        if word in ("{", "["):
            depth += 1
        elif word in ("}", "]"):
            depth -= 1
        if depth <= 0:
            return token.end()
    return len(text)
