"""Own formats: YAML in the case describes a log; whoever wrote it, it can describe a log and do nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.refresh_cases import CASES

from playbooks import engine
from playbooks.case import Case, new_case
from playbooks.errors import CaseError
from playbooks.evidence import add
from playbooks.formats import FORMATS, MACROS
from playbooks.normalise import (
    Detection,
    Source,
    detect,
    formats_of,
    normalise,
    own_formats,
    read,
    read_formats,
    readings,
    show,
)
from playbooks.normalise.own_formats.document import MAX_BYTES
from playbooks.normalise.own_formats.expressions import FUNCTIONS, OWN_MACROS, REFUSING, Refused, check_expression

PROXY: dict[str, Any] = {
    "name": "acme_proxy",
    "product": "Acme web proxy",
    "clock": "in_the_stamp",
    "cut": {
        "layout": "lines",
        "pattern": r"^(?P<ts>\d{4}-\d\d-\d\dT\S+) (?P<client>\S+) (?P<url>https?://\S+) (?P<status>\S+) (?P<out>\S+)$",
    },
    "table": "http_activity",
    "columns": {
        "time": "iso_time(r.ts)",
        "src_endpoint_ip": "address(r.client)",
        "dst_endpoint_hostname": "url_host(r.url)",
        "http_response_code": "small(r.status)",
        "traffic_bytes_out": "TRY_CAST(r.out AS BIGINT) + 1",
    },
    "shows": "who asked for which URL",
    "cannot_show": "what stands inside TLS",
    "reference": "the proxy's manual",
}
LINE = "2026-03-10T09:00:00Z 192.0.2.10 https://app.example.test/x 200 17\n"
DNS: dict[str, Any] = {
    **{key: PROXY[key] for key in ("clock", "product", "shows", "cannot_show", "reference")},
    "name": "acme_dns",
    "table": "dns_activity",
    "columns": {"time": "iso_time(r.ts)", "query_hostname": "hostname(r.name)"},
}
STAMP = "2026-03-10T09:00:00Z"
LAYOUTS: dict[str, tuple[dict[str, Any], str]] = {
    "lines": ({"pattern": r"^(?P<ts>\S+Z) asked (?P<name>\S+)$"}, f"{STAMP} asked app.example.test"),
    "json": (
        {"fields": ["ts", "name"], "keys": ["ts", "name"], "envelopes": ["rows"]},
        json.dumps({"rows": [{"ts": STAMP, "name": "app.example.test"}]}),
    ),
    "keyvalue": ({"fields": ["ts", "name"], "keys": ["ts", "name"]}, f"ts={STAMP} name=app.example.test"),
    "cef": (
        {"fields": ["cef_vendor", "ts", "name"], "keys": ["ts", "cef_vendor"], "only": {"cef_vendor": "Acme"}},
        f"CEF:0|Acme|D|1|2|n|3|ts={STAMP} name=app.example.test",
    ),
    "leef": (
        {"fields": ["leef_vendor", "ts", "name"], "keys": ["ts", "leef_vendor"]},
        f"LEEF:1.0|Acme|D|1|E|ts={STAMP}\tname=app.example.test",
    ),
    "w3c": ({"fields": ["ts", "name"], "keys": ["ts", "name"]}, f"#Fields: ts name\n{STAMP} app.example.test"),
    "zeek": (
        {"path": "own", "fields": ["ts", "name"], "keys": ["ts", "name"]},
        f"#path\town\n#fields\tts\tname\n{STAMP}\tapp.example.test",
    ),
    "columns": (
        {"delimiter": ";", "fields": ["TS", "name"], "keys": ["TS", "name"]},
        f"TS;x;name\n{STAMP};1;app.example.test",
    ),
}


def written(folder: Path, document: dict[str, Any] | str, name: str = "own.yaml") -> Path:
    file = folder / name
    text = document if isinstance(document, str) else yaml.safe_dump(document, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    return file


def refused(folder: Path, document: dict[str, Any] | str) -> str:
    """What is said of a file, without its name and without the advice at the end."""
    file = written(folder, document)
    with pytest.raises(CaseError) as caught:
        read_formats([file])
    said = str(caught.value)
    assert said.startswith(str(file)), "what and where"
    assert "docs/how-to/own-format.md" in said or "copy it" in said, "what to do now"
    return said.removeprefix(str(file)).partition("\nCorrect these")[0].removeprefix(" is not valid:\n")


def rows_of(
    folder: Path, document: dict[str, Any], text: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Events without empty columns, unread records, blank lines."""
    log = folder / "own.log"
    log.write_text(text, encoding="utf-8")
    found = detect(log, read_formats([written(folder, document)]))
    assert found.format
    assert found.format.name == document["name"]
    runs = list(read(Source("E001", log), found))
    events = [{k: v for k, v in row.items() if v is not None} for rows in runs for row in rows.in_order()]
    return events, [row for rows in runs for row in rows.unread.to_pylist()], sum(rows.blank for rows in runs)


