"""Parquet rows → JSON text, a row a line: run as a process of its own, which a damaged file may end.

Asked with a path on a line of stdin, it answers with frames on stdout: a letter (`t` text, `x` why the file
cannot be read further, `e` end), the length of what follows, and what the text weighs without the names of its
columns. A batch that the engine cannot turn to JSON as it stands (text that is no UTF-8, names that occur twice,
types it does not know) is written value by value, slower and with the same rules.

Timestamps are ISO, with `+00:00` where the file says that they are UTC; decimals are exact; bytes that are no UTF-8
stand as `\\xNN`, those of fixed length in hex; numbers that are not finite are text; a map is an object.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from playbooks import engine

FRAME = struct.Struct(">cQQ")
MEMORY_BYTES = 3 << 30  # of address space; what needs more is refused
BATCH_ROWS, BATCH_BYTES, BATCH_CELLS = 10_000, 16 << 20, 400_000
ROW_WEIGHT = 8  # a row of nothing weighs something
UNREADABLE = (pa.ArrowException, duckdb.Error, OSError, ValueError, MemoryError, RecursionError, OverflowError)


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer one file after the other until nobody asks."""
    con = engine.connect()
    con.execute("SET threads=1")
    con.execute("SET memory_limit='1GB'")
    while line := asked.readline():
        kind, reason = b"e", b""
        try:
            for text, weight in _texts(con, json.loads(line)):
                answers.write(FRAME.pack(b"t", len(text), weight) + text)
        except UNREADABLE as error:
            kind, reason = b"x", _reason(error).encode("utf-8", "backslashreplace")
        answers.write(FRAME.pack(kind, len(reason), 0) + reason)
        answers.flush()


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "what it unpacks to does not fit into memory"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _texts(con: duckdb.DuckDBPyConnection, path: str) -> Iterator[tuple[bytes, int]]:
    """Batches of rows as text, each with its weight."""
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20, page_checksum_verification=True) as file:
        rows = _batch_rows(file.metadata)
        empty = sum(len(json.dumps(name)) + len(":null,") for name in file.schema_arrow.names) + 2
        given = 0
        for batch in file.iter_batches(rows, use_threads=False):
            try:
                lines = _fast(con, batch)
            except UNREADABLE:
                lines = list(_slow(batch))
            given += len(lines)
            text = "".join(line + "\n" for line in lines).encode()
            yield text, max(0, len(text) - len(lines) * empty) + ROW_WEIGHT * len(lines)
        _check(file.metadata, given)


def _check(about: pq.FileMetaData, given: int) -> None:
    """Whether the rows that were read are all that the file states, in each place where it states them."""
    groups = [about.row_group(i) for i in range(about.num_row_groups)]
    flat = [i for i in range(about.num_columns) if about.schema.column(i).max_repetition_level == 0][:1]
    stated = {about.num_rows, sum(group.num_rows for group in groups)}
    stated |= {sum(group.column(i).num_values for group in groups) for i in flat}
    if stated != {given}:
        others = " or ".join(f"{count:,}" for count in sorted(stated - {given}))
        raise ValueError(f"it states {others} rows and {given:,} were read: rows may be missing")


