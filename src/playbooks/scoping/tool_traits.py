"""Which traits of documented tools the contacts show: distinct values are matched, never rows.

The engine finds the values that any trait fits, and they are looked at one by one. A tunnel (CONNECT) shows no path
and no header: a trait of those is not looked for there.
"""

from __future__ import annotations

from collections.abc import Collection

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from playbooks.knowledge.characteristics import LONGEST_TEXT, Characteristics, load_characteristics
from playbooks.scoping.pair_context import first_records, places
from playbooks.scoping.pair_telemetry import Columns, PairNames

# column of the contacts → columns of event tables whose content it holds
HOST = ("dst_endpoint_hostname", "tls_sni", "query_hostname")
SHOWS = {
    "dst_name": HOST,
    "user_agent": ("http_request_user_agent",),
    "path": ("http_request_url_string",),
    "fingerprint": ("tls_ja4", "tls_ja3"),
    "process": ("actor_process_file_path", "actor_process_name"),
}
GROUP = ("src", "dst", "trait", "field", "value")
SHOWN_TEXT = 200  # characters of a value that are kept
FINGERPRINT_KIND = {"tls_ja4": "ja4:", "tls_ja3": "ja3:"}
EMPTY: dict[str, list[str]] = {"traits": [], "trait_fields": [], "trait_values": [], "trait_refs": []}


def tool_traits(seen: ir.Table, pairs: PairNames, filled: Collection[str]) -> Columns:
    """Traits of each pair in order of their ids, each with column, value and first record.

    `filled` are the columns that any record carries.
    """
    traits = load_characteristics()
    found: list[dict[str, list[str]]] = [EMPTY] * len(pairs.src)
    rows: list[dict[str, str]] = []
    for column in (name for name in SHOWS if name in filled):
        rows += _of_column(seen, column, traits)
    place = places(pairs) if rows else {}
    for row in sorted(rows, key=lambda row: (row["trait"], row["field"], row["value"])):
        number = place[row["src"], row["dst"]]
        if found[number] is EMPTY:
            found[number] = {name: [] for name in EMPTY}
        for name, told in zip(EMPTY, ("trait", "field", "value", "ref"), strict=True):
            found[number][name].append(row[told][:SHOWN_TEXT])
    return {name: [one[name] for one in found] for name in EMPTY}


def _of_column(seen: ir.Table, column: str, traits: Characteristics) -> list[dict[str, str]]:
    """(src, dst, trait, field, value, ref) of what one column shows."""
    fields = SHOWS[column]
    pattern = "|".join(f"(?:{one.regex.pattern})" for one in traits.characteristics if set(fields) & set(one.fields))
    if not pattern:
        return []
    keys = ("dst", "path") if column == "path" else (column,)
    rows = seen.filter(seen[column].notnull())
    distinct = rows.select(*keys).distinct()
    distinct = distinct.mutate(value=_text(distinct, column))
    fits = distinct.filter(_bare(distinct.value, column).re_search(pattern)).to_pyarrow().to_pylist()
    shown = [(row, hit) for row in fits for hit in _hits(row["value"], fields, traits)]
    if not shown:
        return []
    held: dict[str, list[str]] = {key: [row[key] for row, _ in shown] for key in (*keys, "value")}
    held |= {"trait": [trait for _, (trait, _) in shown], "field": [field for _, (_, field) in shown]}
    hits = first_records(rows.inner_join(ibis.memtable(pa.table(held)), keys), *GROUP)
    one = ibis.row_number().over(group_by=[hits[key] for key in GROUP[:-1]], order_by=hits.value)
    first = hits.mutate(one=one)
    told: list[dict[str, str]] = first.filter(first.one == 0).drop("one", "times").to_pyarrow().to_pylist()
    return told


def _text(rows: ir.Table, column: str) -> ir.StringValue:
    """The value as the traits expect it, cut; of a path the URL, whose scheme the contacts do not keep."""
    text = "https://" + rows.dst + rows.path if column == "path" else rows[column]
    return text.substr(0, LONGEST_TEXT)


def _bare(value: ir.StringValue, column: str) -> ir.StringValue:
    return value.substr(4) if column == "fingerprint" else value


def _hits(value: str, fields: tuple[str, ...], traits: Characteristics) -> list[tuple[str, str]]:
    """(trait, field) that a value shows; a field only where the value can be of it, a trait in its first field."""
    found: dict[str, str] = {}
    for field in fields:
        kind = FINGERPRINT_KIND.get(field, "")
        if value.startswith(kind):
            for trait in traits.seen_in(field, value.removeprefix(kind)):
                found.setdefault(trait.id, field)
    return list(found.items())
