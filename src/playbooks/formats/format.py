"""What a log format is: a sentence, a mark, and a SELECT list over named fields.

Bytes become records (`cut`), a record becomes named text fields (the struct `r`), and `columns` maps
these fields to the columns of one table. A format holds no code; `playbooks.normalise` runs it.

In `columns` every line is `expression AS column,`. Besides DuckDB's functions it may use the macros
of `macros.MACROS`. An expression never raises an error, whatever the record holds: only macros cast text.
Where a macro cannot read a text (a count that is no number) it gives the value of `REFUSED`, and the
record becomes unread with the column named; it never becomes a silent NULL.

Guards stand inside the argument (`f(CASE WHEN fits THEN t END)`): DuckDB may evaluate a branch of
CASE for rows that do not take it, and its TRY(…) is slow on bad rows and has crashed (1.5.6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Clock(Enum):
    """Where the zone of a stamp comes from."""

    IN_THE_STAMP = "in the stamp"
    ASK = "in the stamp; where it was lost, the case must say (`clock:` in case.yaml)"


@dataclass(frozen=True)
class TextLines:
    """One record a line; `pattern` (RE2, named groups) is the mark and gives the fields.

    Where several lines tell one event, `joined` is a pattern whose first group is the same in all of them: lines
    that follow each other are one record then, and `pattern` must fit the first line as it fits all. Lines that
    begin with `comment` (where it is not empty) are no records.
    """

    pattern: str
    joined: str = ""
    comment: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(re.compile(self.pattern).groupindex)


@dataclass(frozen=True)
class Json:
    """JSON objects: one a line, an array, concatenated, or inside an envelope object.

    `keys` must be there (the mark); `any_of` lists keys of which one must be there (empty: no such
    rule). `shape` is the structure read into `r`, as DuckDB's json_transform takes it. `envelopes` are
    keys of an outer object whose array holds the records (or an object that has such a key), `#` stands for every
    key that is a number; `nested` is a key whose
    object, or its text, is the record.
    `only` belongs to the mark too: (path with dots, pattern that the text there must match as a whole).
    `csv`: a CSV with these names in its header is read as well. Names know no case there, a cell that holds an
    object or a list is its value, and ` [UTC]` behind a name says the zone of the stamps below it.
    `dotted`: a name such as `source.ip` stands for `ip` inside `source`.
    """

    keys: frozenset[str]
    shape: str
    any_of: frozenset[str] = frozenset()
    envelopes: tuple[str, ...] = ()
    nested: str | None = None
    only: tuple[tuple[str, str], ...] = ()
    csv: bool = False
    dotted: bool = False


@dataclass(frozen=True)
class Pairs:
    """One record a line, made of names and values; `keys`, `any_of` and `only` are the mark, as in `Json`.

    `keyvalue`: `name=value name2="value with spaces"`; what stands before the first pair is `prefix`.
    `cef`: the header is `cef_vendor, cef_product, cef_version, cef_signature, cef_name, cef_severity`; the
    word `CEF:` may be cut off. `leef`: `leef_vendor, leef_product, leef_version, leef_event`. In `r` (and in
    `fields`, `keys`, `only`) everything of a name but letters, digits and underscore is an underscore.
    """

    style: Literal["keyvalue", "cef", "leef"]
    fields: tuple[str, ...]
    keys: frozenset[str]
    any_of: frozenset[str] = frozenset()
    only: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class W3c:
    """W3C extended log: a `#Fields:` line names what follows, separated by blanks (quoted) or tabs.

    Names are lower case with underscores: `cs(User-Agent)` is `r.cs_user_agent`, `c-ip` is `r.c_ip`.
    `keys` must be among them, and none of `never`.
    """

    fields: tuple[str, ...]
    keys: frozenset[str]
    never: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Zeek:
    """A Zeek log as Zeek writes it: tab-separated under a `#fields` header, or JSON lines.

    `path` is the log's name in the header; without one every log fits whose name is none of `never`. JSON has
    such a name only as `_path`; else `keys` and `any_of` tell it, as in `Json`. In `r` the dots of names are
    underscores (`id.orig_h` is `r.id_orig_h`), unset is NULL; `_path` is the name, from the header too.
    """

    path: str
    fields: tuple[str, ...]
    keys: frozenset[str]
    any_of: frozenset[str]
    never: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Columns:
    """Lines of columns: `header` names them in a first line, or `default` where there is none.

    `keys` must be among the names of a header; without one, a line must have exactly the columns of
    `default` and match `default_mark`. `delimiter` is " " or "," (comma: quoted as CSV). Lines that begin with
    `comment` (where it is not empty) are no records, but one of them may hold the header; blanks behind a comma
    are then no part of a cell.
    """

    delimiter: str
    fields: tuple[str, ...]
    keys: frozenset[str]
    default: tuple[str, ...] = ()
    default_mark: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Xml:
    """Elements of XML: one a line, over several lines, or all in one line; `element` is the name of a record.

    In `r` the fields stand by the child that holds them, as `xml_records.xml_fields` says:
    `r.System.EventID`, `r.EventData.Image`. `keys`, `only` and `shape` are as in `Json`.
    """

    element: str
    keys: frozenset[str]
    shape: str
    any_of: frozenset[str] = frozenset()
    only: tuple[tuple[str, str], ...] = ()


Cut = TextLines | Json | Zeek | Columns | Pairs | W3c | Xml


@dataclass(frozen=True)
class Part:
    """The records of one kind in a log of many kinds: those for which `when` (SQL over `r`) holds.

    `each` is for a record that holds several events: an SQL list over `r`, of which every entry is an event
    with the record's number; `columns` name the entry `item`. A record whose list is empty is unread.
    `expressions` stand in the place of `columns` in own formats: (column, expression) for each.
    """

    table: str
    when: str
    columns: str
    each: str = ""
    expressions: tuple[tuple[str, str], ...] = ()

    def select(self) -> dict[str, str]:
        """Column → SQL expression, in the order written."""
        if self.expressions:
            return dict(self.expressions)
        text = re.sub(r"--[^\n]*", "", self.columns)
        parts = re.findall(r"(.+?)\s+AS\s+([a-z][a-z0-9_]*)\s*(?:,|\Z)", text.strip(), re.DOTALL)
        return {name: expression.strip() for expression, name in parts}


@dataclass(frozen=True)
class Format:
    """One log format.

    A log of one kind has `table` and `columns`. A log of many kinds has `parts` instead, each with its
    table; a record that belongs to none of them is unread, and `kind` (SQL over `r`) names it there.
    `status` lists (condition over `r`, reason): records that are whole but say that they hold no event.
    `undated` (SQL over `r`) tells the records that hold no stamp at all: they are events without a time. A
    stamp that is there and cannot be read, or lacks its zone, still makes its record unread.
    `ends` says that a record is stamped when what it tells is over: `duration_ms` leads back to its start.
    `general` formats stand for many products: such a one is chosen only where no other fits.
    `each` is that of a log of one kind (see `Part`). `shows` and `cannot_show` are what `playbooks formats` prints.
    `sha256` is the digest of the file of an own format (`playbooks.normalise.own_formats`), empty for those of the kit.
    """

    name: str
    product: str
    cut: Cut
    clock: Clock
    shows: str
    cannot_show: str
    reference: str
    table: str = ""
    columns: str = ""
    kind: str = "''"
    parts: tuple[Part, ...] = ()
    status: tuple[tuple[str, str], ...] = ()
    undated: str = "false"
    ends: bool = False
    each: str = ""
    general: bool = False
    expressions: tuple[tuple[str, str], ...] = ()
    sha256: str = ""

    @property
    def every_part(self) -> tuple[Part, ...]:
        """The parts; a log of one kind is its own only part."""
        return self.parts or (Part(self.table, "true", self.columns, self.each, self.expressions),)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that its records go to, each once."""
        return tuple(dict.fromkeys(part.table for part in self.every_part))
