"""XML → records: one for each element of a name, whatever line ends stand inside or between.

White space, the XML declaration, comments and the tags around the records are no records; a header that a relay put
before an element belongs to it; other text between two elements is kept as broken. Nothing is expanded: entities
other than the five of XML and numbers stay as they stand, so no text can grow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from playbooks.normalise.records import CHUNK_RECORDS, Gathering, Records
from playbooks.normalise.text import Damage

CHUNK_CHARS = 64_000_000
MAX_ELEMENT_CHARS = 16_000_000  # a longer element is a bomb or no log; it is kept as unread, in pieces
NAME = r"[A-Za-z_][\w.:-]*"
ATTRIBUTES = rf"(?:\s+{NAME}\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*"
ATTRIBUTE = re.compile(rf"({NAME})\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
NO_RECORD = rf"<\?.*?\?>|<!--.*?-->|</?(?!{{element}}[\s>/]){NAME}{ATTRIBUTES}\s*>|\s+"
TOKEN = re.compile(
    rf"<(?P<end>/)?(?P<name>{NAME})(?P<attributes>{ATTRIBUTES})\s*(?P<empty>/)?>"
    r"|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<\?.*?\?>|<!--.*?-->|(?P<text>[^<]+)",
    re.DOTALL,
)
ENTITY = re.compile(r"&(?:(lt|gt|quot|apos|amp)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));")
ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
NO_END = "an element without its end"
BETWEEN = "text that is no whole element"


def xml_records(text: Iterable[str | Damage], element: str) -> Iterator[Records]:
    """Cut text into its elements of one name.

    Parameters
    ----------
    text
        Blocks as `read_text` yields them.
    element
        The name of the element that is a record.
    """
    cutter = _Cutter(element)
    damage = None
    for block in text:
        if isinstance(block, Damage):
            damage = block
            break
        cutter.feed(block)
        if cutter.chars >= CHUNK_CHARS or len(cutter.records.raws) >= CHUNK_RECORDS:
            yield cutter.take()
    cutter.finish()
    if damage:
        cutter.records.add_broken("", damage.reason)
    yield cutter.take()


@dataclass
class _Cutter:
    """What is read and not yet cut, and the records cut so far."""

    element: str
    rest: str = ""
    chars: int = 0
    at_start: bool = True
    records: Gathering = field(default_factory=Gathering)

    def __post_init__(self) -> None:
        name = re.escape(self.element)
        self.tag = re.compile(rf"<{name}(?=[\s>/])|</{name}\s*>")
        self.no_record = re.compile(NO_RECORD.format(element=name), re.DOTALL)

    def take(self) -> Records:
        taken, self.records, self.chars = self.records.records(), Gathering(), 0
        return taken

    def feed(self, block: str) -> None:
        """Cut what is whole by now; the rest waits for more."""
        text = self.rest + block
        self.chars += len(block)
        done, start = 0, -1
        for tag in self.tag.finditer(text):
            if tag.group().startswith("</"):
                if start >= 0:
                    header = self._between(text[done:start])
                    self.records.raws.append(header + text[start : tag.end()])
                    done, start = tag.end(), -1
                continue
            if start >= 0:
                self._torn(self._between(text[done:start]), text[start : tag.start()])
                done = tag.start()
            start = tag.start()
        self.rest = text[done:]
        if len(self.rest) > MAX_ELEMENT_CHARS:
            self.records.add_broken(self.rest, f"part of an element longer than {MAX_ELEMENT_CHARS:,} characters")
            self.rest = ""

    def finish(self) -> None:
        """The text has ended: what is left holds no whole element."""
        found = next((tag for tag in self.tag.finditer(self.rest) if not tag.group().startswith("</")), None)
        if found:
            self._torn(self._between(self.rest[: found.start()]), self.rest[found.start() :])
        else:
            self._between(self.rest, at_end=True)

    def _torn(self, header: str, raw: str) -> None:
        kept = raw.rstrip()
        self.records.add_broken(header + kept, NO_END)
        self._between(raw[len(kept) :])

    def _between(self, text: str, at_end: bool = False) -> str:
        """Count and keep what stands before an element, or behind the last; give the header on its own line."""
        lines = text.split("\n")
        ends = len(lines) - (1 if not at_end or not lines[-1] else 0)
        self.records.blank += sum(not line.strip() for line in lines[0 if self.at_start else 1 : ends])
        self.at_start = False
        if self.holds_nothing(text):
            return ""
        header = "" if at_end or self.tag.search(lines[-1]) or self.holds_nothing(lines[-1]) else lines[-1]
        before = text[: len(text) - len(header)]
        if not self.holds_nothing(before):
            self.records.add_broken(before.strip(), BETWEEN)
        return header

    def holds_nothing(self, text: str) -> bool:
        """Whether text is made of white space, comments and the tags around records; the first other word ends it."""
        position = 0
        while position < len(text):
            found = self.no_record.match(text, position)
            if not found:
                return False
            position = found.end()
        return True


def xml_json(raw: str, element: str) -> str | None:
    """The fields of a record as JSON text; None where it is no whole element."""
    found = xml_fields(raw, element)
    return None if found is None else json.dumps(found)


def xml_fields(raw: str, element: str) -> dict[str, dict[str, str]] | None:
    """The fields of an element, by the child that holds them; None where it is no whole element.

    Text stands under the name of its element, attributes under that name, an underscore and their own:
    `<System><Provider Name="x"/></System>` is `{"System": {"Provider_Name": "x"}}`. An element `Data` is named by its
    attribute `Name`; without one it is `param1`, `param2`, …. The first value of a name counts.
    """
    begin = re.search(rf"<{re.escape(element)}(?=[\s>/])", raw)
    if not begin:
        return None
    reader = _Reader()
    position = begin.start()
    while position < len(raw):
        token = TOKEN.match(raw, position)
        if not token or not reader.take(token):
            return None
        position = token.end()
    return reader.groups if not reader.open_tags and reader.groups else None


class _Reader:
    """Follows the tags of one record."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, str]] = {}
        self.open_tags: list[tuple[str, str]] = []  # name of the tag, name of its text
        self.texts: list[str] = []
        self.unnamed = 0

    def take(self, token: re.Match[str]) -> bool:
        """Whether the token may stand here."""
        name = token["name"]
        if name is None:
            self.texts.append(token["cdata"] or _plain(token["text"] or ""))
            return bool(self.open_tags)
        if not token["end"]:
            self._begin(name, token["attributes"])
        if token["end"] or token["empty"]:
            return self._end(name)
        return True

    def _begin(self, name: str, attributes: str) -> None:
        said = {key: _plain(double or single) for key, double, single in ATTRIBUTE.findall(attributes)}
        self.texts = []
        if len(self.open_tags) == 1:
            self.groups.setdefault(name, {})
        self.open_tags.append((name, self._name_of(name, said)))
        if len(self.open_tags) > 2 and name != "Data":
            for key, value in said.items():
                self.groups[self.open_tags[1][0]].setdefault(f"{name}_{key}", value)

    def _name_of(self, name: str, said: dict[str, str]) -> str:
        if name != "Data":
            return name
        if "Name" not in said:
            self.unnamed += 1
        return said.get("Name", f"param{self.unnamed}")

    def _end(self, name: str) -> bool:
        if not self.open_tags or self.open_tags[-1][0] != name:
            return False
        _, key = self.open_tags.pop()
        text = "".join(self.texts)
        if len(self.open_tags) >= 2 and text.strip():
            self.groups[self.open_tags[1][0]].setdefault(key, text)
        self.texts = []
        return True


def _plain(text: str) -> str:
    """Text with the entities of XML written out, and line ends as XML has them."""
    text = text.replace("\r\n", "\n")
    return ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    if entity[1]:
        return ENTITIES[entity[1]]
    code = int(entity[2]) if entity[2] else int(entity[3], 16)
    legal = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0x110000
    return chr(code) if legal else entity.group()


__all__ = ["xml_fields", "xml_json", "xml_records"]
