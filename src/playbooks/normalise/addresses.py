"""IPv6 addresses in one spelling (RFC 5952), whatever the log writes: joins compare text."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ("src_endpoint_ip", "dst_endpoint_ip", "proxy_endpoint_ip", "answers", "indicator")


def in_one_spelling(table: pa.Table) -> pa.Table:
    """The same rows with IPv6 addresses in their canonical form, and IPv4 ones that were mapped into IPv6 as IPv4."""
    for name in COLUMNS:
        if name in table.column_names:
            column = pa.chunked_array([_spelled(chunk) for chunk in table[name].chunks], table[name].type)
            table = table.set_column(table.column_names.index(name), table.schema.field(name), column)
    return table


def _spelled(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        column = column.take(pa.array(range(len(column)))) if column.offset else column
        values = _spelled(column.values)
        if values is column.values:
            return column
        return pa.ListArray.from_arrays(column.offsets, values, mask=pc.is_null(column))
    if not pc.any(pc.match_substring(column, ":")).as_py():
        return column
    coded = pc.dictionary_encode(column)
    dictionary = pa.array([canonical(text) for text in coded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, dictionary).cast(pa.string())


def canonical(text: str) -> str:
    """An address in its canonical spelling; any other text as it is."""
    if text.count(":") < 2:
        return text
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return text
    return str(address.ipv4_mapped or address)


__all__ = ["canonical", "in_one_spelling"]