# it reads


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_can_be_described(tmp_path: Path, layout: str) -> None:
    cut, text = LAYOUTS[layout]
    [event], unread, _ = rows_of(tmp_path, {**DNS, "cut": {"layout": layout, **cut}}, text + "\n")
    assert unread == []
    assert (event["time"].isoformat(), event["query_hostname"]) == ("2026-03-10T09:00:00+00:00", "app.example.test")
    assert event["format"] == "acme_dns"


def test_nested_json_several_entries_and_parts_can_be_described(tmp_path: Path) -> None:
    document = {key: value for key, value in DNS.items() if key not in ("table", "columns")} | {
        "cut": {
            "layout": "json",
            "fields": {"ts": "text", "kind": "text", "q": {"names": "texts"}},
            "keys": ["ts", "kind"],
        },
        "kind": "r.kind",
        "status": [{"when": "r.kind = 'hello'", "reason": "the sensor says hello"}],
        "undated": "r.kind = 'list' AND r.ts IS NULL",
        "parts": [
            {
                "table": "dns_activity",
                "when": "r.kind = 'dns'",
                "each": "r.q.names",
                "columns": "-- one event a name\niso_time(r.ts) AS time,\nhostname(item) AS query_hostname,\n",
            },
            {"table": "http_activity", "when": "r.kind = 'list'", "columns": {"time": "iso_time(r.ts)"}},
        ],
    }
    lines = [
        {"ts": STAMP, "kind": "dns", "q": {"names": ["a.example.test", "b.example.test"]}},
        {"ts": STAMP, "kind": "hello"},
        {"ts": STAMP, "kind": "other"},
        {"ts": None, "kind": "list"},
    ]
    events, unread, _ = rows_of(tmp_path, document, "".join(json.dumps(line) + "\n" for line in lines))
    assert [(e["record_no"], e.get("query_hostname"), "time" in e) for e in events] == [
        (1, "a.example.test", True), (1, "b.example.test", True), (4, None, False),
    ]  # fmt: skip
    assert [(row["record_no"], row["kind"], row["reason"]) for row in unread] == [
        (2, "status", "status line: the sensor says hello"),
        (3, "unknown", "a record of kind ‘other’ is not read"),
    ]


def test_a_column_with_dots_in_its_header_is_read(tmp_path: Path) -> None:
    cut = {
        "layout": "columns",
        "delimiter": ",",
        "fields": ["@timestamp", "dns.name"],
        "keys": ["@timestamp", "dns.name"],
    }
    columns = {"time": 'iso_time(r."@timestamp")', "query_hostname": "hostname(r.dns_name)"}
    events, _, _ = rows_of(
        tmp_path, {**DNS, "cut": cut, "columns": columns}, f"@timestamp,dns.name\n{STAMP},a.example.test\n"
    )
    assert events[0]["query_hostname"] == "a.example.test"


def test_a_stamp_without_zone_asks_the_case(tmp_path: Path) -> None:
    document = {**PROXY, "clock": "ask", "columns": {"time": "case_clock(r.ts)"}}
    log = tmp_path / "own.log"
    log.write_text(LINE.replace("Z ", " "))
    found = detect(log, read_formats([written(tmp_path, document)]))
    [rows] = read(Source("E001", log), found)
    assert rows.unread["reason"].to_pylist() == [
        "no time: Acme web proxy has a stamp with date, time and zone here; "
        "state the zone of the log as `clock:` in case.yaml"
    ]
    [rows] = read(Source("E001", log, "Europe/Berlin"), found)
    assert rows.events["time"].to_pylist()[0].isoformat() == "2026-03-10T08:00:00+00:00"


# bad records


def test_what_cannot_be_read_is_unread_with_its_reason_and_the_counts_add_up(tmp_path: Path) -> None:
    lines = [
        LINE,
        "\n",
        LINE.replace("200", "x"),
        "other text\n",
        LINE.replace(" 17", " 9223372036854775807"),
        LINE,
        LINE[:30],
    ]
    events, unread, blank = rows_of(tmp_path, PROXY, "".join(lines))
    assert [e["record_no"] for e in events] == [1, 5]
    assert [(row["record_no"], row["kind"], row["reason"]) for row in unread] == [
        (2, "broken", "a value cannot be read: http_response_code (expected a whole number: status code)"),
        (3, "broken", "not a line of Acme web proxy"),
        (4, "broken", "an expression of the format fails on this record: Out of Range Error: "
                      "Overflow in addition of INT64 (9223372036854775807 + 1)!"),
        (6, "broken", "not a line of Acme web proxy"),
    ]  # fmt: skip
    assert unread[2]["raw"] == lines[4].rstrip("\n")
    assert len(events) + len(unread) + blank == len(lines)


