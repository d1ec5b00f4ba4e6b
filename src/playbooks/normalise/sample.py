"""The beginning of a file, seen as lines, as JSON objects, as pairs, as a table, as XML and as a Zeek header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from playbooks.formats import FORMATS, Json
from playbooks.normalise.columns import header_names, split_columns
from playbooks.normalise.cut import cut, zeek_name
from playbooks.normalise.json_records import NUMBERED, closed, is_json_lines, json_object
from playbooks.normalise.pairs import pairs
from playbooks.normalise.tables import plain_name
from playbooks.normalise.text import beginning
from playbooks.normalise.xml_records import xml_fields, xml_records

SAMPLE_RECORDS = 100
SAMPLE_CHARS = 1 << 20
LINE_CHARS = 1 << 13  # of a line; a longer one is JSON on one line, or is told by its beginning
OBJECT_CHARS = 1 << 16  # the first objects are sought here, and in all of the sample only where none is
JSON_OPENING = re.compile(r'\s*(?:\{|\[\s*(?:[\[{\]"]|$))')  # "[10/Mar/2026" opens a line of text
ANY_JSON = Json(keys=frozenset(), shape="{}", envelopes=("Records", "Events"))
ENVELOPES = frozenset(key for form in FORMATS if isinstance(form.cut, Json) for key in form.cut.envelopes)


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, seen as lines, as JSON objects and as a Zeek header."""

    text: str

    @cached_property
    def lines(self) -> list[str]:
        lines = (line[:LINE_CHARS].rstrip("\r") for line in self.text.split("\n"))
        return [line for line in lines if line.strip()][:SAMPLE_RECORDS]

    def header(self, delimiter: str) -> frozenset[str]:
        """The first line as a header of columns."""
        held: dict[str, frozenset[str]] = self.__dict__.setdefault("_headers", {})
        if delimiter not in held:
            held[delimiter] = frozenset(header_names(self.lines[0], delimiter))
        return held[delimiter]

    @cached_property
    def looks_json(self) -> bool:
        """Whether it begins as JSON does, or most of its lines do: the first may be cut in half."""
        opening = [bool(JSON_OPENING.match(line)) for line in self.lines if not line.lstrip().startswith("#")]
        return bool(opening) and (opening[0] or 2 * sum(opening) >= len(opening))

    def objects(self, envelopes: tuple[str, ...]) -> list[dict[str, object]]:
        """The JSON objects, those inside envelopes too; cut once for the envelopes that the text names."""
        held: dict[tuple[str, ...], list[dict[str, object]]] = self.__dict__.setdefault("_held", {})
        named = tuple(key for key in envelopes if self._names(key))
        if named not in held:
            # within an envelope that this layout does not know there are no objects to look for any further
            others = ENVELOPES.difference(named)
            enclosed = any(map(self._encloses, others)) and not is_json_lines(self.text, named)
            parts = (self.text[:OBJECT_CHARS], "" if enclosed else self.text) if self.looks_json else ()
            held[named] = next((found for part in parts if (found := list(_objects(part, named)))), self._cut_off)
        return held[named]

    def _names(self, key: str) -> bool:
        """Whether the text holds a name between quotes."""
        return any(map(str.isdecimal, self._quoted)) if key == NUMBERED else key in self._quoted

    @cached_property
    def _cut_off(self) -> list[dict[str, object]]:
        """As far as it goes, an object that is longer than the sample."""
        found = json_object(closed(self.text)) if self.looks_json and len(self.text) == SAMPLE_CHARS else None
        return [found] if found is not None else []

    def _encloses(self, key: str) -> bool:
        """Whether the text holds a name with something in brackets behind it: only that can hold records."""
        name = r"\d+" if key == NUMBERED else re.escape(key)
        return self._names(key) and re.search(rf'"{name}"\s*:\s*[\[{{]', self.text) is not None

    @cached_property
    def _quoted(self) -> frozenset[str]:
        """Whatever stands between two quotes that follow each other."""
        return frozenset(self.text.split('"')[1:-1])

    def pairs(self, style: str) -> list[dict[str, object]]:
        """The lines as names and values; parsed once for each style."""
        held: dict[str, list[dict[str, object]]] = self.__dict__.setdefault("_pairs", {})
        if style not in held:
            held[style] = [dict(pairs(line, style)) for line in self.lines]
        return held[style]

    def elements(self, name: str) -> list[dict[str, object]]:
        """The XML elements of a name, as fields."""
        for text in (self.text[:OBJECT_CHARS], self.text) if f"<{name}" in self.text else ():
            raws = [raw for records in xml_records([text], name) for raw in records.raws][:SAMPLE_RECORDS]
            found: list[dict[str, object]] = [dict(fields) for raw in raws if (fields := xml_fields(raw, name))]
            if found:
                return found
        return []

    @cached_property
    def table(self) -> list[dict[str, object]]:
        """The rows under a header of comma-separated names; empty for text that is no such table."""
        if self.looks_json or not self.lines or "," not in self.lines[0]:
            return []
        header = tuple(plain_name(name) for name in header_names(self.lines[0], ","))
        rows = (split_columns(line, ",") for line in self.lines[1:])
        return [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)] or [
            dict.fromkeys(header)
        ]

    @cached_property
    def zeek_header(self) -> tuple[str, frozenset[str]]:
        """The log's name and its fields, both empty without a `#fields` line."""
        found = {"#path": "", "#fields": ""}
        for line in self.lines:
            word, _, rest = line.strip().partition("\t")
            if word in found:
                found[word] = rest
        names = frozenset(zeek_name(name) for name in found["#fields"].split("\t") if name)
        return found["#path"].strip(), names


def _objects(text: str, envelopes: tuple[str, ...]) -> Iterator[dict[str, object]]:
    count = 0
    for records in cut([text], replace(ANY_JSON, envelopes=envelopes)):
        for index, raw in enumerate(records.raws):
            if count >= SAMPLE_RECORDS:
                return
            count += 1
            if index not in records.broken and (found := json_object(raw)) is not None:
                yield found


def take_sample(file: Path) -> Sample:
    """Read the beginning of a file."""
    return Sample(beginning(file, SAMPLE_CHARS))
