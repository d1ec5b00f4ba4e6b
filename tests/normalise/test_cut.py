"""Bytes → text → records: nothing is dropped, whatever the bytes are."""

from __future__ import annotations

import codecs
import dataclasses
import gzip
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.formats.refresh_cases import read_log, stored
from tests.formats.test_cases import FILES, name

from playbooks.formats import FORMATS, Columns, Json, TextLines
from playbooks.normalise import cut as cutting
from playbooks.normalise import text as texts
from playbooks.normalise.columns import header_names
from playbooks.normalise.containers import packed_kind
from playbooks.normalise.cut import cut
from playbooks.normalise.json_records import CUT_OFF, mended
from playbooks.normalise.lines import MAX_RECORD_CHARS
from playbooks.normalise.records import Records
from playbooks.normalise.text import Damage, read_text

LINES = TextLines(r"(?P<line>.+)")
BARE_JSON = Json(keys=frozenset(), shape="{}")
# how a format is known, and what its fields are called, changes nothing about where its records end
NOT_OF_CUTTING = ("keys", "any_of", "only", "never", "shape", "pattern", "fields", "nested", "dotted", "style")


def alike(layout: cutting.Layout) -> str:
    """What two layouts have in common that are cut in the same way; a table's header is known by its keys."""
    facts = {field.name: getattr(layout, field.name) for field in dataclasses.fields(layout)}
    if not isinstance(layout, Columns):
        facts = {name: fact for name, fact in facts.items() if name not in NOT_OF_CUTTING}
    return f"{type(layout).__name__} {facts}"