def test_an_expression_that_fails_costs_its_records_and_no_other(tmp_path: Path) -> None:
    bad = {7, 1234, 1235, 4999}
    lines = [LINE.replace(" 17", f" {9223372036854775807 if n in bad else n}") for n in range(1, 5001)]
    events, unread, _ = rows_of(tmp_path, PROXY, "".join(lines))
    assert {row["record_no"] for row in unread} == bad
    assert [e["traffic_bytes_out"] for e in events] == [n + 1 for n in range(1, 5001) if n not in bad]


def test_an_expression_that_always_fails_ends_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playbooks.normalise.mappers.MAX_FAILURES", 20)
    events, unread, _ = rows_of(tmp_path, PROXY, LINE.replace(" 17", " 9223372036854775807") * 5000)
    assert (len(events), len(unread)) == (0, 5000)
    assert [row["record_no"] for row in unread] == list(range(1, 5001))
    assert unread[-1]["reason"].startswith("an expression of the format fails on this record, or on one of the ")


def test_json_that_is_none_where_an_expression_expects_it_costs_the_record(tmp_path: Path) -> None:
    document = {
        **PROXY,
        "columns": {"time": "iso_time(r.ts)", "actor_user_name": "json_extract_string(r.client, '$.a')"},
    }
    events, unread, _ = rows_of(tmp_path, document, LINE.replace("192.0.2.10", '{"a":"ana"}') + LINE)
    assert ([e["actor_user_name"] for e in events], [row["record_no"] for row in unread]) == (["ana"], [2])


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200))
def test_no_line_is_an_exception(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    log = folder / "own.log"
    log.write_bytes((LINE + text).encode("utf-8", "surrogatepass"))
    [form] = read_formats([written(folder, PROXY)])
    for rows in read(Source("E001", log), Detection(form, form.cut, ())):
        assert rows.count >= 1
        assert all(rows.unread["reason"].to_pylist())


# which format wins


def test_an_own_format_wins_over_one_of_the_kit_and_says_so(tmp_path: Path) -> None:
    log = CASES / "squid_access" / "normal.log"
    document = {**PROXY, "cut": {"layout": "lines", "pattern": r"^(?P<ts>\d+\.\d+) +\d+ (?P<client>\S+) "},
                "columns": {"time": "epoch_time(r.ts)"}}  # fmt: skip
    found = detect(log, read_formats([written(tmp_path, document)]))
    assert found.format
    assert found.format.name == "acme_proxy"
    assert found.why_chosen() == "own format acme_proxy chosen, before squid_access which fit too"
    assert [t.name for t in found.tried[:2]] == ["acme_proxy", "squid_access"]
    assert detect(log).why_chosen() == ""


def test_an_own_format_that_fits_few_lines_does_not_win_over_one_that_fits_most(tmp_path: Path) -> None:
    lines = (CASES / "squid_access" / "normal.log").read_text().splitlines()
    log = tmp_path / "mixed.log"
    log.write_text(LINE * 2 + "\n".join((lines * 10)[:8]) + "\n")
    own = read_formats([written(tmp_path, PROXY)])
    assert getattr(detect(log, own).format, "name", None) == "squid_access"
    log.write_text(LINE * 5 + "\n".join((lines * 10)[:5]) + "\n")
    assert getattr(detect(log, own).format, "name", None) == "acme_proxy"


def test_two_own_formats_that_fit_equally_well_are_a_tie(tmp_path: Path) -> None:
    log = tmp_path / "own.log"
    log.write_text(LINE)
    twins = [written(tmp_path, {**PROXY, "name": name}, f"{name}.yaml") for name in ("one_log", "two_log")]
    found = detect(log, read_formats(twins))
    assert found.format is None
    assert found.why_unknown() == "no format chosen: one_log and two_log fit equally well"


def test_of_formats_that_do_not_fit_the_own_ones_are_named_first(tmp_path: Path) -> None:
    log = tmp_path / "own.log"
    log.write_text('{"ts": "x"}\n')
    cut = {"layout": "json", "fields": ["ts", "name"], "keys": ["ts", "name"]}
    found = detect(log, read_formats([written(tmp_path, {**DNS, "cut": cut})]))
    assert found.tried[0].name == "acme_dns"
    assert found.tried[0].missing == "missing: name"


@pytest.mark.parametrize("cut", [
    {"layout": "lines", "pattern": "^(?P<ts>(?:x+x+)+)y$"},
    {"layout": "json", "fields": ["ts", "a"], "keys": ["ts", "a"], "only": {"a": "(x+x+)+y"}},
])  # fmt: skip
def test_a_pattern_of_a_stranger_takes_time_in_proportion_to_the_line(tmp_path: Path, cut: dict[str, Any]) -> None:
    log = tmp_path / "own.log"
    log.write_text(("x" * 5000 if cut["layout"] == "lines" else json.dumps({"ts": "", "a": "x" * 5000})) + "\n")
    own = read_formats([written(tmp_path, {**DNS, "cut": cut, "columns": {"time": "iso_time(r.ts)"}})])
    before = time.perf_counter()
    assert detect(log, own).format is None
    assert time.perf_counter() - before < 5


# in a case


@pytest.fixture
def case(tmp_path: Path) -> Case:
    opened = new_case(tmp_path / "case", "OWN-1")
    (tmp_path / "in.log").write_text(LINE + "other\n" + LINE)
    add(opened, [tmp_path / "in.log"])
    (opened.path / "formats").mkdir()
    return opened


def test_a_case_is_read_again_when_its_formats_change(case: Case) -> None:
    assert [(r.format, r.own_sha256, r.unread) for r in normalise(case)] == [(None, "", 3)]
    file = written(case.path / "formats", PROXY)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert [(r.format, r.own_sha256, r.events, r.unread) for r in normalise(case)] == [("acme_proxy", digest, 2, 1)]
    told: list[object] = []
    normalise(case, done=told.append)
    assert told == [], "nothing changed, nothing is read again"
    written(case.path / "formats", {**PROXY, "reference": "another manual"})
    normalise(case, done=told.append)
    assert len(told) == 1
    file.unlink()
    assert [r.format for r in normalise(case)] == [None]
    assert [r.format for r in readings(case)] == [None]


def test_a_reference_leads_to_the_record_as_the_own_format_cuts_it(case: Case, tmp_path: Path) -> None:
    cut, _ = LAYOUTS["json"]
    text = json.dumps({"rows": [{"ts": STAMP, "name": f"{n}.example.test"} for n in range(3)]}, indent=1)
    (tmp_path / "rows.json").write_text(text)
    add(case, [tmp_path / "rows.json"])
    written(case.path / "formats", {**DNS, "cut": {"layout": "json", **cut}})
    assert [(r.format, r.events) for r in normalise(case)] == [(None, 0), ("acme_dns", 3)]
    [record] = show(case, ["E002:2"]).values()
    assert json.loads(record.text)["name"] == "1.example.test"


def test_only_yaml_files_of_the_folder_are_formats(case: Case) -> None:
    folder = case.path / "formats"
    written(folder, PROXY, "a.yml")
    (folder / "README.md").write_text("notes")
    (folder / ".a.yaml").write_text("half")
    assert [form.name for form in formats_of(case)] == ["acme_proxy"]


def test_a_fault_stops_before_anything_is_read_and_names_the_file(case: Case) -> None:
    written(case.path / "formats", {**PROXY, "name": "squid_access"})
    with pytest.raises(
        CaseError, match=r"own\.yaml is not valid:\n  line \d+, field name: squid_access is a format of the"
    ):
        normalise(case)
    assert not case.events.exists()


def test_a_link_out_of_the_case_is_not_followed(case: Case, tmp_path: Path) -> None:
    secret = written(tmp_path, "not-for-you: 1", "secret")
    (case.path / "formats" / "own.yaml").symlink_to(secret)
    with pytest.raises(CaseError, match="a link or no plain file") as caught:
        formats_of(case)
    assert "not-for-you" not in str(caught.value)
    (case.path / "formats" / "own.yaml").unlink()
    (case.path / "formats").rmdir()
    (case.path / "formats").symlink_to(tmp_path)
    with pytest.raises(CaseError, match="a link or no folder"):
        formats_of(case)


def test_a_pipe_does_not_stop_the_kit(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.yaml")
    with pytest.raises(CaseError, match="no plain file"):
        read_formats([tmp_path / "own.yaml"])


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    files = [
        written(tmp_path, {**PROXY, "name": "X"}, "a.yaml"),
        written(tmp_path, {**PROXY, "table": "logs"}, "b.yaml"),
    ]
    with pytest.raises(CaseError) as caught:
        read_formats([*files, tmp_path / "c.yaml"])
    assert [name in str(caught.value) for name in ("a.yaml is not valid", "b.yaml is not valid", "c.yaml: ")] == [
        True
    ] * 3
    twins = [written(tmp_path, PROXY, f"{name}.yaml") for name in ("d", "e")]
    with pytest.raises(CaseError, match=r"has the name acme_proxy too\. Give each format a name of its own"):
        read_formats(twins)


# what a file may not hold

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"colour": "red"}, "field colour: no such field here; is it misspelt?"),
    "a missing key": ({"shows": None}, "field shows: Input should be a valid string; found None"),
    "a name of the kit": ({"name": "zeek_dns"}, "field name: zeek_dns is a format of the kit; choose another name"),
    "a name that is a path": ({"name": "../x"}, "field name: expected 2 to 40 lower-case letters"),
    "words that move a cursor": ({"product": "a\x1b[2Jb"}, "field product: expected words that can be printed"),
    "an unknown table": ({"table": "logs"}, "field table: no such table; expected one of dns_activity, "),
    "a table of the kit alone": ({"table": "acquired_answers"}, "field table: no such table"),
    "an unknown clock": ({"clock": "UTC"}, "field clock: Input should be 'in_the_stamp' or 'ask'"),
    "ask without asking": ({"clock": "ask"}, "field clock: ask: expected a time by case_clock(…) or stamp(…)"),
    "asking without ask": (
        {"columns": {"time": "case_clock(r.ts)"}},
        "field clock: in_the_stamp: case_clock(…) asks the case for the zone; expected clock: ask",
    ),
    "no time": ({"columns": {"src_endpoint_ip": "address(r.client)"}}, "field columns: time is missing"),
    "an unknown column": (
        {"columns": {"time": "iso_time(r.ts)", "client": "r.client"}},
        "field columns.client: client: no column of http_activity to be written",
    ),
    "a column of the kit": (
        {"columns": {"time": "iso_time(r.ts)", "record_no": "whole(r.client)"}},
        "field columns.record_no: record_no: no column of http_activity to be written",
    ),
    "an unknown field": (
        {"columns": {"time": "iso_time(r.when)"}},
        'field columns.time: Binder Error: Could not find key "when"',
    ),
    "a wrong type": (
        {"columns": {"time": "iso_time(r.ts)", "src_endpoint_port": "whole(r.client)"}},
        "field columns.src_endpoint_port: gives BIGINT; expected INTEGER: write port(…) or small(…)",
    ),
    "SQL that does not parse": (
        {"columns": {"time": "iso_time(r.ts"}},
        "field columns.time: SQL that does not parse: syntax error at",
    ),
    "SQL list that is none": (
        {"columns": "iso_time(r.ts) AS time, address(r.client)"},
        "field columns: expected `expression AS column,` for each",
    ),
    "a column twice": (
        {"columns": "iso_time(r.ts) AS time, said(r.client) AS actor_user_name, said(r.url) AS actor_user_name"},
        "field columns: expected `expression AS column,` for each",
    ),
    "table and parts": (
        {"parts": [{"table": "http_activity", "when": "true", "columns": {"time": "iso_time(r.ts)"}}], "kind": "r.url"},
        "expected table and columns, or parts (each with its own), and not both",
    ),
    "a condition that is none": (
        {"status": [{"when": "r.url", "reason": "x"}]},
        "field status.0.when: gives VARCHAR; expected BOOLEAN: write a comparison",
    ),
    "a subquery in a condition": (
        {"status": [{"when": "(SELECT true)", "reason": "x"}]},
        "field status.0.when: a subquery is not allowed: only expressions over one record",
    ),
    "entries that are no list": ({"each": "r.url"}, "field each: gives VARCHAR; expected a list"),
    "an unknown layout": ({"cut": {"layout": "xml"}}, "field cut: Input tag 'xml'"),
    "a mark of nothing": ({"cut": {"layout": "lines", "pattern": "(?P<ts>.*)"}}, "field cut.pattern: fits any line"),
    "a look-behind": (
        {"cut": {"layout": "lines", "pattern": "(?<=x)(?P<ts>y)"}},
        "field cut.pattern: a pattern that cannot be read: Invalid regular expression: invalid perl operator: (?<=. "
        "Expected a pattern of RE2",
    ),
    "a pattern that Python refuses": (
        {"cut": {"layout": "lines", "pattern": r"(?P<ts>y)\pL"}},
        "field cut.pattern: a pattern that cannot be read: bad escape \\p",
    ),
    "a group without a name": (
        {"cut": {"layout": "lines", "pattern": "(a|b) (?P<ts>y)"}},
        "field cut.pattern: a group without a name would be taken for a field",
    ),
    "no named group": ({"cut": {"layout": "lines", "pattern": "^abc"}}, "field cut.pattern: expected named groups"),
    "one name as a mark": (
        {"cut": {"layout": "json", "fields": ["ts"], "keys": ["ts"]}},
        "field cut.keys: expected a mark of two names at least",
    ),
    "a key that is not read": (
        {"cut": {"layout": "json", "fields": ["ts"], "keys": ["ts", "id"]}},
        "field cut.keys: id: expected names that stand in fields too",
    ),
    "a name with a quote": (
        {"cut": {"layout": "keyvalue", "fields": ['a"b', "ts"], "keys": ["ts", 'a"b']}},
        "field cut.fields.0: expected the name of a field, without quotes",
    ),
    "a nested name with a quote": (
        {"cut": {"layout": "json", "fields": {"ts": "text", "q": {'a"': "text"}}, "keys": ["ts", "q"]}},
        "field cut.fields.q: 'a\"': expected a name without quotes",
    ),
    "an envelope that ends the text": (
        {"cut": {"layout": "json", "fields": ["ts", "a"], "keys": ["ts", "a"], "nested": "x') --"}},
        "field cut.nested: expected the name of a field, without quotes",
    ),
    "a name twice": (
        {"cut": {"layout": "json", "fields": ["ts", "TS"], "keys": ["ts", "TS"]}},
        "field cut.fields: TS stands here twice (upper and lower case are one to the engine)",
    ),
    "an unknown kind of field": (
        {"cut": {"layout": "json", "fields": {"ts": "int", "a": "text"}, "keys": ["ts", "a"]}},
        "field cut.fields.ts: expected text, texts, json or names inside it; found 'int'",
    ),
    "a delimiter that is a letter": (
        {"cut": {"layout": "columns", "delimiter": "a", "fields": ["ts", "b"], "keys": ["ts", "b"]}},
        "field cut.delimiter: expected a comma, a tab, a blank or another sign",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_line_and_field(tmp_path: Path, fault: str) -> None:
    change, expected = FAULTS[fault]
    said = refused(tmp_path, PROXY | change)
    assert expected in said
    assert said.startswith("  line ")


NO_YAML = {
    "an alias": ("a: &x [1]\nb: [*x, *x]\n", "anchors and aliases"),
    "a bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "anchors and aliases"),
    "a tag": ("name: !!python/object/apply:os.system ['true']\n", "tags (!…) are not read here"),
    "depth": ("[" * 5000, "more than 12 levels inside each other"),
    "two documents": ("a: 1\n---\nb: 2\n", "expected a single document"),
    "a key twice": ("name: a\nname: b\n", "line 2: 'name' stands here for the second time"),
    "a key that is a list": ("? [a]\n: b\n", "line 1: expected a name before the colon"),
    "no mapping": ("just words", "expected fields such as `name: my_log`, found str"),
    "nothing": ("", "found NoneType"),
    "a date that is none": ("a: 2026-02-30\n", "day is out of range for month"),
    "an open quote": ("a: 'x\n", "not valid YAML"),
    "a control character": ("a: \x07\n", "not valid YAML"),
    "too much": ("#" * (MAX_BYTES + 1), "larger than 65,536 bytes"),
}


@pytest.mark.parametrize("trick", NO_YAML)
def test_yaml_that_is_a_trick_or_none_is_refused(tmp_path: Path, trick: str) -> None:
    text, expected = NO_YAML[trick]
    assert expected in refused(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(CaseError, match="not UTF-8 text"):
        read_formats([tmp_path / "own.yaml"])


@settings(deadline=None, max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
                    max_leaves=8), st.sampled_from(sorted(PROXY)))  # fmt: skip
def test_whatever_stands_in_a_field_it_is_a_format_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, value: object, key: str
) -> None:
    file = written(tmp_path_factory.mktemp("fuzz"), {**PROXY, key: value})
    try:
        assert len(read_formats([file])) == 1
    except CaseError as error:
        assert str(file) in str(error)


