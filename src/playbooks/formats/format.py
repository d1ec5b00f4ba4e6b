"""What a log format is: a sentence, a mark, and a SELECT list over named fields.

Bytes become records (`cut`), a record becomes named text fields (the struct `r`), and `columns` maps
these fields to the columns of one table. A format holds no code; `playbooks.normalise` runs it.

In `columns` every line is `expression AS column,`. Besides DuckDB's functions it may use the macros
of `MACROS`. An expression that fails on a record (a count that is no number) makes that record
unread with the column named; it never becomes a silent NULL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Clock(Enum):
    """Where the zone of a stamp comes from."""

    IN_THE_STAMP = "in the stamp"
    ASK = "the case must say (`clock:` in case.yaml)"


@dataclass(frozen=True)
class TextLines:
    """One record a line; `pattern` (RE2, named groups) is the mark and gives the fields."""

    pattern: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(re.compile(self.pattern).groupindex)


@dataclass(frozen=True)
class Json:
    """JSON objects: one a line, an array, concatenated, or inside an envelope object.

    `keys` must be there (the mark); `any_of` lists keys of which one must be there (empty: no such
    rule). `shape` is the structure read into `r`, as DuckDB's json_transform takes it. `envelopes` are
    keys of an outer object whose array holds the records; `nested` is a key whose text is the record.
    """

    keys: frozenset[str]
    shape: str
    any_of: frozenset[str] = frozenset()
    envelopes: tuple[str, ...] = ()
    nested: str | None = None


@dataclass(frozen=True)
class Zeek:
    """A Zeek log as Zeek writes it: tab-separated under a `#fields` header, or JSON lines.

    `path` is the log's name in the header. JSON has no such name: `keys` and `any_of` tell it, as in
    `Json`. In `r` the dots of names are underscores (`id.orig_h` is `r.id_orig_h`), unset is NULL.
    """

    path: str
    fields: tuple[str, ...]
    keys: frozenset[str]
    any_of: frozenset[str]


@dataclass(frozen=True)
class Columns:
    """Lines of columns: `header` names them in a first line, or `default` where there is none.

    `keys` must be among the names of a header; without one, a line must have exactly the columns of
    `default` and match `default_mark`. `delimiter` is " " or "," (comma: quoted as CSV).
    """

    delimiter: str
    fields: tuple[str, ...]
    keys: frozenset[str]
    default: tuple[str, ...] = ()
    default_mark: str = ""


Cut = TextLines | Json | Zeek | Columns


@dataclass(frozen=True)
class Format:
    """One log format.

    `status` lists (condition over `r`, reason): records that are whole but say that they hold no
    event. `shows` and `cannot_show` are what `playbooks formats` prints.
    """

    name: str
    product: str
    table: str
    cut: Cut
    clock: Clock
    columns: str
    shows: str
    cannot_show: str
    reference: str
    status: tuple[tuple[str, str], ...] = ()

    def select(self) -> dict[str, str]:
        """Column → SQL expression, in the order written."""
        text = re.sub(r"--[^\n]*", "", self.columns)
        parts = re.findall(r"(.+?)\s+AS\s+([a-z][a-z0-9_]*)\s*(?:,|\Z)", text.strip(), re.DOTALL)
        return {name: expression.strip() for expression, name in parts}


MACROS = r"""
-- text that says "nothing"
CREATE MACRO said(t) AS CASE WHEN trim(t) IN ('', '-', '(empty)', 'null') THEN NULL ELSE t END;
-- an expression that fails, so that the record becomes unread with the column named
CREATE MACRO refused(t) AS CAST(CAST('refused: ' || coalesce(t, 'nothing') AS INTEGER) AS VARCHAR);
CREATE MACRO whole(t) AS CAST(said(t) AS BIGINT);
CREATE MACRO port(t) AS CAST(CAST(said(t) AS USMALLINT) AS INTEGER);
CREATE MACRO millis(t) AS CAST(round(CAST(said(t) AS DOUBLE) * 1000) AS BIGINT);
CREATE MACRO address(t) AS regexp_replace(lower(said(t)), '^::ffff:(\d+\.\d+\.\d+\.\d+)$', '\1');
CREATE MACRO hostname(t) AS rtrim(lower(said(t)), '.');
-- epoch seconds, milliseconds, microseconds or nanoseconds (told apart by size), or ISO 8601 with a zone
CREATE MACRO epoch_scale(n) AS CASE
    WHEN abs(n) < 100000000000 THEN 1000000
    WHEN abs(n) < 100000000000000 THEN 1000
    WHEN abs(n) < 100000000000000000 THEN 1
    ELSE 0.001 END;
CREATE MACRO epoch_time(t) AS
    make_timestamptz(CAST(CAST(said(t) AS DECIMAL(30, 9)) * epoch_scale(CAST(said(t) AS DOUBLE)) AS BIGINT));
CREATE MACRO iso_time(t) AS CASE
    WHEN regexp_matches(t, '(Z|z|[+-]\d\d:?\d\d)$') THEN CAST(t AS TIMESTAMPTZ) END;
CREATE MACRO stamp(t) AS CASE WHEN regexp_matches(t, '^-?\d+(\.\d+)?$') THEN epoch_time(t) ELSE iso_time(t) END;
-- a stamp without zone, in the zone that the case states; NULL where the case states none
CREATE MACRO case_clock(t) AS timezone(nullif(getvariable('case_clock'), ''), CAST(t AS TIMESTAMP));
CREATE MACRO listed(t) AS CASE
    WHEN said(t) IS NULL THEN NULL
    -- JSON logs hold a list; in text a first answer may begin with the same bracket
    WHEN t LIKE '[%' AND json_valid(t) THEN CAST(CAST(t AS JSON) AS VARCHAR[])
    ELSE string_split(t, ',') END;
CREATE MACRO protocol(n) AS CASE CAST(said(n) AS INTEGER)
    WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmp6' ELSE CAST(n AS VARCHAR) END;
-- host and port of a URL, of "host:port", and of "[v6]:port"
CREATE MACRO url_host(u) AS hostname(regexp_extract(
    u, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#\[\]]+)', 1));
CREATE MACRO url_port(u) AS CASE
    WHEN regexp_matches(u, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#\[\]]+):\d+(?:[/?#]|$)')
    THEN port(regexp_extract(u, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?(?:\[[^\]]*\]|[^:/?#\[\]]+):(\d+)', 1))
    WHEN u LIKE 'https:%' THEN 443 WHEN u LIKE 'http:%' THEN 80 END;
CREATE MACRO is_address(t) AS regexp_matches(t, '^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$');
"""