LAYOUTS = {form.name: form.cut for form in FORMATS} | {"lines": LINES, "bare_json": BARE_JSON}
DIFFERENT = dict({alike(layout): (name, layout) for name, layout in LAYOUTS.items()}.values())
SEPARATORS = re.compile(r"[\s,:\[\]{}]+")
PIECES = (
    *(
        b"#fields\tts\tuid\n",
        b"#path\tconn\n",
        b"#path\t\n",
        b"#path\tdns\n",
        b"a\tb\n",
        b"srcaddr dstaddr start\n",
        b"1 2 3\n",
        b"\n",
        b"\r\n",
    ),
    *(b'x,"open\n', b'close",y\n', b"indicator,type,source,confidence,valid_from\n", b'{"a": 1}\n', b'{"a": ', b"]}"),
    *(b'{"Records": [', b"[", b",", b'"', b"\\", b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"\r", b"\xc3", b"caf\xc3\xa9 "),
)
hostile = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
text_only = hostile.filter(lambda data: not packed_kind(data))
loose = settings(
    deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def records(data: bytes, layout: cutting.Layout, folder: Path) -> list[Records]:
    file = folder / "evidence"
    file.write_bytes(data)
    return list(cut(read_text(file), layout))


def raws(runs: list[Records]) -> list[str]:
    return [raw for run in runs for raw in run.raws]


def reasons(runs: list[Records]) -> list[str]:
    return [reason for run in runs for _, reason in sorted(run.broken.items())]


def text_of(data: bytes, folder: Path) -> str:
    file = folder / "evidence"
    file.write_bytes(data)
    return "".join(block for block in read_text(file) if isinstance(block, str))


def lines_of(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.split("\n")]


def in_order(wanted: list[str], found: list[str]) -> bool:
    rest: Iterator[str] = iter(found)
    return all(line in rest for line in wanted)


@pytest.mark.parametrize("layout", DIFFERENT.values(), ids=DIFFERENT)
@given(data=hostile)
@loose
def test_any_bytes_are_cut_without_an_error(data: bytes, layout: cutting.Layout, tmp_path: Path) -> None:
    for run in records(data, layout, tmp_path):
        assert set(run.broken) <= set(range(len(run.raws)))
        assert run.cells is None or len(run.cells) == len(run)
        for raw in run.raws:
            raw.encode("utf-8")  # no lone surrogates: Arrow and JSON could not hold them


@given(data=text_only)
@loose
def test_lines_stand_in_raw_one_by_one(data: bytes, tmp_path: Path) -> None:
    lines = text_of(data, tmp_path).split("\n")
    lines = lines if lines[-1] else lines[:-1]
    runs = records(data, LINES, tmp_path)
    assert raws(runs) == [line.rstrip("\r") for line in lines if line.strip()]
    assert sum(run.blank for run in runs) == sum(not line.strip() for line in lines)


@given(data=text_only)
@loose
def test_zeek_leaves_out_comments_and_nothing_else(data: bytes, tmp_path: Path) -> None:
    lines = lines_of(text_of(data, tmp_path))
    runs = records(data, LAYOUTS["zeek_conn"], tmp_path)
    assert raws(runs) == [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("form", ["aws_vpc_flow", "indicator_csv"])
@given(data=text_only)
@example(data=b'a,"b\n' * 150 + b"last,line\n")
@loose
def test_columns_leave_out_headers_and_nothing_else(data: bytes, form: str, tmp_path: Path) -> None:
    layout = LAYOUTS[form]
    assert isinstance(layout, Columns)
    runs = records(data, layout, tmp_path)
    found = [line for raw in raws(runs) for line in lines_of(raw)]
    headers = [run.names for run in runs]
    given_lines = [line for line in lines_of(text_of(data, tmp_path)) if line.strip()]
    kept = [line for line in given_lines if header_names(line, layout.delimiter) not in headers]
    assert in_order(kept, found)


@given(data=text_only)
@loose
def test_json_leaves_out_separators_and_nothing_else(data: bytes, tmp_path: Path) -> None:
    text = text_of(data, tmp_path)
    found = "".join(raws(records(data, BARE_JSON, tmp_path)))
    assert SEPARATORS.sub("", found) == SEPARATORS.sub("", text)


ELEMENTS = [{"eventName": "a{[", "n": {"x": [1, 2]}}, {"eventName": 'b"}]\\', "n": None}, {"eventName": "ü", "n": []}]


@pytest.mark.parametrize("indent", [None, 1], ids=["compact", "pretty"])
@pytest.mark.parametrize("envelope", [False, True], ids=["bare", "Records"])
def test_an_array_that_ends_early_keeps_all_whole_elements_and_says_so(
    envelope: bool, indent: int | None, tmp_path: Path
) -> None:
    """Cut at every place: what was whole before stands as records, and one unread record tells of the cut."""
    layout = LAYOUTS["aws_cloudtrail"]
    text = json.dumps({"Records": ELEMENTS} if envelope else ELEMENTS, indent=indent, ensure_ascii=False)
    data = text.encode()
    ends = []
    for element in ELEMENTS:
        shown = json.dumps(element, indent=indent, ensure_ascii=False)
        if indent:
            shown = shown.replace("\n", "\n" + " " * indent * (2 if envelope else 1))
        ends.append(len(text[: text.index(shown)].encode()) + len(shown.encode()))
    for length in range(1, len(data)):
        runs = records(data[:length], layout, tmp_path)
        broken = {index for run in runs for index in run.broken}
        whole = [json.loads(raw) for i, raw in enumerate(raws(runs)) if i not in broken]
        assert whole == ELEMENTS[: sum(end <= length for end in ends)], length
        assert len(reasons(runs)) == 1, length
    assert [json.loads(raw) for raw in raws(records(data, layout, tmp_path))] == ELEMENTS
    assert reasons(records(data, layout, tmp_path)) == []


@pytest.mark.parametrize(
    "between",
    [[","], [",\n"], [" ,\t"], [",", ", ", " ,\n"], [",", ",\n  "]],
    ids=["tight", "lines", "tab", "mixed", "two"],
)
def test_an_array_gives_each_element_as_it_stands_however_they_are_parted(between: list[str], tmp_path: Path) -> None:
    """Elements that hold what parts them, in a string or in a list, are not cut there."""
    inner = [
        '{"a" : "ü},{\\"a\\":"}',
        '{"a":[{"a":1},{"a":2}]}',
        '{"a":"},{"}',
        '{ "a":{"a":[]}}',
        '{"a":"},\\n{"}',
    ] * 3
    places = itertools.cycle(between)
    for kept in (inner, [one for one in inner if one.startswith('{"a":"')], inner[:1]):
        text = kept[0] + "".join(next(places) + one for one in kept[1:])
        for data in (f"[{text}]", f'{{"Records": [ {text}\n] }}\n'):
            runs = records(data.encode(), LAYOUTS["aws_cloudtrail"], tmp_path)
            assert raws(runs) == kept
            assert reasons(runs) == []


def test_an_array_with_a_broken_element_loses_that_element_only(tmp_path: Path) -> None:
    data = b'[{"a": 1}, {"b": }, {"c": 3}, tru, {"d": "\xff"}]'
    runs = records(data, LAYOUTS["aws_cloudtrail"], tmp_path)
    assert raws(runs) == ['{"a": 1}', '{"b": }', '{"c": 3}', "tru", '{"d": "\\xff"}']
    assert [sorted(run.broken.items()) for run in runs] == [[(1, "not valid JSON"), (3, "not valid JSON")]]


def test_arrays_with_one_element_a_line_are_not_taken_for_json_lines(tmp_path: Path) -> None:
    for data in (b'[\n{"a": 1},\n{"a": 2}\n]\n', b'{"Records": [\n{"a": 1},\n{"a": 2}\n]}\n'):
        assert raws(records(data, LAYOUTS["aws_cloudtrail"], tmp_path)) == ['{"a": 1}', '{"a": 2}']
    cut_off = records(b'[\n{"a": 1}\n', LAYOUTS["aws_cloudtrail"], tmp_path)
    assert raws(cut_off) == ['{"a": 1}', ""]


def test_json_lines_stay_lines_when_the_first_is_cut_in_half(tmp_path: Path) -> None:
    for first in ('{"a": {"b": ', 'b": 1}}', '"'):
        runs = records(f'{first}\n{{"a": 2}}\n{{"a": 3}}\n'.encode(), LAYOUTS["aws_cloudtrail"], tmp_path)
        assert raws(runs) == [first, '{"a": 2}', '{"a": 3}']


def test_a_line_separator_inside_a_json_string_is_no_line_end(tmp_path: Path) -> None:
    data = json.dumps({"a": "x\u2028y\x85z"}, ensure_ascii=False) + '\n{"a": 2}\n'
    assert len(raws(records(data.encode(), LAYOUTS["aws_cloudtrail"], tmp_path))) == 2


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ('{"a": "\\xff"}', "\\xff"),
        ('{"a": "\\xff\\xfe!"}', "\\xff\\xfe!"),
        ('{"a": "\\\\xff"}', "\\xff"),
        ('{"a": "\\\\\\xff"}', "\\\\xff"),
        ('{"a": "\\\\\\\\xff"}', "\\\\xff"),
    ],
)
def test_bytes_that_are_no_text_do_not_make_json_unreadable(raw: str, meant: str) -> None:
    assert json.loads(mended(raw)) == {"a": meant}