# what its SQL may not do

HOSTILE = {
    "(SELECT 1)": "a subquery is not allowed",
    "EXISTS(FROM chunk)": "a subquery is not allowed",
    "r.a IN (FROM chunk)": "a subquery is not allowed",
    "CASE WHEN true THEN lower((SELECT content FROM read_text('/etc/passwd'))) END": "a subquery is not allowed",
    "array(SELECT 1)": "a subquery is not allowed",
    "1 + (VALUES (1))": "a subquery is not allowed",
    "read_text('/etc/passwd')": "read_text(…) is not allowed",
    "getenv('HOME')": "getenv(…) is not allowed",
    "\"getenv\"('HOME')": "getenv(…) is not allowed",
    "GETVARIABLE('case_clock')": "getvariable(…) is not allowed",
    "current_setting('temp_directory')": "current_setting(…) is not allowed",
    "system.main.lower(r.a)": "lower(…) is not allowed",
    "r.a.lower()": "lower(…) is not allowed",
    "nextval('x')": "nextval(…) is not allowed",
    "query('SELECT 1')": "query(…) is not allowed",
    "repeat(r.a, 1000000)": "repeat(…) is not allowed",
    "unnest([1])": "unnest(…) is not allowed",
    "count(*)": "count_star(…) is not allowed",
    "max(r.a)": "max(…) is not allowed",
    "max(r.a) OVER ()": "a window is not allowed",
    "first(r.a) FILTER (WHERE true)": "filter is not allowed",
    "*": "a star is not allowed",
    "COLUMNS('.*')": "a star is not allowed",
    "?": "a parameter is not allowed",
    "#1": "positional_reference is not allowed",
    "r.a COLLATE NOCASE": "collate is not allowed",
    "[x for x in r.a]": "list_apply(…) is not allowed",
    "{'a': 1}": "struct_pack(…) is not allowed",
    "current_user": "current_user is not known here",
    "raw": "raw is not known here",
    "e.time": "e is not known here",
    "r.a; DROP TABLE chunk": "SQL that does not parse",
    "1; SELECT 2": "expected an expression, found a statement or a table",
    "r.a) FROM read_text('/etc/passwd') AS t(a) WHERE (true": "SQL that does not parse",
    "r.a) + (r.b": "SQL that does not parse",
    "r.a AS x": "SQL that does not parse",
    "r.a, r.b": "expected one expression",
    "r.a FROM chunk": "expected an expression, found a statement or a table",
    "r.a ORDER BY 1": "expected an expression, found the clause of a statement",
    "DISTINCT r.a": "expected an expression, found the clause of a statement",
    "r.a /* never closed": "SQL that does not parse",
    "'never closed": "SQL that does not parse",
    "": "SQL that does not parse",
    "COPY (SELECT 1) TO 'x'": "SQL that does not parse",
    "r.a::BIGINT": "CAST to BIGINT is not allowed: use a macro such as whole, port or iso_time",
    "TRY_CAST(r.a AS TIMESTAMPTZ)": "TRY_CAST to TIMESTAMP WITH TIME ZONE is not allowed",
    "TRY(r.a)": "TRY(…) is not allowed",
    "amount(r.a) + 1": "amount(…) inside +(…) would hide that a text cannot be read",
    "CAST(port(r.a) AS VARCHAR)": "port(…) inside CAST(…) would hide",
    "[protocol(r.a)]": "protocol(…) inside list_value(…) would hide",
    "replace(r.a, 'x', r.b)": "replace(…): argument 3 must be written out",
    "regexp_matches(r.a, r.b)": "regexp_matches(…): argument 2 must be written out",
    "r.a LIKE r.b": "~~(…): argument 2 must be written out",
    "said(t := r.a)": "a name for a value (t) is not allowed",
    "replace(replace(r.a, 'x', '" + "y" * 40 + "'), 'y', '" + "z" * 40 + "')": "more than 1,000 times as long",
    "list_transform(r.a, lambda x: r.b || x)": "r is not known here",
    "list_transform(r.a, lambda x: list_transform(x, lambda y: y))": "no lambda inside another",
    "list_transform(r.a, lambda x: getenv(x))": "getenv(…) is not allowed",
    "r.a -> '$.x'": "lambda stand in list_transform and list_filter only",
    "stamp(lower(stamp(r.a)))": "would hide that a text cannot be read",
    "said(said(said(said(r.a))))": "said(…): at most 3 inside each other",
    "NOT " * 500 + "r.a": "too many expressions inside each other",
    "NOT " * 100 + "r.a": "more than 60 expressions inside each other",
    "r.a || " * 400 + "r.a": "2,803 characters; expected 2,500 at most",
    "\ud800": "characters that are no text",
    "'\0'": "characters that are no text",
}


