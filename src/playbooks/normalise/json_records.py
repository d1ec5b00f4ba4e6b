"""JSON → records: an array, objects one after the other, or objects inside an envelope, by their brackets.

A record keeps the text that stands in the file. A broken one costs itself, not the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa

from playbooks import engine
from playbooks.normalise.records import CHUNK_RECORDS, Gathering, Records, Torn
from playbooks.normalise.text import Damage

MAX_JSON_CHARS = 1_000_000_000  # JSON that is not one object a line is held in memory as a whole
JSON_LINES_TRIED = 20
BAD_BYTE = re.compile(r"(?<!\\)((?:\\\\)*)\\(x[0-9a-f]{2})")
JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\[\s\S][^"\\]*)*"(?P<key>\s*:)?|[{}\[\]]|[^\s"{}\[\],:]+|"')
# an array of objects at the beginning, bare or as the only member of an object
PLAIN_ARRAY = re.compile(r'\s*(?:\{\s*(?P<key>"[A-Za-z_]+")\s*:\s*)?(?P<array>\[)\s*\{\s*(?P<first>"[A-Za-z_]+")\s*:')
MAX_DOTS = 20  # of a name; what stands behind them is one name
DOTTED_NAME = re.compile(r'"[A-Za-z_@][\w@]*\.[\w.]+"\s*:')
MAX_COPIED_CHARS = 100_000_000  # of an array that may be copied as a whole, and more than once
NUMBERED = "#"  # among envelopes: every name that is a number
CUT_OFF = "JSON ends in the middle of a record"


def is_json_lines(head: str, envelopes: tuple[str, ...]) -> bool:
    """Whether text holds one JSON object a line: its first line is one, or is broken and most others are."""
    opening = PLAIN_ARRAY.match(head)
    if opening and (opening["key"] is None or json.loads(opening["key"]) in envelopes):
        return False
    lines = [line for line in head.split("\n")[:JSON_LINES_TRIED] if line.strip()]
    if not lines or lines[0].lstrip().startswith("["):
        return False
    first, *others = (json_object(line) for line in lines)
    if first is not None:
        return not any(_holds_records(value, envelopes) for key, value in first.items() if encloses(key, envelopes))
    return 2 * sum(found is not None for found in others) >= len(lines)


def encloses(key: str, envelopes: tuple[str, ...]) -> bool:
    """Whether a name is one of the envelopes."""
    return key in envelopes or (NUMBERED in envelopes and key.isdecimal())


def _holds_records(value: object, envelopes: tuple[str, ...]) -> bool:
    inner = [value.get(key) for key in envelopes] if isinstance(value, dict) else []
    return isinstance(value, list) or any(isinstance(held, list) for held in inner)


def mended(raw: str) -> str:
    """JSON text in which bytes that are no UTF-8 stand as text: `\\xNN` alone is no escape of JSON."""
    return BAD_BYTE.sub(r"\1\\\\\2", raw) if "\\x" in raw else raw


def undotted(raw: str) -> str:
    """JSON text in which a name with dots stands for places inside one another; other text as it is."""
    text = mended(raw)
    if DOTTED_NAME.search(text) is None or (found := json_object(text)) is None:
        return text
    try:
        return json.dumps(_nested(found), ensure_ascii=False)
    except RecursionError:
        return text


def _nested(found: object) -> object:
    if not isinstance(found, dict):
        return found
    whole: dict[str, object] = {}
    for name, value in found.items():
        *outer, last = name.split(".", MAX_DOTS)
        place = whole
        for part in outer:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {}  # beside a value of the same name there is no place
        held, value = place.get(last), _nested(value)
        place[last] = held | value if isinstance(held, dict) and isinstance(value, dict) else value
    return whole


def json_object(raw: str) -> dict[str, object] | None:
    """The JSON object in `raw`, or None where there is none."""
    if not raw.rstrip().endswith("}"):  # text cut off is sooner told so than by parsing it
        return None
    try:
        found = json.loads(mended(raw))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def closed(text: str) -> str:
    """JSON text that is cut off, up to the last bracket in it, with all brackets closed that are open there."""
    end = 0
    for token in JSON_TOKEN.finditer(text):
        if token.group() == '"':
            break
        end = token.end() if token.group() in ("{", "[", "}", "]") else end
    opened: list[str] = []
    for token in JSON_TOKEN.finditer(text, 0, end):
        if token.group() in ("{", "["):
            opened.append("}" if token.group() == "{" else "]")
        elif token.group() in ("}", "]") and opened:
            opened.pop()
    return text[:end] + "".join(reversed(opened))


def json_objects(text: Iterable[str | Damage], envelopes: tuple[str, ...]) -> Iterator[Records]:
    """Cut text that is not one object a line; it is held in memory as a whole.

    Parameters
    ----------
    text
        Blocks as `read_text` yields them.
    envelopes
        Keys of an outer object whose array holds the records.
    """
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
    whole = "".join(blocks)
    elements = None if damage else _elements(whole, envelopes)
    if elements is not None:
        yield Records(elements)
    else:
        yield from _walk(whole, envelopes)
    if damage:
        yield Torn("", damage.reason).records()


def _elements(text: str, envelopes: tuple[str, ...]) -> pa.StringArray | None:
    """The objects of an array that is all there is, bare or in an envelope; None where this is not so plain.

    The text is split where an object ends and one with the same first key begins. Each piece is checked to be
    valid JSON by itself: a piece that begins where an element does and is valid can only end where it ends.
    """
    opening = PLAIN_ARRAY.match(text)
    closing = text.rstrip()
    if not opening or (opening["key"] is not None and json.loads(opening["key"]) not in envelopes):
        return None
    for bracket in "}]" if opening["key"] is not None else "]":
        if not closing.endswith(bracket):
            return None
        closing = closing[:-1].rstrip()
    between = re.compile(rf"\}}\s*,\s*(?=\{{\s*{re.escape(opening['first'])}\s*:)")
    array = closing[opening.end("array") :].lstrip()
    for split in (_parted_alike, _parted):
        pieces = split(array, between)
        if pieces is not None and are_objects(pieces):
            return pieces
    return None


def _parted_alike(array: str, between: re.Pattern[str]) -> pa.StringArray | None:
    """The pieces of text in which all elements are parted as the first two are: one look for one text is quick."""
    first = between.search(array) if len(array) <= MAX_COPIED_CHARS else None
    key = JSON_TOKEN.match(array, _skip_space(array, first.end() + 1)) if first else None
    if not first or not key:
        return None
    head = array[first.end() : key.end()].encode()
    inner = array.encode().split(first.group().encode() + head)
    lengths = np.fromiter(map(len, inner), np.int32, len(inner)) + 1 + len(head)  # each has its ends back
    lengths[0] -= len(head)
    lengths[-1] -= 1
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(inner), pa.py_buffer(offsets), pa.py_buffer((b"}" + head).join(inner)))


def _parted(array: str, between: re.Pattern[str]) -> pa.StringArray:
    """The pieces of text in which elements are parted in several ways."""
    ends = [(place.start() + 1, place.end()) for place in between.finditer(array)]
    starts, stops = [0, *(behind for _, behind in ends)], [*(end for end, _ in ends), len(array)]
    return pa.array([array[a:b] for a, b in zip(starts, stops, strict=True)], pa.string())


def are_objects(texts: pa.StringArray) -> bool:
    """Whether each text is one whole JSON object, with nothing behind it."""
    with _checker().cursor() as con:  # several files may be read at once
        con.register("texts", pa.table({"text": texts}))
        asked = "SELECT bool_and(json_valid(text) AND starts_with(text, '{') AND ends_with(text, '}')) FROM texts"
        (fit,) = con.execute(asked).fetchone() or (False,)
    return bool(fit)


@cache
def _checker() -> duckdb.DuckDBPyConnection:
    return engine.connect()


def _walk(text: str, envelopes: tuple[str, ...]) -> Iterator[Records]:
    """Follow the brackets of concatenated values; arrays and envelopes give their elements."""
    decoder = json.JSONDecoder()
    records = Gathering()
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
        elif inside[-1:] == ["{"]:
            position = _envelope_member(text, token, envelopes, inside)
        elif word == "{" and not inside and _is_envelope(text, start, envelopes):
            inside.append("{")
            position = token.end()
        else:
            position = _element(text, token, decoder, records, bool(inside))
        if len(records.raws) >= CHUNK_RECORDS:
            yield records.records()
            records = Gathering()
    if inside and records.broken.get(len(records.raws) - 1) != CUT_OFF:
        records.add_broken("", "JSON ends before its closing bracket: records may be missing")
    yield records.records()


def _is_envelope(text: str, start: int, envelopes: tuple[str, ...], inner: bool = False) -> bool:
    """Whether the object at `start` has, at its own level, one of the keys with an array, or with an envelope."""
    if not envelopes:
        return False
    depth = 0
    key = ""
    for token in JSON_TOKEN.finditer(text, start):
        word = token.group()
        if word in ("{", "["):
            if (
                depth == 1
                and encloses(key, envelopes)
                and (word == "[" or (not inner and _is_envelope(text, token.start(), envelopes, True)))
            ):
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
    if token.group("key") and encloses(word[1 : word.rfind('"')], envelopes):
        opening = JSON_TOKEN.match(text, _skip_space(text, token.end()))
        if opening and (
            opening.group() == "[" or (opening.group() == "{" and _is_envelope(text, opening.start(), envelopes, True))
        ):
            inside.append(opening.group())
            return opening.end()
    return (_closing(text, token.start()) or len(text)) if word in ("{", "[") else token.end()


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _element(text: str, token: re.Match[str], decoder: json.JSONDecoder, records: Gathering, in_array: bool) -> int:
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
        if closed is not None and (json_object(raw) is not None or are_objects(pa.array([raw], pa.string()))):
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
