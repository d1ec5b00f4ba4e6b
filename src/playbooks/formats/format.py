"""What a log format is: a sentence, a mark, and a SELECT list over named fields.

Bytes become records (`cut`), a record becomes named text fields (the struct `r`), and `columns` maps
these fields to the columns of one table. A format holds no code; `playbooks.normalise` runs it.

In `columns` every line is `expression AS column,`. Besides DuckDB's functions it may use the macros
of `MACROS`. An expression never raises an error, whatever the record holds: only macros cast text.
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
    keys of an outer object whose array holds the records (or an object that has such a key); `nested` is a key whose
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


REFUSED: dict[str, str] = {
    "VARCHAR": "chr(0) || 'refused'",
    "BIGINT": "-9223372036854775807",
    "INTEGER": "-2147483647",
    "TIMESTAMPTZ": "'-infinity'::TIMESTAMPTZ",
}
"""What a macro gives, by type, where it cannot read a text: values that stand in no log."""

BLANKS = r"[ \x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]*"
"""RE2: what DuckDB's `trim` takes away."""

MACROS = rf"""
CREATE MACRO refused_text() AS {REFUSED["VARCHAR"]};
CREATE MACRO refused_whole() AS {REFUSED["BIGINT"]}::BIGINT;
CREATE MACRO refused_small() AS {REFUSED["INTEGER"]}::INTEGER;
CREATE MACRO refused_time() AS {REFUSED["TIMESTAMPTZ"]};
-- text that says "nothing", between blanks of any kind; without a group to capture a pattern costs a fifth
CREATE MACRO said(t) AS CASE WHEN NOT regexp_matches(t, '^{BLANKS}(?:-|\(empty\)|null)?{BLANKS}$') THEN t END;
CREATE MACRO whole(t) AS CASE WHEN said(t) IS NOT NULL THEN coalesce(TRY_CAST(t AS BIGINT), refused_whole()) END;
CREATE MACRO amount(t) AS CASE WHEN said(t) IS NOT NULL
    THEN coalesce(CASE WHEN TRY_CAST(t AS BIGINT) >= 0 THEN TRY_CAST(t AS BIGINT) END, refused_whole()) END;
CREATE MACRO small(t) AS CASE WHEN said(t) IS NOT NULL THEN coalesce(TRY_CAST(t AS INTEGER), refused_small()) END;
CREATE MACRO port(t) AS CASE WHEN said(t) IS NOT NULL
    THEN coalesce(CAST(TRY_CAST(t AS USMALLINT) AS INTEGER), refused_small()) END;
CREATE MACRO percent(t) AS CASE WHEN said(t) IS NOT NULL
    THEN CASE WHEN TRY_CAST(t AS INTEGER) BETWEEN 0 AND 100 THEN TRY_CAST(t AS INTEGER) ELSE refused_small() END END;
CREATE MACRO millis(t) AS CASE WHEN said(t) IS NOT NULL
    THEN coalesce(TRY_CAST(round(TRY_CAST(t AS DOUBLE) * 1000) AS BIGINT), refused_whole()) END;
CREATE MACRO millis_between(a, b) AS CASE WHEN said(a) IS NOT NULL AND said(b) IS NOT NULL
    THEN coalesce((TRY_CAST(b AS UINTEGER)::BIGINT - TRY_CAST(a AS UINTEGER)::BIGINT) * 1000,
                  TRY_CAST((TRY_CAST(b AS BIGINT)::HUGEINT - TRY_CAST(a AS BIGINT)::HUGEINT) * 1000 AS BIGINT),
                  refused_whole()) END;
CREATE MACRO address(t) AS regexp_replace(lower(said(t)), '^::ffff:(\d+\.\d+\.\d+\.\d+)$', '\1');
-- an address behind which a port may stand: 192.0.2.1:443, [2001:db8::1]:443
CREATE MACRO address_before_port(t) AS
    address(regexp_replace(t, '^(?:(\d+\.\d+\.\d+\.\d+)|\[([^\]]+)\])(?::\d+)?$', '\1\2'));
CREATE MACRO hostname(t) AS regexp_replace(lower(said(t)), '\.+$', '');
-- epoch seconds, milliseconds, microseconds or nanoseconds, told apart by size; whole numbers stay exact
CREATE MACRO epoch_scale(n) AS CASE WHEN n < 1e11 THEN 1000000 WHEN n < 1e14 THEN 1000 ELSE 1 END;
CREATE MACRO epoch_micros(t) AS CASE
    WHEN abs(TRY_CAST(t AS DOUBLE)) >= 1e17 THEN TRY_CAST(t AS HUGEINT) // 1000
    WHEN contains(t, '.')
    THEN TRY_CAST(round(TRY_CAST(t AS DOUBLE) * epoch_scale(abs(TRY_CAST(t AS DOUBLE)))) AS HUGEINT)
    ELSE TRY_CAST(t AS BIGINT)::HUGEINT * epoch_scale(abs(TRY_CAST(t AS DOUBLE))) END;
-- years 1 to 9999
CREATE MACRO bounded(ts) AS CASE
    WHEN ts BETWEEN '0001-01-01 00:00:00Z'::TIMESTAMPTZ AND '9999-12-31 23:59:59.999999Z'::TIMESTAMPTZ THEN ts END;
CREATE MACRO moment(micros) AS make_timestamptz(CAST(
    CASE WHEN micros BETWEEN -62135596800000000 AND 253402300799999999 THEN micros END AS BIGINT));
-- a value under CASE is computed row by row: the usual case stands outside of it, four times as fast
CREATE MACRO epoch_time(t) AS coalesce(moment(epoch_micros(t)), CASE WHEN said(t) IS NOT NULL THEN refused_time() END);
CREATE MACRO digits_of(t) AS CASE WHEN regexp_matches(t, '^-?\d+(\.\d+)?$') THEN t END;
CREATE MACRO iso_time(t) AS CASE WHEN ends_with(t, 'Z') OR regexp_matches(t, '(Z|z|[+-]\d\d:?\d\d)$')
    THEN coalesce(bounded(TRY_CAST(t AS TIMESTAMPTZ)), refused_time()) END;
CREATE MACRO read_time(t, layout) AS
    CASE WHEN said(t) IS NOT NULL THEN coalesce(bounded(try_strptime(t, layout)::TIMESTAMPTZ), refused_time()) END;
-- a stamp without zone, in the zone that the case states; NULL where the case states none
CREATE MACRO case_clock(t) AS CASE WHEN nullif(getvariable('case_clock'), '') IS NOT NULL AND said(t) IS NOT NULL
    THEN coalesce(timezone(nullif(getvariable('case_clock'), ''), CASE WHEN year(TRY_CAST(t AS TIMESTAMP))
                  BETWEEN 1 AND 9998 THEN TRY_CAST(t AS TIMESTAMP) END), refused_time()) END;
-- "Tue Mar 10 09:00:00 2026" as "2026-03-10 09:00:00"; other text stays as it is
CREATE MACRO ctime_iso(t) AS coalesce(strftime(try_strptime(
    regexp_replace(trim(t), ' +', ' ', 'g'), '%a %b %d %H:%M:%S %Y'), '%Y-%m-%d %H:%M:%S'), t);
-- any of these: a number since the epoch, a stamp with a zone, a stamp in the zone that the case states
CREATE MACRO stamp(t) AS coalesce(moment(epoch_micros(digits_of(t))), CASE
    WHEN digits_of(t) IS NOT NULL THEN refused_time()
    WHEN regexp_matches(t, '(Z|z|[+-]\d\d:?\d\d)$') THEN iso_time(t)
    ELSE case_clock(t) END);
-- "3/10/2026, 9:00:00.000 AM", as Microsoft's portals write it in American English, as ISO; other text stays as it is
CREATE MACRO portal_iso(t) AS coalesce(strftime(try_strptime(
    regexp_replace(regexp_replace(t, 'Z$', ''), ', ', ' '), ['%m/%d/%Y %I:%M:%S.%f %p', '%m/%d/%Y %I:%M:%S %p']),
    '%Y-%m-%dT%H:%M:%S.%f') || CASE WHEN t LIKE '%Z' THEN 'Z' ELSE '' END, t);
-- JSON logs hold a list; in text a first answer may begin with the same bracket
CREATE MACRO json_list(t) AS json_transform(CASE WHEN t LIKE '[%' AND json_valid(t) THEN t END, '["VARCHAR"]');
CREATE MACRO listed(t) AS CASE WHEN said(t) IS NOT NULL THEN coalesce(json_list(t), string_split(t, ',')) END;
-- the time to live of each answer; what is no number is null
CREATE MACRO ttls(texts) AS nullif(list_transform(texts, lambda t: TRY_CAST(TRY_CAST(t AS DOUBLE) AS BIGINT)), []);
-- of a JSON list of answers; null where not each of them has data and a time to live
CREATE MACRO answer_ttls(answers, value) AS CASE
    WHEN len(json_extract_string(answers, '$[*].ttl')) = len(json_extract_string(answers, '$[*].' || value))
    THEN ttls(json_extract_string(answers, '$[*].ttl')) END;
CREATE MACRO protocol(n) AS CASE WHEN said(n) IS NULL THEN NULL
    WHEN TRY_CAST(n AS UTINYINT) IS NULL THEN refused_text() ELSE CASE TRY_CAST(n AS UTINYINT)
    WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmp6' ELSE n END END;
-- host and port of a URL, of "host:port", and of "[v6]:port". Only one that holds a user or a bracket wants the whole
-- pattern, at five times the cost. A list has a costly part computed once, where a name that is used twice under
-- CASE would have it computed twice
CREATE MACRO url_is_plain(u) AS NOT (contains(u, '@') OR contains(u, '['));
CREATE MACRO url_rest(u) AS
    CASE WHEN regexp_matches(u, '^[A-Za-z][A-Za-z0-9+.-]*://[^:/?#\]]') THEN substr(u, strpos(u, '://') + 3) ELSE u END;
CREATE MACRO url_host_text(u) AS CASE WHEN url_is_plain(u) THEN regexp_extract(url_rest(u), '^[^:/?#\]]+')
    ELSE regexp_extract(u, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#\[\]]+)', 1) END;
CREATE MACRO url_host(u) AS list_transform(
    list_transform([u], lambda v: url_host_text(v)), lambda h: hostname(h))[1];
CREATE MACRO url_port_text(u) AS
    CASE WHEN url_is_plain(u) THEN regexp_extract(url_rest(u), '^[^:/?#\]]+:(\d+)(?:[/?#]|$)', 1) ELSE regexp_extract(
    u, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?(?:\[[^\]]*\]|[^:/?#\[\]]+):(\d+)(?:[/?#]|$)', 1) END;
CREATE MACRO url_port_digits(u) AS nullif(list_transform([u], lambda v: url_port_text(v))[1], '');
CREATE MACRO url_port(u) AS coalesce(list_transform([url_port_digits(u)], lambda d: port(d))[1],
    CASE WHEN u LIKE 'https:%' THEN 443 WHEN u LIKE 'http:%' THEN 80 END);
-- the last part of a path, as Windows and as others write it
CREATE MACRO file_name(p) AS nullif(CASE WHEN p LIKE '/%' THEN regexp_extract(said(p), '[^/]+$')
    ELSE regexp_extract(said(p), '[^\\/]+$') END, '');
-- `%20` is a blank; text with bytes beyond ASCII, or NUL, stays as it is: DuckDB stops at what is no UTF-8
CREATE MACRO percent_decoded(t) AS
    coalesce(url_decode(CASE WHEN NOT regexp_matches(t, '%(00|[89A-Fa-f])') THEN t END), t);
CREATE MACRO is_address(t) AS regexp_matches(t, '^(\d{{1,3}}(\.\d{{1,3}}){{3}}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$');
-- a range in CIDR notation; of IPv6 all eight groups, or fewer around one double colon
CREATE MACRO address_range(t) AS list_transform([lower(trim(t))], lambda c: CASE WHEN regexp_matches(c,
    '^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){{3}}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)/(?:3[0-2]|[12]?\d)$')
    OR regexp_matches(c, '^(?:(?:[0-9a-f]{{1,4}}:){{7}}[0-9a-f]{{1,4}}|(?:(?:[0-9a-f]{{1,4}}:)*[0-9a-f]{{1,4}})?::'
    || '(?:(?:[0-9a-f]{{1,4}}:)*[0-9a-f]{{1,4}})?)/(?:12[0-8]|1[01]\d|[1-9]?\d)$')
    AND len(regexp_extract_all(split_part(c, '/', 1), '\w+')) <= 8 - contains(c, '::')::INTEGER
    THEN c ELSE refused_text() END)[1];
-- a value written so that nobody follows it, as it stands in logs; scheme and host of a URL know no case
CREATE MACRO fanged(t) AS regexp_replace(regexp_replace(regexp_replace(
    trim(t), '[\[({{](?:\.|dot)[\])}}]', '.', 'gi'), '\[(:|://|@)\]', '\1', 'g'), '^hxxp', 'http', 'i');
CREATE MACRO url_lower(u) AS
    lower(regexp_extract(u, '^[^/?#]*(?://[^/?#]*)?')) || regexp_replace(u, '^[^/?#]*(?://[^/?#]*)?', '');
-- an item of intelligence as it stands in logs, by its type; and the type of one that has none, by its look
CREATE MACRO indicator_value(t, kind) AS CASE WHEN said(t) IS NULL OR kind IS NULL THEN refused_text()
    WHEN kind = 'user_agent' THEN t WHEN kind = 'url' THEN url_lower(fanged(t))
    WHEN kind = 'ip' THEN coalesce(address_before_port(fanged(t)), refused_text())
    ELSE rtrim(lower(fanged(t)), '.') END;
CREATE MACRO hash_type(t) AS CASE WHEN regexp_matches(trim(t), '^[0-9A-Fa-f]{{64}}$') THEN 'sha256'
    WHEN regexp_matches(trim(t), '^[0-9A-Fa-f]{{40}}$') THEN 'sha1'
    WHEN regexp_matches(trim(t), '^[0-9A-Fa-f]{{32}}$') THEN 'md5' END;
CREATE MACRO indicator_type_of(t) AS CASE WHEN is_address(address_before_port(fanged(t))) THEN 'ip'
    WHEN hash_type(t) IS NOT NULL THEN hash_type(t) WHEN contains(t, '/') THEN 'url' ELSE 'domain' END;
-- DNS record types and response codes as numbers; names stay as they are
CREATE MACRO dns_type(t) AS CASE WHEN said(t) IS NULL THEN NULL WHEN NOT regexp_matches(t, '^\d+$') THEN upper(t)
    ELSE coalesce(MAP {{'1': 'A', '2': 'NS', '5': 'CNAME', '6': 'SOA', '10': 'NULL', '12': 'PTR', '13': 'HINFO',
        '15': 'MX', '16': 'TXT', '17': 'RP', '28': 'AAAA', '29': 'LOC', '33': 'SRV', '35': 'NAPTR', '39': 'DNAME',
        '41': 'OPT', '43': 'DS', '46': 'RRSIG', '47': 'NSEC', '48': 'DNSKEY', '50': 'NSEC3', '52': 'TLSA',
        '64': 'SVCB', '65': 'HTTPS', '99': 'SPF', '251': 'IXFR', '252': 'AXFR', '255': 'ANY', '257': 'CAA'}}[t],
        'TYPE' || t) END;
CREATE MACRO dns_rcode(t) AS CASE WHEN said(t) IS NULL THEN NULL WHEN NOT regexp_matches(t, '^\d+$') THEN upper(t)
    ELSE coalesce(MAP {{'0': 'NOERROR', '1': 'FORMERR', '2': 'SERVFAIL', '3': 'NXDOMAIN', '4': 'NOTIMP', '5': 'REFUSED',
        '6': 'YXDOMAIN', '7': 'YXRRSET', '8': 'NXRRSET', '9': 'NOTAUTH', '10': 'NOTZONE', '16': 'BADVERS'}}[t],
        'RCODE' || t) END;
"""