@pytest.mark.parametrize("sql", HOSTILE)
def test_sql_that_is_more_than_an_expression_over_one_record_is_refused(sql: str) -> None:
    with pytest.raises(Refused) as caught:
        check_expression(sql)
    assert HOSTILE[sql] in str(caught.value)


ALLOWED = [
    "r.a", "r['a b']", 'r."end"', "lower(r.a)", "r.a || '-- no comment' || r.b", "r.a -- a comment", "r.a IS NOT NULL",
    "CASE WHEN r.a IN ('x', 'y') AND NOT r.b LIKE 'z%' THEN 1 ELSE -1 END", "TRY_CAST(r.a AS BIGINT) + 1",
    "list_transform(string_split(r.a, ','), lambda x: trim(x))[1]", "json_extract_string(r.a, '$.b')", "r.a ->> '$.b'",
    "coalesce(iso_time(r.a), case_clock(strftime(try_strptime(r.a, ['%d/%m/%Y']), '%Y-%m-%d')))",
    "nullif(port(r.a), 0)", "coalesce(r.a, 'x')",
    "date_diff('millisecond', iso_time(r.a), iso_time(r.b))", "r.a BETWEEN 'a' AND 'b'", "'é ‘quotes’ ''inside'''",
]  # fmt: skip


@pytest.mark.parametrize("sql", ALLOWED)
def test_sql_that_maps_a_record_is_allowed(sql: str) -> None:
    check_expression(sql)


