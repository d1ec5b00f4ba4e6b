"""Which format a file has: by its content, never on a tie, and with the nearest formats where none fits."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.formats.refresh_cases import CASES

from playbooks.formats import FORMATS, Json, TextLines, Zeek
from playbooks.normalise import Detection, Source, detect, read
from playbooks.normalise.detect import ANY_JSON, ANY_LINES


def detected(folder: Path, data: bytes | str) -> Detection:
    file = folder / "evidence"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return detect(file)


def form(found: Detection) -> str | None:
    return found.format.name if found.format else None


def test_the_name_of_a_file_plays_no_part(tmp_path: Path) -> None:
    for name in ("conn.log", "access.log.gz", "no ending", "x.csv"):
        shutil.copy(CASES / "aws_cloudtrail" / "normal.log", tmp_path / name)
        assert form(detect(tmp_path / name)) == "aws_cloudtrail"


def test_unknown_json_names_what_the_nearest_formats_lack(tmp_path: Path) -> None:
    found = detected(tmp_path, '{"eventTime": "2026-03-10T09:00:00Z", "eventName": "x"}\n' * 3)
    assert form(found) is None
    assert found.why_unknown().startswith("no format fits; nearest: aws_cloudtrail (missing: eventSource); ")
    assert found.layout == ANY_JSON


def test_unknown_text_names_the_formats_of_text_lines(tmp_path: Path) -> None:
    found = detected(tmp_path, "Mar 10 09:00:00 host sshd[1]: Accepted password\n")
    assert found.why_unknown().startswith("no format fits; nearest: ")
    assert found.why_unknown().count(" (no line has its pattern)") == 3
    assert found.layout == ANY_LINES


def test_unknown_tables_name_the_formats_of_tables(tmp_path: Path) -> None:
    found = detected(tmp_path, "item,type,source,confidence,valid_from\nrelay.example.org,domain,CERT,80,\n")
    assert found.why_unknown().startswith("no format fits; nearest: indicator_csv (missing: indicator); ")
    found = detected(tmp_path, "1773133200.1\tCAbc\t192.0.2.10\t1\t198.51.100.7\t443\n" * 3)
    assert "nearest: zeek_conn (no `#fields` header and no JSON objects); " in found.why_unknown()


def test_another_zeek_log_is_not_taken_for_one_that_has_a_table_of_its_own(tmp_path: Path) -> None:
    text = (CASES / "zeek_ssl" / "normal.log").read_text().replace("#path\tssl", "#path\tquic")
    found = detected(tmp_path, text)
    assert form(found) == "zeek_logs"
    assert isinstance(found.layout, Zeek)
    assert found.layout.path == "quic"
    common = {"ts": 1773133200.1, "uid": "C1", "id.orig_h": "192.0.2.1", "id.resp_h": "198.51.100.7", "proto": "tcp"}
    strangers = {
        "quic": {"version": "1", "server_name": "app.example.net", "history": "ISish", "client_initial_dcid": "aa"},
        "kerberos": {"cipher": "aes256-cts-hmac-sha1-96", "success": True, "request_type": "TGS"},
        "smtp": {"trans_depth": 1, "helo": "mail.example.net"},
        "dhcp": {"trans_id": 7, "mac": "00:00:5e:00:53:01", "assigned_addr": "192.0.2.1"},
    }
    for name, fields in strangers.items():
        assert form(detected(tmp_path, json.dumps(common | fields))) == "zeek_logs", name
    assert form(detected(tmp_path, json.dumps(common | {"trans_id": 7}))) is None
    assert form(detected(tmp_path, json.dumps({"_path": "conn", "ts": 1, "x": 2}))) is None
    no_ts = text.replace("\tts\t", "\ttime\t").replace("#fields\tts", "#fields\ttime")
    assert "zeek_logs (missing: ts)" in detected(tmp_path, no_ts).why_unknown()


def test_nothing_is_picked_on_a_tie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["playbooks.normalise.detect"]
    squid = next(f for f in FORMATS if f.name == "squid_access")
    monkeypatch.setattr(module, "FORMATS", (*FORMATS, replace(squid, name="squid_twin")))
    found = detect(CASES / "squid_access" / "normal.log")
    assert form(found) is None
    assert found.why_unknown() == "no format chosen: squid_access and squid_twin fit equally well"


def test_the_format_of_most_lines_wins_and_the_others_are_unread(tmp_path: Path) -> None:
    native = (CASES / "squid_access" / "normal.log").read_text()
    common = (CASES / "squid_common" / "normal.log").read_text()
    assert form(detected(tmp_path, native + common + native)) == "squid_access"
    assert form(detected(tmp_path, native + common + common)) == "squid_common"


def test_one_line_in_ten_is_a_format_one_in_eleven_is_chance(tmp_path: Path) -> None:
    line = (CASES / "squid_access" / "normal.log").read_text().split("\n")[0] + "\n"
    assert form(detected(tmp_path, line + "other text\n" * 9)) == "squid_access"
    assert form(detected(tmp_path, line + "other text\n" * 10)) is None


def test_binary_content_is_called_so(tmp_path: Path) -> None:
    found = detected(tmp_path, b"\x7fELF\x02\x01\0\0\0\xff\xfe\n\0\0")
    assert found.why_unknown() == "no format fits: the content is binary, not text"
    rows = list(read(Source("E001", tmp_path / "evidence"), found))
    assert [row for run in rows for row in run.unread["kind"].to_pylist()] == ["unknown", "unknown"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\x1f\x8b"], ids=["empty", "blank", "bom", "gz"])
def test_a_file_without_records_has_no_format(data: bytes, tmp_path: Path) -> None:
    assert form(detected(tmp_path, data)) is None


def test_text_that_begins_with_a_bracket_is_no_json(tmp_path: Path) -> None:
    found = detected(tmp_path, "[10/Mar/2026:09:00:00 +0000] started\n[10/Mar/2026:09:00:01 +0000] stopped\n")
    assert isinstance(found.layout, TextLines)
    assert isinstance(detected(tmp_path, "[\n 1,\n 2\n]\n").layout, Json)


def test_detection_looks_at_the_beginning_only(tmp_path: Path) -> None:
    """A file is known by its first 100 records; a log that changes later is read as what it began as."""
    native = (CASES / "squid_access" / "normal.log").read_text().split("\n")[0] + "\n"
    assert form(detected(tmp_path, native * 100 + "other text\n" * 10_000)) == "squid_access"


def test_long_lines_are_known_though_they_hold_the_name_of_another_envelope(tmp_path: Path) -> None:
    """A value, or an array inside a record, that is called as an envelope is, encloses nothing here."""
    first, *others = (CASES / "aws_cloudtrail" / "normal.log").read_text().splitlines()
    event = json.loads(first)
    for more in ({"said": "events"}, {"events": [{"a": 1}]}):
        lines = [json.dumps(event | {"padding": "x" * 100_000} | more), *others]
        assert form(detected(tmp_path, "\n".join(lines) + "\n")) == "aws_cloudtrail"
