"""Parquet files: every row is a record whose text is its JSON; damaged and hostile files cost themselves only."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.normalise.packing import gz, tarred, zipped

from playbooks.case import new_case
from playbooks.evidence import add
from playbooks.normalise import Source, normalise, read, show
from playbooks.normalise.containers import parquet, source
from playbooks.normalise.containers.parquet import is_parquet
from playbooks.normalise.text import Damage, read_text

UTC = dt.UTC
FLOWS = {
    "version": pa.array([2, 2, 2, 2], pa.int32()),
    "account_id": ["000000000000"] * 4,
    "srcaddr": ["192.0.2.10", "192.0.2.11", "192.0.2.12", None],
    "dstaddr": ["198.51.100.7", "2001:db8::7", "not an address", None],
    "srcport": pa.array([49152, 49153, 70000, None], pa.int32()),
    "dstport": pa.array([443, 443, 443, None], pa.int32()),
    "protocol": pa.array([6, 17, 6, None], pa.int32()),
    "packets": pa.array([10, 1, 1, None], pa.int64()),
    "bytes": pa.array([4096, 2**40, 1, None], pa.int64()),
    "start": pa.array([1773133200, 1773133201, 1773133202, 1773133203], pa.int64()),
    "end": pa.array([1773133260, 1773133261, 1773133262, 1773133263], pa.int64()),
    "action": ["ACCEPT", "REJECT", "ACCEPT", None],
    "log_status": ["OK", "OK", "OK", "NODATA"],
}


def packed(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def text_of(data: bytes, folder: Path) -> tuple[str, list[str]]:
    """The text of a file, and why it ends."""
    file = folder / "evidence"
    file.write_bytes(data)
    blocks = list(read_text(file))
    return "".join(b for b in blocks if isinstance(b, str)), [b.reason for b in blocks if isinstance(b, Damage)]


def rows_of(data: bytes, folder: Path) -> list[str]:
    text, reasons = text_of(data, folder)
    assert reasons == []
    return text.removesuffix("\n").split("\n")


def test_a_row_is_a_record_and_its_json_is_the_raw_text(tmp_path: Path) -> None:
    case = new_case(tmp_path / "case", "CASE-1")
    file = tmp_path / "flows.parquet"
    file.write_bytes(packed(FLOWS, compression="gzip"))
    add(case, [file])
    [reading] = normalise(case)
    assert (reading.format, reading.law()) == (
        "aws_vpc_flow_json",
        "E001 E001-flows.parquet: 4 records = 2 events + 2 unread + 0 blank",
    )
    assert show(case, ["E001:2"])["E001:2"].text == (
        '{"version":2,"account_id":"000000000000","srcaddr":"192.0.2.11","dstaddr":"2001:db8::7","srcport":49153,'
        '"dstport":443,"protocol":17,"packets":1,"bytes":1099511627776,"start":1773133201,"end":1773133261,'
        '"action":"REJECT","log_status":"OK"}'
    )


@pytest.mark.parametrize(("zone", "events"), [("UTC", 1), (None, 0)])
def test_a_table_of_a_workspace_kept_as_parquet_is_read_as_its_json_is(
    zone: str | None, events: int, tmp_path: Path
) -> None:
    """Stamps that the file does not call UTC are asked for."""
    stamps = pa.array([STAMP], pa.timestamp("us", zone))
    row = {"Computer": ["dc1"], "SubType": ["LookupQuery"], "ClientIP": ["192.0.2.10"], "Name": ["app.example.test"]}
    file = tmp_path / "evidence"
    file.write_bytes(packed({"TimeGenerated": stamps, **row}))
    [run] = read(Source("E001", file))
    assert [e["format"] for e in run.in_order()] == ["azure_dns_events"] * events
    assert [e["time"] for e in run.in_order()] == [STAMP.replace(tzinfo=UTC)] * events
    assert run.count + run.unread.num_rows == 1


def test_a_process_with_many_open_files_reads_it_too(tmp_path: Path) -> None:
    """A lab that is open for a week, or a worker of many cases."""
    file = tmp_path / "evidence"
    file.write_bytes(packed(FLOWS))
    parquet._end_all()
    parquet._forget_all()
    try:
        held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    except OSError:
        pytest.skip("this machine gives a process fewer than 1,100 files")
    try:
        assert len(list(read_text(file))) > 0
    finally:
        for one in held:
            os.close(one)
        parquet._end_all()
        parquet._forget_all()


STAMP = dt.datetime(2026, 3, 10, 9, 0, 0, 123456)
VALUES: dict[str, tuple[Any, str]] = {
    "naive stamp": (pa.array([STAMP], pa.timestamp("us")), '"2026-03-10T09:00:00.123456"'),
    "stamp in UTC": (
        pa.array([STAMP.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")),
        '"2026-03-10T09:00:00.123456+00:00"',
    ),
    "stamp of nanoseconds": (
        pa.array([1773133200123456789], pa.timestamp("ns", "UTC")),
        '"2026-03-10T09:00:00.123456789+00:00"',
    ),
    "stamp in another zone": (pa.array([0], pa.timestamp("ms", "America/New_York")), '"1970-01-01T00:00:00+00:00"'),
    "date": (pa.array([dt.date(2026, 3, 10)]), '"2026-03-10"'),
    "time of day": (pa.array([dt.time(9, 0, 1)], pa.time64("us")), '"09:00:01"'),
    "decimal": (pa.array([decimal.Decimal("12345678901234567890.12")]), "12345678901234567890.12"),
    "wide decimal": (pa.array([decimal.Decimal("1.50")], pa.decimal256(60, 2)), '"1.50"'),
    "largest whole number": (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
    "no number": (pa.array([float("nan")]), '"nan"'),
    "fraction": (pa.array([0.1]), "0.1"),
    "half a word": (pa.array([1.5], pa.float16()), "1.5"),
    "bytes that are text": (pa.array([b"app.example.net"]), '"app.example.net"'),
    "bytes that are none": (pa.array([b"\xffa"]), r'"\\xffa"'),
    "bytes of fixed length": (pa.array([b"\x00\xff"], pa.binary(2)), '"00ff"'),
    "text": (pa.array(['a "quoted"\nü\x00']), r'"a \"quoted\"\nü\u0000"'),
    "dictionary": (pa.array(["a"]).dictionary_encode(), '"a"'),
    "nothing": (pa.array([None], pa.string()), "null"),
    "list": (pa.array([[1, None]]), "[1,null]"),
    "list of stamps": (pa.array([[STAMP]], pa.list_(pa.timestamp("us"))), '["2026-03-10T09:00:00.123456"]'),
    "struct": (pa.array([{"ip": "192.0.2.1", "on": True}]), '{"ip":"192.0.2.1","on":true}'),
    "struct of nothing": (pa.array([None], pa.struct([("ip", pa.string())])), "null"),
    "map": (pa.array([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64())), '{"k":1,"k":2}'),
    "map of numbers": (pa.array([[(7, None)]], pa.map_(pa.int64(), pa.string())), '{"7":null}'),
    "map in a list in a struct": (
        pa.array(
            [{"x": [[("k", [STAMP])]]}],
            pa.struct([("x", pa.list_(pa.map_(pa.string(), pa.list_(pa.timestamp("us")))))]),
        ),
        '{"x":[{"k":["2026-03-10T09:00:00.123456"]}]}',
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_are_written_so_that_nothing_is_lost(name: str, tmp_path: Path) -> None:
    array, expected = VALUES[name]
    assert rows_of(packed({"v": array}), tmp_path) == [f'{{"v":{expected}}}']


@pytest.mark.parametrize("name", VALUES)
def test_beside_a_value_that_costs_the_fast_way_all_others_read_the_same(name: str, tmp_path: Path) -> None:
    array, expected = VALUES[name]
    [row] = rows_of(packed({"v": array, "bad": pa.array([b"\xff"])}), tmp_path)
    found = row.removesuffix(r',"bad":"\\xff"}').removeprefix('{"v":')
    assert found in (expected, f'"{expected}"'), "a decimal may be a number or its text"


def test_names_of_columns_that_differ_in_case_or_not_at_all_are_kept(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["Time", "time", "time"])
    out = io.BytesIO()
    pq.write_table(table, out)
    assert rows_of(out.getvalue(), tmp_path) == ['{"Time":1,"time":2,"time":3}']


def test_row_groups_follow_one_another_and_a_file_without_rows_is_empty(tmp_path: Path) -> None:
    many = packed({"n": list(range(25_000))}, row_group_size=700)
    assert [json.loads(row)["n"] for row in rows_of(many, tmp_path)] == list(range(25_000))
    assert text_of(packed({"n": pa.array([], pa.int64())}), tmp_path) == ("", [])


@pytest.mark.parametrize(
    "pack", [gz, lambda d: zipped([("a.parquet", d), ("b.parquet", d)]), lambda d: tarred([("a", d)])]
)
def test_parquet_in_a_compressed_file_or_an_archive_reads_the_same(pack: Any, tmp_path: Path) -> None:
    plain, _ = text_of(packed(FLOWS), tmp_path)
    text, reasons = text_of(pack(packed(FLOWS)), tmp_path)
    assert reasons == []
    assert set(text.split("\n")) == set(plain.split("\n"))
    assert len(text) % len(plain) == 0


def test_a_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = packed(FLOWS)
    for size in (5, 40, len(whole) // 2, len(whole) - 1):
        text, [reason] = text_of(whole[:size], tmp_path)
        assert text == ""
        assert reason.startswith("the Parquet file is cut off: the index of its rows")


def test_an_encrypted_file_says_so(tmp_path: Path) -> None:
    assert text_of(packed(FLOWS)[:-4] + b"PARE", tmp_path)[1][0].startswith("the Parquet file is encrypted")


def test_text_that_begins_with_the_same_letters_is_text(tmp_path: Path) -> None:
    assert not is_parquet(b"PAR1 of the log")
    assert text_of(b"PAR1 of the log\n", tmp_path) == ("PAR1 of the log\n", [])


def test_rows_before_a_damage_are_read_and_the_damage_is_a_record_of_its_own(tmp_path: Path) -> None:
    columns = {"n": list(range(60_000)), "t": [f"text {i * 7919 % 60_000}" for i in range(60_000)]}
    data = bytearray(packed(columns, row_group_size=20_000, compression="gzip", use_dictionary=False))
    about = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(2).column(1)
    place = about.data_page_offset + 400
    data[place : place + 200] = bytes(200)
    file = tmp_path / "evidence"
    file.write_bytes(data)
    rows = [r for run in read(Source("E001", file)) for r in run.unread.to_pylist()]
    assert len(rows) == 40_001
    assert rows[-1]["reason"].startswith("the Parquet file is damaged: ")


def test_flipped_bytes_never_end_the_run(tmp_path: Path) -> None:
    """A few hundred of some thousand flips that were tried: each gives rows, a reason, or both."""
    whole = packed({**FLOWS, "nested": pa.array([{"a": [{"b": "x"}]}] * 4)}, compression="gzip")
    chance = random.Random(1)
    outcomes = set()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 8))):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        text, reasons = text_of(bytes(data), tmp_path)
        assert text or reasons
        assert all(reason.startswith(("the Parquet file is ", "no ")) for reason in reasons)
        outcomes.add((bool(text), bool(reasons)))
    assert len(outcomes) > 1


def test_a_reader_that_dies_costs_one_file_and_no_more(tmp_path: Path) -> None:
    whole = packed({"t": [random.Random(i).randbytes(20).hex() for i in range(200_000)]})
    file = tmp_path / "evidence"
    file.write_bytes(whole)
    blocks = read_text(file)
    assert isinstance(next(blocks), str)
    for reader in parquet._BUSY:
        reader.process.kill()
    reasons = [block.reason for block in blocks if isinstance(block, Damage)]
    assert reasons == ["the Parquet file is damaged so that the library which reads Parquet stopped there"]
    assert len(rows_of(packed(FLOWS), tmp_path)) == 4


def test_many_columns_and_deep_ones_are_read_or_refused(tmp_path: Path) -> None:
    wide = rows_of(packed({f"c{i}": [i] for i in range(10_000)}), tmp_path)
    assert [len(json.loads(row)) for row in wide] == [10_000]
    value: Any = "x"
    kind: pa.DataType = pa.string()
    for _ in range(100):
        value, kind = [value], pa.list_(kind)
    text, reasons = text_of(packed({"deep": pa.array([value], kind)}), tmp_path)
    assert text.count("[") == 100 or reasons


def test_a_bomb_of_rows_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BOMB_BYTES", 1 << 20)
    text, [reason] = text_of(packed({"t": ["x" * 1000] * 300_000}), tmp_path)
    assert "this looks like a bomb" in reason
    assert len(text) < 100_000_000


def test_columns_that_are_nearly_all_empty_are_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BOMB_BYTES", 1 << 16)
    empty = {f"a_long_name_of_a_column_{i}": pa.array([None] * 5_000, pa.string()) for i in range(100)}
    full = [random.Random(i).randbytes(8).hex() for i in range(5_000)]
    assert len(rows_of(packed({"t": full, **empty}), tmp_path)) == 5_000