def test_nearly_all_that_the_formats_of_the_kit_say_may_be_said_in_an_own_one() -> None:
    """The rules are for strangers, and still leave room for a real log."""
    refusals = set()
    total = 0
    for form in FORMATS:
        for part in form.every_part:
            for expression in part.select().values():
                total += 1
                try:
                    check_expression(expression, frozenset({"r", "item"}))
                except Refused:
                    refusals.add((form.name, expression))
    assert len(refusals) < total / 50


def test_no_function_that_is_allowed_reaches_beyond_its_arguments() -> None:
    """Scalar functions of the engine that are the same for the same input, and have no side effect."""
    con = engine.connect()
    known = con.execute(
        "SELECT function_name, bool_and(function_type IN ('scalar', 'macro')), bool_and(NOT coalesce(has_side_effects, "
        "false)), bool_and(coalesce(stability, 'CONSISTENT') = 'CONSISTENT') FROM duckdb_functions() GROUP BY 1"
    ).fetchall()
    facts = {name: tuple(rest) for name, *rest in known}
    assert {name: facts.get(name) for name in FUNCTIONS - {"nullif"} if facts.get(name) != (True, True, True)} == {}


def test_the_how_to_lists_every_function_that_is_allowed_and_no_other() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/how-to/own-format.md").read_text(encoding="utf-8")
    lines = page.partition("| for | functions |")[2].partition("\n\n")[0].splitlines()[2:]
    listed = re.findall(r"`([a-z_]+)[`(]", "".join(line.partition("|")[2].partition("|")[2] for line in lines))
    assert sorted(listed) == sorted(FUNCTIONS | OWN_MACROS)