def test_gzip_cut_off_at_any_byte_keeps_what_was_whole(tmp_path: Path) -> None:
    lines = [f"line {i} {'x' * (i % 7)}" for i in range(40)]
    packed = gzip.compress("\n".join(lines).encode() + b"\n", mtime=0)
    for length in range(2, len(packed)):
        runs = records(packed[:length], LINES, tmp_path)
        assert reasons(runs) == ["gzip data ends early: the file is cut off"], length
        *whole, cut_off = raws(runs)
        assert whole == lines[: len(whole)]
        if len(whole) < len(lines):
            assert lines[len(whole)].startswith(cut_off)
    assert raws(records(packed, LINES, tmp_path)) == lines


def test_a_changed_byte_in_gzip_is_told(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"one\ntwo\nthree\n" * 20, mtime=0))
    packed[-6] ^= 0xFF  # the checksum
    runs = records(bytes(packed), LINES, tmp_path)
    assert raws(runs)[:3] == ["one", "two", "three"]
    assert "gzip data is damaged" in reasons(runs)[0]


def test_gzip_members_follow_one_another(tmp_path: Path) -> None:
    data = gzip.compress(b"one\ntw") + gzip.compress(b"o\n") + gzip.compress(b"") + gzip.compress(b"three")
    assert raws(records(data, LINES, tmp_path)) == ["one", "two", "three"]
    assert reasons(records(data + b"\0" * 512, LINES, tmp_path)) == [], "padding of a tape or block device"
    assert "gzip data is damaged" in reasons(records(data + b"garbage", LINES, tmp_path))[0]


def test_gzip_is_told_by_content(tmp_path: Path) -> None:
    plain = tmp_path / "log.gz"
    plain.write_bytes(b"not packed\n")
    assert "".join(map(str, read_text(plain))) == "not packed\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_says_the_encoding(encoding: str, tmp_path: Path) -> None:
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    data = marks.get(encoding, b"") + "één\r\nzwei\n".encode(encoding)
    assert raws(records(data, LINES, tmp_path)) == ["één", "zwei"]


def test_odd_bytes_stay_readable(tmp_path: Path) -> None:
    data = b"a\xff\xc3\nb\0c\nd\re\n\xef\xbf\xbd\n" + b"\xf0\x9f\x98"
    assert raws(records(data, LINES, tmp_path)) == ["a\\xff\\xc3", "b\0c", "d\re", "\ufffd", "\\xf0\\x9f\\x98"]
    assert raws(records(codecs.BOM_UTF16_LE + b"a\0\x00\xd8b\0c", LINES, tmp_path)) == ["a\\x00\\xd8b\\x63"]