def _batch_rows(about: pq.FileMetaData) -> int:
    """How many rows at once: what the file claims to hold decides about speed only."""
    claimed = max((about.row_group(i).total_byte_size for i in range(min(about.num_row_groups, 8))), default=0)
    rows = max((about.row_group(i).num_rows for i in range(min(about.num_row_groups, 8))), default=0)
    a_row = max(1, claimed // max(1, rows))
    most: int = min(BATCH_ROWS, BATCH_BYTES // a_row, BATCH_CELLS // max(1, about.num_columns))
    return max(1, most)


def _fast(con: duckdb.DuckDBPyConnection, batch: pa.RecordBatch) -> list[str]:
    """The rows of a batch as the engine writes JSON."""
    kinds = [_plain(kind) for kind in batch.schema.types]
    plain = pa.table(
        [column.cast(kind) for column, kind in zip(batch.columns, kinds, strict=True)],
        names=[f"c{i}" for i in range(len(kinds))],
    )
    plain.validate(full=True)
    con.register("plain", plain)
    found = con.execute(_select(batch.schema)).fetchall()
    con.unregister("plain")
    return [row[0] for row in found]


@cache
def _select(schema: pa.Schema) -> str:
    values = [f"{_quoted(name)} := {_value(kind, f'c{i}')}" for i, (name, kind) in enumerate(_fields(schema))]
    return f"SELECT to_json(struct_pack({', '.join(values)})) FROM plain"


def _fields(fields: Any) -> list[tuple[str, pa.DataType]]:
    return [(fields.field(i).name, fields.field(i).type) for i in range(len(fields))]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type to which values are cast before the engine sees them."""
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(name, _plain(inner)) for name, inner in _fields(kind)])
    if pa.types.is_map(kind):
        return pa.list_(pa.struct([("key", _plain(kind.key_type)), ("value", _plain(kind.item_type))]))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_timestamp(kind):
        return pa.timestamp(kind.unit)
    if pa.types.is_float16(kind):
        return pa.float32()
    texts = (pa.types.is_decimal256, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_large_string)
    return pa.string() if any(is_one(kind) for is_one in texts) else kind


def _value(kind: pa.DataType, sql: str, depth: int = 0) -> str:
    """SQL that gives a value as JSON shall show it."""
    if isinstance(kind, pa.BaseExtensionType):
        return _value(kind.storage_type, sql, depth)
    if pa.types.is_struct(kind):
        inner = (f"{_quoted(name)} := {_value(k, f'{sql}.{_quoted(name)}', depth)}" for name, k in _fields(kind))
        return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(inner)}) END"
    if pa.types.is_map(kind):
        each = f"e{depth}"
        held = f"coalesce(CAST(to_json({_value(kind.item_type, f'{each}.value', depth + 1)}) AS VARCHAR), 'null')"
        pair = f"CAST(to_json(CAST({each}.key AS VARCHAR)) AS VARCHAR) || ':' || {held}"
        return f"CAST('{{' || array_to_string(list_transform({sql}, lambda {each}: {pair}), ',') || '}}' AS JSON)"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner_value = _value(kind.value_type, f"e{depth}", depth + 1)
        return sql if inner_value == f"e{depth}" else f"list_transform({sql}, lambda e{depth}: {inner_value})"
    if pa.types.is_timestamp(kind):
        return f"replace(CAST({sql} AS VARCHAR), ' ', 'T')" + (" || '+00:00'" if kind.tz else "")
    if pa.types.is_floating(kind):
        return f"CASE WHEN isfinite({sql}) THEN to_json({sql}) ELSE to_json(CAST({sql} AS VARCHAR)) END"
    return f"lower(hex({sql}))" if pa.types.is_fixed_size_binary(kind) else sql


def _slow(batch: pa.RecordBatch) -> Iterator[str]:
    """The rows of a batch, value by value."""
    names = [json.dumps(name, ensure_ascii=False) for name in batch.schema.names]
    for row in range(batch.num_rows):
        values = (_text(column[row]) for column in batch.columns)
        yield "{" + ",".join(f"{name}:{value}" for name, value in zip(names, values, strict=True)) + "}"


def _text(value: pa.Scalar) -> str:
    """A value as JSON text."""
    if isinstance(value, pa.ExtensionScalar):
        value = value.value
    if isinstance(value, pa.DictionaryScalar):
        value = value.value
    if value is None or not value.is_valid:
        return "null"
    if isinstance(value, pa.StructScalar):
        inner = ((name, value[i]) for i, (name, _) in enumerate(_fields(value.type)))
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_text(v)}" for name, v in inner) + "}"
    if isinstance(value, pa.MapScalar):
        pairs = ((pair["key"], pair["value"]) for pair in value.values)
        return "{" + ",".join(f"{_key(key)}:{_text(held)}" for key, held in pairs) + "}"
    if isinstance(value, pa.ListScalar):
        return "[" + ",".join(_text(held) for held in value.values) + "]"
    return _single(value)


def _key(value: pa.Scalar) -> str:
    text = _text(value)
    return text if text.startswith('"') else json.dumps(text)


FIXED = pa.FixedSizeBinaryScalar


def _single(value: pa.Scalar) -> str:
    if isinstance(value, FIXED):
        return json.dumps(value.as_py().hex())
    if isinstance(value, pa.BinaryScalar):  # text too
        return json.dumps(value.as_buffer().to_pybytes().decode("utf-8", "backslashreplace"), ensure_ascii=False)
    if isinstance(value, pa.TimestampScalar):
        naive = value.cast(pa.timestamp(value.type.unit)).cast(pa.string()).as_py()
        return json.dumps(_short(naive).replace(" ", "T") + ("+00:00" if value.type.tz else ""))
    if isinstance(value, pa.BooleanScalar):
        return json.dumps(value.as_py())
    if isinstance(value, pa.Decimal128Scalar | pa.Decimal256Scalar):
        return json.dumps(str(value.as_py()))
    held = value.as_py() if pa.types.is_integer(value.type) or pa.types.is_floating(value.type) else None
    if held is not None and held - held == 0:  # finite
        return json.dumps(held)
    return json.dumps(_short(value.cast(pa.string()).as_py()) if held is None else str(held))


def _short(stamp: str) -> str:
    """A stamp or time of day without zeros at the end of its fraction, as the engine writes it."""
    return stamp.rstrip("0").rstrip(".") if "." in stamp else stamp


def _bound(what: int, most: int) -> None:
    """Bound what this process may take, where the system can."""
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError):
        return


def main() -> None:
    """Serve whoever started this process, within bounds."""
    _bound(resource.RLIMIT_AS, MEMORY_BYTES)
    _bound(resource.RLIMIT_CORE, 0)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