def test_macros_that_can_refuse_a_text_are_those_whose_value_is_guarded() -> None:
    con = engine.connect()
    con.execute(MACROS)
    found = con.execute("SELECT function_name, macro_definition FROM duckdb_functions() WHERE function_type = 'macro'")
    bodies = {name: body for name, body in found.fetchall() if f"MACRO {name}(" in MACROS}
    refusing = {name for name in bodies if name.startswith("refused_")}
    while more := {n for n, body in bodies.items() if any(f"{r}(" in body for r in refusing)} - refusing:
        refusing |= more
    assert {name for name in refusing if not name.startswith("refused_")} == REFUSING


ACTS = [
    "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM glob('/etc/*')",
    "COPY (SELECT 1) TO '{folder}/out.csv'", "ATTACH '{folder}/out.db'", "EXPORT DATABASE '{folder}/out'",
    "LOAD httpfs", "INSTALL httpfs", "SET enable_external_access = true", "SET memory_limit = '1TB'",
    "SELECT getenv('HOME')", "SELECT * FROM '/etc/passwd'", "SET GLOBAL temp_directory = '/'",
]  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_even_sql_that_was_let_through_would_reach_nothing(tmp_path: Path, act: str) -> None:
    con = engine.connect_closed()
    with pytest.raises(duckdb.Error):
        con.execute(act.format(folder=tmp_path)).fetchall()
    assert list(tmp_path.iterdir()) == []


