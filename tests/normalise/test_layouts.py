"""Layouts that formats are made of: pairs of names and values, W3C logs, and logs of many kinds."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.formats import Clock, Format, Json, Pairs, Part, W3c
from playbooks.normalise import Source, read
from playbooks.normalise.cut import w3c_cells, w3c_fields
from playbooks.normalise.detect import Detection, fit
from playbooks.normalise.pairs import pairs
from playbooks.normalise.sample import Sample

KEY_VALUE = {
    'a=1 b="two words" c=': {"a": "1", "b": "two words", "c": ""},
    '<189>Mar 10 09:00:00 fw1 date=2026-03-10 msg="say \\"hi\\""': {
        "prefix": "<189>Mar 10 09:00:00 fw1", "date": "2026-03-10", "msg": 'say "hi"',
    },
    "a=1, b=2; c=3": {"a": "1", "b": "2", "c": "3"},
    'a=1,b="2, 3",c=4,5,d=': {"a": "1", "b": "2, 3", "c": "4,5", "d": ""},
    'a="\\xff\\n"': {"a": "\\xffn"},
    "url=https://x.example.test/?a=1&b=2 n=3": {"url": "https://x.example.test/?a=1&b=2", "n": "3"},
    "a=1 a=2 a=3": {"a": "1", "a_2": "2", "a_3": "3"},
    "src-ip=192.0.2.1 dst.port=443": {"src_ip": "192.0.2.1", "dst_port": "443"},
    'a="never closed b=2': {"a": '"never', "b": "2", "prefix": None},
    "no pair here": {},
    "": {},
}  # fmt: skip
CEF = {
    r"CEF:0|Ven\|dor|Web|1.0|100|Allowed|5|src=192.0.2.1 request=https://x.example.test/a\=b msg=two words dst=::1": {
        "cef_vendor": "Ven|dor", "cef_product": "Web", "cef_version": "1.0", "cef_signature": "100",
        "cef_name": "Allowed", "cef_severity": "5", "src": "192.0.2.1", "request": "https://x.example.test/a=b",
        "msg": "two words", "dst": "::1",
    },
    "0|Vendor|Web|1|2|n|3|act=block": {
        "cef_vendor": "Vendor", "cef_product": "Web", "cef_version": "1", "cef_signature": "2", "cef_name": "n",
        "cef_severity": "3", "act": "block",
    },
    "CEF:0|V|P|1|2|n|3|no pair": {
        "cef_vendor": "V", "cef_product": "P", "cef_version": "1", "cef_signature": "2", "cef_name": "n",
        "cef_severity": "3",
    },
    "CEF:0|half|a": {},
}  # fmt: skip
LEEF = {
    "LEEF:1.0|V|P|1|E|src=192.0.2.1\tmsg=a b\tx=": {
        "leef_vendor": "V", "leef_product": "P", "leef_version": "1", "leef_event": "E", "src": "192.0.2.1",
        "msg": "a b", "x": "",
    },
    "LEEF:2.0|V|P|1|E|^|a=1^b=2": {
        "leef_vendor": "V", "leef_product": "P", "leef_version": "1", "leef_event": "E", "a": "1", "b": "2",
    },
    "LEEF:2.0|V|P|1|E|x7C|a=1|b=2": {
        "leef_vendor": "V", "leef_product": "P", "leef_version": "1", "leef_event": "E", "a": "1", "b": "2",
    },
}  # fmt: skip
LINES = [(style, line, found) for style, lines in (("keyvalue", KEY_VALUE), ("cef", CEF), ("leef", LEEF))
         for line, found in lines.items()]  # fmt: skip


@pytest.mark.parametrize(("style", "line", "expected"), LINES)
def test_names_and_values_of_a_line_are_told_apart(style: str, line: str, expected: dict[str, str]) -> None:
    assert pairs(line, style) == {name: value for name, value in expected.items() if value is not None}


@given(st.text(), st.sampled_from(["keyvalue", "cef", "leef"]))
def test_no_text_stops_the_reading_of_pairs(text: str, style: str) -> None:
    assert all(isinstance(value, str) for value in pairs(text, style).values())


@pytest.mark.parametrize(
    "line", ["a" * 2_000_000, "a=" * 500_000, '"' * 1_000_000, "|" * 1_000_000, 'a="' + "\\" * 999_999]
)
@pytest.mark.parametrize("style", ["keyvalue", "cef", "leef"])
def test_a_long_line_costs_time_in_proportion(line: str, style: str) -> None:
    """Quadratic work on two million characters would take hours."""
    start = time.process_time()
    pairs(line, style)
    assert time.process_time() - start < 20


def test_the_names_of_a_w3c_header_are_plain_and_its_cells_are_cut() -> None:
    header = "#Fields: date time c-ip cs(User-Agent) x-cs(Referer)  sc-bytes"
    assert w3c_fields(header) == ("date", "time", "c_ip", "cs_user_agent", "x_cs_referer", "sc_bytes")
    assert w3c_fields("#Date: 2026-03-10") == ()
    assert w3c_cells('2026-03-10 "a ""b"" c" - ""') == ["2026-03-10", 'a ""b"" c', "-", ""]
    assert w3c_cells("a\tb c\t") == ["a", "b c", ""]


def log(folder: Path, text: str) -> Source:
    (folder / "a.log").write_text(text, encoding="utf-8")
    return Source("E001", folder / "a.log")


def form(cut: Json | Pairs | W3c, **facts: object) -> Format:
    return Format(
        name="odd", product="Odd", cut=cut, clock=Clock.IN_THE_STAMP, shows="x", cannot_show="y", reference="z",
        **facts,  # type: ignore[arg-type]
    )  # fmt: skip


MANY = form(
    Json(keys=frozenset({"kind"}), shape='{"kind": "VARCHAR", "t": "VARCHAR", "name": "VARCHAR", "dst": "VARCHAR"}'),
    kind="r.kind",
    parts=(
        Part("dns_activity", "r.kind = 'dns'", "iso_time(r.t) AS time, hostname(r.name) AS query_hostname"),
        Part("network_activity", "r.kind = 'flow'", "iso_time(r.t) AS time, address(r.dst) AS dst_endpoint_ip"),
        Part("network_activity", "r.kind = 'tls'", "iso_time(r.t) AS time, said(r.name) AS tls_sni"),
    ),
    status=(("r.kind = 'stats'", "status line: figures of the sensor"),),
)


def test_each_record_of_a_log_of_many_kinds_goes_to_its_table_and_none_is_lost(tmp_path: Path) -> None:
    stamp = "2026-03-10T09:00:00Z"
    kinds = ["dns", "tls", "stats", "flow", "alert‹b›", "dns", None, "tls"]
    facts = {"t": stamp, "name": "a.example.test", "dst": "192.0.2.1"}
    lines = [json.dumps({"kind": kind, **facts}, ensure_ascii=False) for kind in kinds]
    lines[5] = lines[5].replace(stamp, "yesterday")
    source = log(tmp_path, "\n".join([*lines, '{"kind": "dns", "t']) + "\n")
    [rows] = read(source, Detection(MANY, MANY.cut, ()))
    found = [(row["record_no"], row.get("query_hostname"), row.get("tls_sni"), row.get("dst_endpoint_ip"))
             for row in rows.in_order()]  # fmt: skip
    assert found == [
        (1, "a.example.test", None, None), (2, None, "a.example.test", None), (4, None, None, "192.0.2.1"),
        (8, None, "a.example.test", None),
    ]  # fmt: skip
    assert [(row["record_no"], row["kind"], row["reason"]) for row in rows.unread.to_pylist()] == [
        (3, "status", "status line: figures of the sensor"),
        (5, "unknown", "a record of kind ‘alert‹b›’ is not read"),
        (6, "broken", "no time: Odd has a stamp with date, time and zone here"),
        (7, "unknown", "a record of kind ‘unknown’ is not read"),
        (9, "broken", "not a whole JSON object"),
    ]
    assert set(rows.tables) == {"dns_activity", "network_activity"}
    assert rows.count == 4


def test_a_w3c_log_is_read_by_its_own_header_which_may_change(tmp_path: Path) -> None:
    odd = form(
        W3c(fields=("date", "time", "c_ip", "cs_host"), keys=frozenset({"c_ip", "cs_host"})),
        table="http_activity",
        columns="iso_time(r.date || 'T' || r.time || 'Z') AS time, address(r.c_ip) AS src_endpoint_ip, "
        "hostname(r.cs_host) AS dst_endpoint_hostname",
    )
    text = (
        "#Software: x\n#Fields: date time c-ip cs-host\n2026-03-10 09:00:00 192.0.2.1 a.example.test\n"
        "2026-03-10 09:00:01 192.0.2.1\n#Fields: cs-host c-ip time date\nb.example.test 192.0.2.2 09:00:02 2026-03-10\n"
    )
    assert fit(odd, Sample(text)).share == 1
    found = list(read(log(tmp_path, text), Detection(odd, odd.cut, ())))
    events = [(row["record_no"], row["dst_endpoint_hostname"]) for rows in found for row in rows.in_order()]
    assert events == [(1, "a.example.test"), (3, "b.example.test")]
    [unread] = [row["reason"] for rows in found for row in rows.unread.to_pylist()]
    assert unread == "3 columns where the `#Fields:` line names 4"


def test_the_mark_of_a_layout_looks_at_names_and_values() -> None:
    only = Pairs("keyvalue", ("type", "srcip"), frozenset({"type", "srcip"}), only=(("type", "traffic|utm"),))
    odd = form(only, table="network_activity", columns="epoch_time(r.type) AS time")
    assert fit(odd, Sample("type=traffic srcip=192.0.2.1\ntype=event srcip=192.0.2.1\n")).share == 0.5
    assert fit(odd, Sample("type=event srcip=192.0.2.1\n")).missing == "type is not traffic|utm"
    assert fit(odd, Sample("type=traffic\n")).missing == "missing: srcip"
    assert fit(odd, Sample("nothing\n")).missing == "no pairs"
    inner = form(Json(frozenset({"a"}), "{}", only=(("a.b", "x"),)), table="dns_activity", columns="NULL AS time")
    assert fit(inner, Sample('{"a": {"b": "x"}}\n{"a": {"b": "y"}}\n{"a": 1}\n{"a.b": "x", "a": 2}\n')).share == 0.5


SEVERAL = form(
    Json(keys=frozenset({"host", "flows"}), shape='{"host": "VARCHAR", "flows": ["VARCHAR"]}'),
    table="network_activity",
    each="r.flows",
    columns="epoch_time(string_split(item, ',')[1]) AS time, address(r.host) AS src_endpoint_ip, "
    "port(string_split(item, ',')[2]) AS dst_endpoint_port",
)


def test_a_record_of_several_entries_gives_a_row_for_each_under_its_number(tmp_path: Path) -> None:
    lists = [["1773133200,443", "1773133201,80"], [], ["1773133202,53", "1773133203,70000", "x,1"], ["1773133204,22"]]
    lines = [json.dumps({"host": f"192.0.2.{n}", "flows": flows}) for n, flows in enumerate(lists)]
    [rows] = read(log(tmp_path, "\n".join([*lines, '{"host": "x"}']) + "\n"), Detection(SEVERAL, SEVERAL.cut, ()))
    found = [(row["record_no"], row["src_endpoint_ip"], row["dst_endpoint_port"]) for row in rows.in_order()]
    assert found == [(1, "192.0.2.0", 443), (1, "192.0.2.0", 80), (3, "192.0.2.2", 53), (4, "192.0.2.3", 22)]
    unread = [(row["record_no"], row["reason"][:40]) for row in rows.unread.to_pylist()]
    assert unread == [
        (2, "holds no entry that could be an event"),
        (3, "a value cannot be read: dst_endpoint_por"),
        (5, "holds no entry that could be an event"),
    ]
    assert rows.count == 2, "the third record is unread: not all of it became events"


def test_a_record_without_a_stamp_is_an_event_without_a_time_where_the_format_says_so(tmp_path: Path) -> None:
    odd = form(
        Json(keys=frozenset({"name"}), shape='{"t": "VARCHAR", "name": "VARCHAR"}'),
        table="dns_activity",
        undated="said(r.t) IS NULL",
        columns="iso_time(r.t) AS time, hostname(r.name) AS query_hostname",
    )
    stamps = ["2026-03-10T09:00:00Z", None, "", "2026-03-10 09:00:00", "yesterday"]
    lines = [json.dumps({"name": f"n{n}.example.test", "t": stamp}) for n, stamp in enumerate(stamps)]
    [rows] = read(log(tmp_path, "\n".join(lines)), Detection(odd, odd.cut, ()))
    found = [(row["record_no"], row["time"] is None, row["query_hostname"]) for row in rows.in_order()]
    assert found == [(1, False, "n0.example.test"), (2, True, "n1.example.test"), (3, True, "n2.example.test")]
    assert [row["record_no"] for row in rows.unread.to_pylist()] == [4, 5]