def test_a_line_of_20_megabytes_costs_itself_only(tmp_path: Path) -> None:
    data = b"before\n" + b"x" * 20_000_000 + b"\nafter\n"
    runs = records(data, LINES, tmp_path)
    before, *pieces, after = raws(runs)
    assert (before, after) == ("before", "after")
    assert "".join(pieces) == "x" * 20_000_000
    assert len(pieces) == 2
    assert reasons(runs) == [f"part of a line that is longer than {MAX_RECORD_CHARS:,} characters"] * 2


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    layout = LAYOUTS["indicator_csv"]
    data = b'a,"two\nlines"\nb,"open\nc,1\nd,2\n'
    runs = records(data, layout, tmp_path)
    assert raws(runs) == ['a,"two\nlines"', 'b,"open', "c,1", "d,2"]
    assert reasons(runs) == ["a quote is opened and never closed"]
    far = b'b,"open\n' + b"c,1\n" * 500
    assert raws(records(far, layout, tmp_path)) == ['b,"open', *["c,1"] * 500]


SPLIT = [file for file in FILES if file.stem in ("normal", "half_line", "blank_lines")]


@pytest.mark.parametrize("file", SPLIT, ids=name)
def test_block_and_chunk_ends_change_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "CHUNK_RECORDS", 2)
    form = next(form for form in FORMATS if form.name == file.parent.name)
    if not isinstance(form.cut, Json):  # JSON lines are told by the first block
        monkeypatch.setattr(texts, "BLOCK", 5)
    assert read_log(file) == json.loads(stored(file).read_text(encoding="utf-8"))


def test_chunks_are_small_enough_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playbooks.normalise.lines.BLOCK_CHARS", 10)
    monkeypatch.setattr(cutting, "SMALL_RUN_BYTES", 0)
    monkeypatch.setattr(texts, "BLOCK", 8)
    runs = records(b"12345678\n" * 9, LINES, tmp_path)
    assert raws(runs) == ["12345678"] * 9
    assert max(len(run.raws) for run in runs) <= 2


def test_json_too_large_for_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playbooks.normalise.json_records.MAX_JSON_CHARS", 20)
    monkeypatch.setattr(texts, "BLOCK", 16)
    runs = records(b'[{"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}]', LAYOUTS["aws_cloudtrail"], tmp_path)
    assert raws(runs)[:2] == ['{"a": 1}', '{"a": 2}']
    assert reasons(runs)[-1].startswith("JSON of more than 20 characters")


def test_deep_nesting_is_a_record_however_it_is_cut(tmp_path: Path) -> None:
    deep = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for data in (b'[{"a": 1}, ' + deep + b', {"a": 3}]', b'[{"b": 1}, ' + deep + b', {"c": 3}]'):
        runs = records(data, LAYOUTS["aws_cloudtrail"], tmp_path)
        assert [raw[:8] for raw in raws(runs)] == [data[1:9].decode(), '{"a": [[', data[-9:-1].decode()]
        assert reasons(runs) == []
    assert CUT_OFF not in reasons(runs)


def test_damage_is_the_last_thing_read(tmp_path: Path) -> None:
    file = tmp_path / "cut.gz"
    file.write_bytes(gzip.compress(b"one\n")[:-3])
    blocks = list(read_text(file))
    assert blocks == ["one\n", Damage("gzip data ends early: the file is cut off")]


COMMENTED = Columns(delimiter=",", fields=("value", "kind"), keys=frozenset({"value", "kind"}), comment="#")


def test_comments_are_no_records_and_one_may_hold_the_header(tmp_path: Path) -> None:
    data = b'# a list, of "odd\n# "kind", "value"\n"ip", "192.0.2.1"\n\n  # said, twice\n"a ""b""", "x"\n# end\n'
    runs = records(data, COMMENTED, tmp_path)
    assert [cells for run in runs for cells in run.cells.to_pylist()] == [["ip", "192.0.2.1"], ['a "b"', "x"]]
    assert {run.names for run in runs if run.raws} == {("kind", "value")}
    assert sum(run.blank for run in runs) == 1


def test_comments_of_lines_are_no_records(tmp_path: Path) -> None:
    layout = cutting.TextLines(pattern=r"(?P<line>.+)", comment="#")
    assert raws(records(b"# one\ntwo # more\n #three\n\nfour\n", layout, tmp_path)) == ["two # more", "four"]