def test_records_of_an_own_format_are_mapped_by_the_closed_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expression that the check would miss meets a closed door, and costs its record."""
    monkeypatch.setattr("playbooks.normalise.own_formats.making.check_expression", lambda *_: None)
    monkeypatch.setattr("playbooks.normalise.own_formats.making._bound_faults", lambda *_: iter(()))
    own_formats._checked.cache_clear()
    document = {
        **PROXY,
        "columns": {"time": "iso_time(r.ts)", "actor_user_name": "(SELECT max(content) FROM read_text('/etc/passwd'))"},
    }
    events, unread, _ = rows_of(tmp_path, document, LINE)
    own_formats._checked.cache_clear()
    assert events == []
    assert "Permission Error" in unread[0]["reason"]


def test_macros_inside_each_other_take_no_more_than_a_moment(tmp_path: Path) -> None:
    """A macro repeats its argument: what is allowed must still be planned at once."""
    before = time.perf_counter()
    columns = {
        "time": "stamp(coalesce(ctime_iso(said(r.ts)), r.url))",
        "http_request_url_string": "url_lower(fanged(percent_decoded(r.url)))",
        "dst_endpoint_hostname": "url_host(url_host(url_host(r.url)))",
    }
    read_formats([written(tmp_path, {**PROXY, "columns": columns})])
    assert time.perf_counter() - before < 10
