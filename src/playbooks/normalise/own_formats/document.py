"""The YAML of an own format: what it may hold, and every fault of it named with line and field."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from playbooks.case_file import MESSAGES
from playbooks.errors import CaseError
from playbooks.schema import EVENT_TABLES, INDICATORS
from playbooks.yaml_places import line_of, refuse_repeated_keys

HOW_TO = "docs/how-to/own-format.md"
MAX_BYTES = 64 * 1024
MAX_INSIDE = 12
TABLES = (*EVENT_TABLES, INDICATORS.name)
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
LEAVES = {"text": "VARCHAR", "texts": ["VARCHAR"], "json": "JSON"}
Loc = tuple[int | str, ...]
Fault = tuple[Loc, str]


class NotValid(ValueError):
    """Faults of an own format: where each stands in its YAML, and what was expected."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(message for _, message in self.faults))


def _words(text: str) -> str:
    if not text.strip() or not all(char.isprintable() for char in text.replace("\n", " ")):
        raise ValueError("expected words that can be printed")
    return " ".join(text.split())


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError("expected 2 to 40 lower-case letters, digits and underscores, a letter first")
    return text


def _field(text: str) -> str:
    if not text.isprintable() or not text.strip() or set(text) & set("\"'\\{}`;"):
        raise ValueError("expected the name of a field, without quotes, braces, backslash and semicolon")
    return text


def _table(text: str) -> str:
    if text not in TABLES:
        raise ValueError(f"no such table; expected one of {', '.join(TABLES)}")
    return text


def _columns(columns: object) -> object:
    if isinstance(columns, str):
        return columns
    if not isinstance(columns, dict):
        raise ValueError("expected column: expression for each, or an SQL list as text")
    if wrong := [name for name, text in columns.items() if not isinstance(name, str) or not isinstance(text, str)]:
        raise ValueError(f"{wrong[0]!r:.60}: expected an expression as text, such as said(r.name)")
    return columns


def _json_fields(fields: object) -> object:
    if isinstance(fields, list) and fields and all(isinstance(name, str) for name in fields):
        return [_field(name) for name in fields]
    if not isinstance(fields, dict) or not fields:
        raise ValueError(f"expected a list of names, or names with {', '.join(LEAVES)} or names inside them")
    return fields


