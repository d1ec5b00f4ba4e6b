"""Encodings and line ends: told by what stands in the file, and never a reason to lose a line."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.refresh_cases import CASES
from tests.normalise.packing import WHOLE, gz, zipped

from playbooks.formats import TextLines
from playbooks.normalise import Source, read
from playbooks.normalise import text as texts
from playbooks.normalise.cut import cut
from playbooks.normalise.text import beginning, read_text

LINES = TextLines(r"(?P<line>.+)")
loose = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
UTF_16 = {
    "with a mark, little": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "with a mark, big": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "little": lambda text: text.encode("utf-16-le"),
    "big": lambda text: text.encode("utf-16-be"),
}


def lines(data: bytes, folder: Path) -> list[str]:
    file = folder / "evidence"
    file.write_bytes(data)
    return [raw for run in cut(read_text(file), LINES) for raw in run.raws]


@pytest.mark.parametrize("encode", UTF_16.values(), ids=UTF_16)
@pytest.mark.parametrize("log", ["squid_access", "zeek_conn", "aws_cloudtrail", "indicator_csv"])
def test_a_log_in_utf_16_is_read_as_the_same_log_in_utf_8(log: str, encode: object, tmp_path: Path) -> None:
    """As Windows programs and PowerShell's `>` write it."""
    assert callable(encode)
    plain = CASES / log / "normal.log"
    file = tmp_path / "evidence"
    file.write_bytes(encode(plain.read_text(encoding="utf-8").replace("\n", "\r\n")))
    events = [row for rows in read(Source("E001", file)) for row in rows.in_order()]
    assert events == [row for rows in read(Source("E001", plain)) for row in rows.in_order()]
    assert events


@pytest.mark.parametrize("encode", UTF_16.values(), ids=UTF_16)
def test_utf_16_is_told_in_every_container(encode: object, tmp_path: Path) -> None:
    assert callable(encode)
    wanted = ["first line with ünïcode", "zweite Zeile"]
    for pack in WHOLE.values():
        assert lines(pack(encode("\r\n".join(wanted))), tmp_path) == wanted


def test_members_of_an_archive_may_differ_in_encoding_and_line_ends(tmp_path: Path) -> None:
    members = [
        ("a", "one line\r\ntwo lines\r\n".encode("utf-16")),
        ("b", codecs.BOM_UTF8 + b"three\nfour\n"),
        ("c", gz(b"five\rsix\r")),
        ("d", b"seven\rand\neight"),
    ]
    wanted = ["one line", "two lines", "three", "four", "five", "six", "seven\rand", "eight"]
    assert lines(zipped(members), tmp_path) == wanted


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=200))
@loose
def test_utf_8_is_never_taken_for_utf_16(text: str) -> None:
    if "\0" not in text:
        assert texts._encoding(b"x" + text.encode()) == "utf-8"


def test_zero_bytes_alone_do_not_make_utf_16() -> None:
    for data in (b"a\0" * 7, b"\0" * 4000, b"abc\0" * 1000, b"\0\0\0\1" * 1000, b"ab\0\0" * 1000):
        assert texts._encoding(data) == "utf-8", data[:8]
    assert texts._encoding(b"a\0" * 8) == "utf-16-le"
    assert texts._encoding(b"\0a" * 8) == "utf-16-be"


def test_utf_16_that_is_cut_in_the_middle_of_a_character_keeps_the_rest(tmp_path: Path) -> None:
    data = "a first line\na second line\n".encode("utf-16-le")
    assert lines(data[:-1], tmp_path) == ["a first line", "a second line\\x0a"]


def test_cr_ends_a_line_where_nothing_else_does(tmp_path: Path) -> None:
    assert lines(b"one\rtwo\r\rthree", tmp_path) == ["one", "two", "three"]
    assert lines(b"one\rtwo\r\nthree", tmp_path) == ["one\rtwo", "three"]
    assert lines(b"one\r", tmp_path) == ["one"]
    assert lines(b"\r", tmp_path) == []


def test_cr_line_ends_are_told_by_the_first_block_and_later_ones_of_any_kind_end_lines_too(tmp_path: Path) -> None:
    data = b"line\r" * 300_000 + b"a\r\nb\nc"
    assert lines(data, tmp_path) == ["line"] * 300_000 + ["a", "b", "c"]


@pytest.mark.parametrize("log", ["squid_access", "zeek_conn", "aws_cloudtrail", "indicator_csv"])
def test_a_log_with_cr_line_ends_is_read_as_the_same_log_with_lf(log: str, tmp_path: Path) -> None:
    plain = CASES / log / "normal.log"
    file = tmp_path / "evidence"
    file.write_bytes(plain.read_bytes().replace(b"\n", b"\r"))
    events = [row for rows in read(Source("E001", file)) for row in rows.in_order()]
    assert events == [row for rows in read(Source("E001", plain)) for row in rows.in_order()]


@given(data=st.binary(max_size=300), size=st.integers(1, 40))
@loose
def test_text_does_not_depend_on_where_packed_blocks_end(data: bytes, size: int) -> None:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    assert b"".join(texts._blocks(pieces)) == data


def test_the_beginning_of_an_archive_spans_its_members_and_their_damages(tmp_path: Path) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(zipped([("a", b"one"), ("b", gz(b"two\n")[:-2]), ("c", b"three")]))
    assert beginning(file, 100).split() == ["one", "two", "three"]
    assert beginning(file, 2) == "on"
