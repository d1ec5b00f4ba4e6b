"""U+0000 in texts of events, written as ␀: no SQL text can hold it, and pandas takes two texts for one that differ
only behind it. The raw record keeps it.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from playbooks.normalise.lines import holds

SHOWN = "\u2400"
JSON_TEXTS = ("request", "response")  # hold it as an escape, which a question would turn into the character
_ESCAPE = r"\u0000"
_ESCAPED = r"(^|[^\\])((?:\\\\)*)\\u0000"  # not the end of an escaped backslash


def without_nul(table: pa.Table) -> pa.Table:
    """The same rows with U+0000 shown as ␀ in every text."""
    for place, field in enumerate(table.schema):
        sign = _ESCAPE.encode() if field.name in JSON_TEXTS else b"\0"
        if any(_holds(chunk, sign) for chunk in table[field.name].chunks):
            shown = _unescaped if field.name in JSON_TEXTS else _shown
            column = pa.chunked_array([shown(chunk) for chunk in table[field.name].chunks], field.type)
            table = table.set_column(place, field, column)
    return table


def _holds(column: pa.Array, sign: bytes) -> bool:
    if pa.types.is_list(column.type):
        return _holds(column.flatten(), sign)
    return pa.types.is_string(column.type) and len(column) > 0 and holds(column, sign)


def _shown(column: pa.Array) -> pa.Array:
    if not pa.types.is_list(column.type):
        return pc.replace_substring(column, "\0", SHOWN)
    column = column.take(pa.array(range(len(column)))) if column.offset else column
    return pa.ListArray.from_arrays(column.offsets, _shown(column.values), mask=pc.is_null(column))


def _unescaped(column: pa.Array) -> pa.Array:
    for _ in range(2):  # of two beside each other the first pass sees one
        column = pc.replace_substring_regex(column, _ESCAPED, rf"\1\2{SHOWN}")
    return column