Words = Annotated[str, Field(max_length=500), AfterValidator(_words)]
Name = Annotated[str, AfterValidator(_name)]
FieldName = Annotated[str, Field(max_length=100), AfterValidator(_field)]
TableName = Annotated[str, AfterValidator(_table)]
Pattern = Annotated[str, Field(min_length=1, max_length=4_000)]
Fields = Annotated[list[FieldName], Field(min_length=1, max_length=500)]
Names = Annotated[list[FieldName], Field(max_length=100)]
Only = Annotated[dict[FieldName, Pattern], Field(max_length=20)]
Columns = Annotated[Any, AfterValidator(_columns)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Lines(_Section):
    """One record a line; `pattern` is the mark, its named groups are the fields."""

    layout: Literal["lines"]
    pattern: Pattern


class JsonObjects(_Section):
    """JSON objects; `fields` lists names of text, or nests names with `text`, `texts` or `json`."""

    layout: Literal["json"]
    fields: Annotated[Any, AfterValidator(_json_fields)]
    keys: Names
    any_of: Names = []
    only: Only = {}
    envelopes: Names = []
    nested: FieldName | None = None


class NamedValues(_Section):
    """Lines of names and values."""

    layout: Literal["keyvalue", "cef", "leef"]
    fields: Fields
    keys: Names
    any_of: Names = []
    only: Only = {}


class W3cLines(_Section):
    """Lines under a `#Fields:` line."""

    layout: Literal["w3c"]
    fields: Fields
    keys: Names
    never: Names = []


class ZeekLines(_Section):
    """A log that Zeek writes, as text or JSON."""

    layout: Literal["zeek"]
    path: FieldName
    fields: Fields
    keys: Names
    any_of: Names = []


class Delimited(_Section):
    """Lines of columns under a header line, or with `default` names and `default_mark` where there is none."""

    layout: Literal["columns"]
    delimiter: Annotated[str, Field(min_length=1, max_length=1)]
    fields: Fields
    keys: Names
    default: Names = []
    default_mark: Annotated[str, Field(max_length=4_000)] = ""

    @model_validator(mode="after")
    def _default_is_whole(self) -> Delimited:
        if bool(self.default) != bool(self.default_mark):
            raise ValueError(
                "default and default_mark go together: the names, and the pattern of a line without header"
            )
        return self


Cut = Annotated[Lines | JsonObjects | NamedValues | W3cLines | ZeekLines | Delimited, Field(discriminator="layout")]


class PartOf(_Section):
    """The records for which `when` holds, in a log of many kinds."""

    table: TableName
    when: str
    columns: Columns
    each: str = ""


class Status(_Section):
    """Records that say that they hold no event."""

    when: str
    reason: Words


class Document(_Section):
    """The content of the YAML file."""

    name: Name
    product: Words
    cut: Cut
    clock: Literal["in_the_stamp", "ask"]
    shows: Words
    cannot_show: Words
    reference: Words
    table: TableName | None = None
    columns: Columns = ""
    each: str = ""
    parts: Annotated[list[PartOf], Field(max_length=30)] = []
    kind: str = ""
    status: Annotated[list[Status], Field(max_length=30)] = []
    undated: str = ""

    @model_validator(mode="after")
    def _one_or_many(self) -> Document:
        if self.parts and (self.table or self.columns or self.each):
            raise ValueError("expected table and columns, or parts (each with its own), and not both")
        if not self.parts and not (self.table and self.columns):
            raise ValueError("expected table and columns, or parts")
        if bool(self.parts) != bool(self.kind):
            raise ValueError("kind goes with parts: it names a record that belongs to none of them")
        return self


def read_document(raw: bytes, label: str) -> tuple[Document, yaml.Node | None]:
    """Read and validate the YAML of an own format; every fault is listed with its line.

    Raises
    ------
    CaseError
        It is too large, no YAML, or not as `Document` says.
    """
    try:
        text = raw.decode("utf-8-sig")
        _refuse_tricks(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        refuse_repeated_keys(node)
        data = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise CaseError(f"{label}: not UTF-8 text ({error}). Save it as UTF-8.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise CaseError(f"{label}: not valid YAML: {error}. Correct it and run again; see {HOW_TO}.") from error
    if not isinstance(data, dict):
        raise CaseError(f"{label}: expected fields such as `name: my_log`, found {type(data).__name__}; see {HOW_TO}.")
    try:
        return Document.model_validate(data), node
    except ValidationError as error:
        raise faults_of(label, node, [_fault(one) for one in error.errors(include_url=False)]) from error


def read_bytes(file: Path, label: str) -> bytes:
    """The content of a file, which is a plain one and not too large.

    Raises
    ------
    CaseError
        It is a link, no plain file, too large, or cannot be read.
    """
    try:
        if file.is_symlink() or not file.is_file():
            raise CaseError(f"{label}: a link or no plain file. Expected a YAML file of its own; copy it there.")
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CaseError(f"{label}: cannot be read: {error.strerror}. Expected a YAML file; see {HOW_TO}.") from error
    if len(raw) > MAX_BYTES:
        raise CaseError(f"{label}: larger than {MAX_BYTES:,} bytes. Expected the description of one log; see {HOW_TO}.")
    return raw


def _refuse_tricks(text: str) -> None:
    """Anchors, aliases and tags make small files large or strange; a format needs none of them."""
    inside = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        where = f"line {event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ValueError(f"{where}: anchors and aliases (& and *) are not read here; write the value out")
        if getattr(event, "tag", None):
            raise ValueError(f"{where}: tags (!…) are not read here; write the plain value")
        inside += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if inside > MAX_INSIDE:
            raise ValueError(f"{where}: more than {MAX_INSIDE} levels inside each other")


def _fault(error: Any) -> Fault:
    message = MESSAGES.get(error["type"], error["msg"].removeprefix("Value error, "))
    told = error["type"] in ("missing", "extra_forbidden") or isinstance(error["input"], dict | list)
    return tuple(error["loc"]), message if told else f"{message}; found {error['input']!r:.80}"


def faults_of(label: str, node: yaml.Node | None, faults: Iterable[Fault]) -> CaseError:
    """The error that lists faults with line and field."""
    layouts = {name for section in Cut.__args__[0].__args__ for name in _layouts(section)}
    lines = [f"{label} is not valid:"]
    for loc, message in faults:
        loc = tuple(part for place, part in enumerate(loc) if not (loc[0] == "cut" and place == 1 and part in layouts))
        field = ".".join(str(part) for part in loc) or "(whole file)"
        lines.append(f"  line {line_of(node, loc)}, field {field}: {message}")
    return CaseError("\n".join([*lines, f"Correct these fields and run again; the how-to is {HOW_TO}."]))


def _layouts(section: type[BaseModel]) -> tuple[str, ...]:
    names: tuple[str, ...] = section.model_fields["layout"].annotation.__args__  # type: ignore[union-attr]
    return names
