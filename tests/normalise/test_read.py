"""Records → rows: what the macros make of a text, and that no value stops a file."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.refresh_cases import CASES, read_log
from tests.formats.test_cases import FILES

from playbooks import engine, schema
from playbooks.formats import FORMATS, MACROS, REFUSED, Columns, Format, Json, Pairs, TextLines, W3c, Xml, Zeek
from playbooks.normalise import Source, detect, read
from playbooks.normalise.columns import header_names
from playbooks.normalise.cut import cut
from playbooks.normalise.detect import Detection
from playbooks.normalise.statements import _database
from playbooks.normalise.text import read_text

QUOTE = '"'
REFUSED_WHOLE, REFUSED_SMALL = int(REFUSED["BIGINT"]), int(REFUSED["INTEGER"])
UTC = dt.UTC
FIXED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
NASTY = (
    *("", "-", " ", "0", "-0", "-1", "+5", "1e400", "-1e400", "nan", "inf", "infinity", "-infinity", "9" * 40, "0x10"),
    *("9223372036854775807", "-9223372036854775808", "170141183460469231731687303715884105727", "1.5", "1e18", "1_0"),
    *("2026-02-30T25:61:61Z", "infinityZ", "epoch", "epochZ", "1970-01-01T00:00:00+99:99", "0001-01-01T00:00:00Z"),
    *("294247-01-10T04:00:54Z", "290309-12-22 (BC) 00:00:00Z", "2026-03-10T09:00:00.1234567890123Z", "99999999999"),
    *("[", "[1", '["a"', '["a"]', "[[1]]", "{", '{"a":', "{}", "null", "true", '"', "\\", "\\x", "%", "'", "; DROP"),
    *("http://[::1", "http://:99999/", "::ffff:1.2.3.4", "::ffff:999.9.9.9", "a" * 100_000, "\x00", "\u2028", "😀"),
    *(
        "١٢",
        "chr(0)",
        "\x00refused",
        REFUSED["BIGINT"],
        REFUSED["INTEGER"],
        "10/Mar/2026:09:00:00 +0000",
        "ACCEPT",
        "NODATA",
    ),
)


def value(expression: str, *given_values: str | None) -> Any:
    con = engine.connect()
    con.execute(MACROS)
    row = con.execute(f"SELECT {expression}", list(given_values)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1773133200", dt.datetime(2026, 3, 10, 9, tzinfo=UTC)),
        ("1773133200.123456", dt.datetime(2026, 3, 10, 9, 0, 0, 123456, tzinfo=UTC)),
        ("1773133200.1234567", dt.datetime(2026, 3, 10, 9, 0, 0, 123457, tzinfo=UTC)),
        ("1773133200123", dt.datetime(2026, 3, 10, 9, 0, 0, 123000, tzinfo=UTC)),
        ("1773133200123.5", dt.datetime(2026, 3, 10, 9, 0, 0, 123500, tzinfo=UTC)),
        ("1773133200123456", dt.datetime(2026, 3, 10, 9, 0, 0, 123456, tzinfo=UTC)),
        ("1773133200123456999", dt.datetime(2026, 3, 10, 9, 0, 0, 123456, tzinfo=UTC)),
        ("0.000001", dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("-315619200", dt.datetime(1960, 1, 1, tzinfo=UTC)),
        ("-315619200000", dt.datetime(1960, 1, 1, tzinfo=UTC)),
        ("99999999999", dt.datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("99999999999999", dt.datetime(5138, 11, 16, 9, 46, 39, 999000, tzinfo=UTC)),
        ("9999999999999999", dt.datetime(2286, 11, 20, 17, 46, 39, 999999, tzinfo=UTC)),
        ("2026-03-10T09:00:00Z", dt.datetime(2026, 3, 10, 9, tzinfo=UTC)),
        ("2026-03-10 11:00:00+02:00", dt.datetime(2026, 3, 10, 9, tzinfo=UTC)),
        ("2026-03-10T04:30:00-0430", dt.datetime(2026, 3, 10, 9, tzinfo=UTC)),
        ("2026-03-10T09:00:00.123456789Z", dt.datetime(2026, 3, 10, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-10T09:00:00", None),
        ("2026-03-10", None),
        ("-", None),
        ("", None),
        (None, None),
    ],
)
def test_a_stamp_is_a_moment_or_none(text: str | None, moment: dt.datetime | None) -> None:
    assert value("stamp(?)", text) == moment


@pytest.mark.parametrize("text", ["2026-02-30T00:00:00Z", "soonZ", "9" * 30, "infinityZ", "1e9Z"])
def test_a_stamp_that_cannot_be_a_moment_is_refused(text: str) -> None:
    assert value(f"stamp(?) = {REFUSED['TIMESTAMPTZ']}", text) is True


@pytest.mark.parametrize(
    ("macro", "text", "meant"),
    [
        ("whole", "-5", -5),
        ("whole", "(empty)", None),
        ("whole", "five", REFUSED_WHOLE),
        ("amount", "0", 0),
        ("amount", "-5", REFUSED_WHOLE),
        ("amount", "9" * 19, REFUSED_WHOLE),
        ("small", "200", 200),
        ("small", "3000000000", REFUSED_SMALL),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("port", "65536", REFUSED_SMALL),
        ("port", "-1", REFUSED_SMALL),
        ("port", "-", None),
        ("percent", "100", 100),
        ("percent", "101", REFUSED_SMALL),
        ("percent", "", None),
        ("millis", "1.2345", 1235),
        ("millis", "1e-05", 0),
        ("millis", "nan", REFUSED_WHOLE),
        ("protocol", "6", "tcp"),
        ("protocol", "132", "132"),
        ("protocol", "tcp", "\0refused"),
        ("protocol", "-", None),
        ("address", "::FFFF:192.0.2.1", "192.0.2.1"),
        ("address", "2001:DB8::1", "2001:db8::1"),
        ("address", "-", None),
        ("hostname", "App.Example.NET.", "app.example.net"),
        ("listed", "a,b", ["a", "b"]),
        ("listed", '["a","b"]', ["a", "b"]),
        ("listed", "[a,b", ["[a", "b"]),
        ("listed", "-", None),
    ],
)
def test_a_macro_reads_its_text_or_refuses_it(macro: str, text: str, meant: object) -> None:
    assert value(f"{macro}(?)", text) == meant


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://app.example.net/a:1?b=c@d", "app.example.net", 80),
        ("https://APP.example.net.:8443", "app.example.net", 8443),
        ("app.example.net:443", "app.example.net", 443),
        ("app.example.net", "app.example.net", None),
        ("https://user:pw@app.example.net/", "app.example.net", 443),
        ("http://[2001:db8::7]:8080/", "[2001:db8::7]", 8080),
        ("[2001:db8::7]:443", "[2001:db8::7]", 443),
        ("http://app.example.net:70000/", "app.example.net", REFUSED_SMALL),
        ("http://app.example.net?x=http://other.example.org:1/", "app.example.net", 80),
        ("ftp://app.example.net/", "app.example.net", None),
        ("-", None, None),
    ],
)
def test_host_and_port_of_a_url(url: str, host: str | None, port: int | None) -> None:
    assert (value("url_host(?)", url), value("url_port(?)", url)) == (host, port)


@pytest.mark.parametrize(
    ("zone", "text", "moment"),
    [
        ("Europe/Berlin", "2026-03-10 10:00:00", dt.datetime(2026, 3, 10, 9, tzinfo=UTC)),
        ("Europe/Berlin", "2026-07-10 11:00:00", dt.datetime(2026, 7, 10, 9, tzinfo=UTC)),
        ("America/New_York", "2026-03-10 05:00:00", dt.datetime(2026, 3, 10, 9, tzinfo=UTC)),
        ("", "2026-03-10 10:00:00", None),
        ("Europe/Berlin", "-", None),
    ],
)
def test_a_stamp_without_zone_is_read_in_the_zone_of_the_case_and_in_no_other(
    zone: str, text: str, moment: dt.datetime | None
) -> None:
    con = engine.connect()
    con.execute(MACROS)
    con.execute("SET VARIABLE case_clock = ?", [zone])
    assert con.execute("SELECT case_clock(?)", [text]).fetchone() == (moment,)


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_the_clock_of_a_case_does_not_touch_stamps_with_a_zone(zone: str | None) -> None:
    file = CASES / "squid_common" / "odd_clock.log"
    assert read_log(file, zone) == read_log(file, None)


def test_the_clock_of_a_case_reads_stamps_without_a_zone(tmp_path: Path) -> None:
    file = tmp_path / "conn.json"
    file.write_text(
        '{"ts": "2026-03-10 09:41:12.5", "uid": "C1", "id.orig_h": "10.20.3.17", "id.orig_p": 1024,'
        ' "id.resp_h": "192.0.2.7", "id.resp_p": 443, "proto": "tcp", "conn_state": "SF"}\n'
    )
    assert read_log(file, None)["unread"][0]["reason"].startswith("no time: ")
    assert [event["time"] for event in read_log(file, "Europe/Berlin")["events"]] == [
        "2026-03-10T08:41:12.500000+00:00"
    ]


MACRO_NAMES = sorted(set(re.findall(r"CREATE MACRO (\w+)\((?:t|u|n|a|micros)\)", MACROS)) - {"epoch_scale", "moment"})


@pytest.mark.parametrize("macro", MACRO_NAMES)
def test_no_text_stops_a_macro(macro: str) -> None:
    con = _database()
    con.execute("SET VARIABLE case_clock = 'Europe/Berlin'")
    con.execute("CREATE OR REPLACE TEMP TABLE nasty AS SELECT unnest(?::VARCHAR[]) AS t", [[*NASTY, None]])
    assert len(con.execute(f"SELECT {macro}(t) FROM nasty").fetchall()) == len(NASTY) + 1


SHARES = (
    4  # each place gets a quarter of the nasty texts, its neighbours the others: all places times all texts is hours
)


def records_of(file: Path, form: Format) -> list[str]:
    """The records of a file as its layout cuts them."""
    return [raw for run in cut(read_text(file), form.cut) for raw in run.raws]


def header_of(file: Path, form: Format) -> list[str]:
    """The lines before the records that say what their columns are."""
    lines = read_log_text(file).split("\n")
    match form.cut:
        case Zeek() | W3c():
            return [line for line in lines if line.startswith("#") and "#close" not in line]
        case Columns(delimiter=delimiter, keys=keys) if keys:
            return [line for line in lines[:1] if keys <= set(header_names(line.rstrip("\r"), delimiter))]
        case _:
            return []


def read_log_text(file: Path) -> str:
    return "".join(block for block in read_text(file) if isinstance(block, str))


def spoiled(form: Format, normal: str) -> Iterator[str]:
    """Records of a format in which one value after the other is replaced by each nasty text."""
    match form.cut:
        case Json():
            found = json.loads(normal)
            every = (*NASTY, None, 0, -1, 1e300, 10**30, True, [], {}, [None], {"a": [1]}, ["x"] * 3)
            for number, path in enumerate(paths(found)):
                for nasty in every[number % SHARES :: SHARES]:
                    yield json.dumps(replaced(found, path, nasty))
        case Zeek():
            yield from spoiled_cells(normal.split("\t"), "\t")
        case Columns(delimiter=","):
            for cells in (record.split("\t") for record in spoiled_cells(next(csv.reader([normal])), "\t")):
                yield ",".join(f'"{cell.replace(QUOTE, QUOTE * 2)}"' for cell in cells)
        case Columns(delimiter=delimiter):
            yield from spoiled_cells(normal.split(delimiter), delimiter)
        case W3c() if "\t" in normal:
            yield from spoiled_cells(normal.split("\t"), "\t")
        case Xml():
            for number, value in enumerate(re.finditer(r"(?<=>)[^<]+(?=<)|(?<==')[^']*(?=')", normal)):
                for nasty in NASTY[number % SHARES :: SHARES]:
                    yield normal[: value.start()] + escape(nasty, {"'": "&apos;"}) + normal[value.end() :]
        case TextLines() | Pairs() | W3c():
            yield from spoiled_cells(normal.split(" "), " ")


def spoiled_cells(cells: list[str], delimiter: str) -> Iterator[str]:
    for place in range(len(cells)):
        for nasty in NASTY[place % SHARES :: SHARES]:
            if delimiter not in nasty and not nasty.startswith("#"):
                yield delimiter.join([*cells[:place], nasty, *cells[place + 1 :]])


def paths(found: object, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(found, dict):
        for key, inner in found.items():
            yield (*before, key)
            yield from paths(inner, (*before, key))


def replaced(found: dict[str, Any], path: tuple[str, ...], nasty: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(found))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = nasty
    return copy


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_no_value_stops_a_file_or_is_lost(form: Format, tmp_path: Path) -> None:
    normal = CASES / form.name / "normal.log"
    raws = records_of(normal, form)
    joined = isinstance(form.cut, TextLines) and form.cut.joined
    raws = raws[0].split("\n")[:1] if joined else raws
    known, *_ = (raw for raw in raws if "\n" not in raw or isinstance(form.cut, Json))
    known = json.dumps(json.loads(known)) if isinstance(form.cut, Json) else known
    lines = [known] * 100 + [line for line in spoiled(form, known) if line.strip()]
    if joined:  # each line another event
        lines = [re.sub(r":\d+\)", f":{number})", line, count=1) for number, line in enumerate(lines)]
    file = tmp_path / "evidence"
    file.write_text("\n".join([*header_of(normal, form), *lines]) + "\n", newline="")
    found = detect(file)
    assert found.format == form
    events = unread = 0
    for rows in read(Source("E001", file, "Europe/Berlin"), found):
        assert {name: list(table.schema.names) for name, table in rows.tables.items()} == {
            name: list(schema.TABLES[name].names) for name in form.tables
        }
        events, unread = events + rows.count, unread + rows.unread.num_rows
        for column in rows.events.column_names:  # no refused value passes as a value
            refused = {"VARCHAR": "\0refused", "BIGINT": REFUSED_WHOLE, "INTEGER": REFUSED_SMALL}
            values = rows.events[column].combine_chunks()
            values = values.flatten() if pa.types.is_list(values.type) else values
            found_in = values.unique().to_pylist() if not column.startswith("answers") else []
            table = next(name for name in form.tables if column in schema.TABLES[name].names)
            assert refused.get(schema.TABLES[table].type_of(column)) not in set(found_in) - {None}, column
    assert events + unread == len(lines)
    assert min(events, unread) > 0


# text made from a pattern of many alternatives takes minutes to find; those formats have `spoiled` above
SHORT = [f for f in FORMATS if isinstance(f.cut, TextLines) and len(f.cut.pattern) < 400]


@pytest.mark.parametrize("form", SHORT, ids=lambda form: form.name)
@given(data=st.data())
@settings(FIXED, max_examples=5)
def test_any_line_that_has_the_pattern_is_an_event_or_unread(form: Format, data: st.DataObject, tmp_path: Path) -> None:
    assert isinstance(form.cut, TextLines)
    pattern = re.compile(form.cut.pattern, re.ASCII)
    lines = data.draw(st.lists(st.from_regex(pattern, fullmatch=True), min_size=1, max_size=3))
    file = tmp_path / "evidence"
    file.write_text("\n".join(lines), encoding="utf-8", newline="")
    text = "".join(block for block in read_text(file) if isinstance(block, str)).split("\n")
    text = text if text[-1] else text[:-1]
    comments = [line for line in text if form.cut.comment and line.lstrip().startswith(form.cut.comment)]
    counts = 0
    for rows in read(Source("E001", file), Detection(form, form.cut, ())):  # alone, it may look like another log
        numbers = {row["record_no"] for row in rows.in_order() + rows.unread.to_pylist()}
        counts += len(numbers) + rows.blank
    assert counts == len(text) - len(comments)


def test_one_broken_value_does_not_slow_the_file_down(tmp_path: Path) -> None:
    """Broken values stand in all logs; a file with many of them takes no longer than one without."""
    line = (CASES / "zeek_conn" / "normal.log").read_text().split("\n")[8]
    header = (CASES / "zeek_conn" / "normal.log").read_text().split("\n")[:8]
    broken = line.replace("\t49152\t", "\t70000\t")
    file = tmp_path / "conn.log"
    file.write_text("\n".join([*header, *([line] * 49 + [broken]) * 400]) + "\n")
    before = os.times()
    counts = [(rows.count, rows.unread.num_rows) for rows in read(Source("E001", file))]
    seconds = os.times().user - before.user
    assert counts == [(19_600, 400)]
    assert seconds < 5


def test_times_beyond_what_tools_can_hold_are_no_times(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    years = (1, 1899, 1900, 2199, 2200, 9999)
    record = json.loads((CASES / "aws_cloudtrail" / "normal.log").read_text().split("\n")[0])
    file.write_text("".join(json.dumps(record | {"eventTime": f"{y:04d}-06-01T00:00:00Z"}) + "\n" for y in years))
    found = read_log(file)
    assert [event["time"][:4] for event in found["events"]] == ["1900", "2199"]
    assert {row["reason"] for row in found["unread"]} == {"no time: the stamp lies outside the years 1900 to 2199"}


@given(
    file=st.sampled_from(FILES),
    place=st.integers(0, 10_000),
    cut=st.integers(0, 50),
    put=st.one_of(st.binary(max_size=20), st.sampled_from([b"\n", b"\0", b'"', b"\xff", b"[", b"}", b"\t", b"\\"])),
)
@settings(
    deadline=None, derandomize=True, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damage_anywhere_in_a_file_stops_nothing(file: Path, place: int, cut: int, put: bytes, tmp_path: Path) -> None:
    data = file.read_bytes()
    place %= len(data)
    spoiled_file = tmp_path / "evidence"
    spoiled_file.write_bytes(data[:place] + put + data[place + cut :])
    found = read_log(spoiled_file)
    numbers = {row["record_no"] for row in found["events"] + found["unread"]}
    assert sorted(numbers) == list(range(1, len(numbers) + 1))  # a record of several events has one number
