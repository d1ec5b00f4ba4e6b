"""A case as JSON lines for Timesketch: its mandatory fields, one event a line, whatever evidence says."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
from tests.exports.results import DIGEST, HOST, HOSTILE, material

from playbooks.exports.timesketch import timesketch_lines
from playbooks.normalise import detect


def lines(**changes: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in timesketch_lines(material(**changes)).content.decode().split("\n")[:-1]]


def test_each_line_has_the_mandatory_fields_and_leads_to_its_record() -> None:
    cited, told = lines()
    assert {"message", "datetime", "timestamp_desc", "finding", "ref", "evidence_sha256"} <= set(cited) & set(told)
    assert (told["datetime"], told["timestamp"]) == ("2026-03-10T08:00:00.000005+00:00", 1773129600000005)
    assert dt.datetime.fromisoformat(cited["datetime"]).utcoffset() == dt.timedelta(0)
    assert (cited["message"], cited["ref"]) == (f"A-1: 10.20.3.17 contacted {HOST}", "E001:7")
    assert cited["evidence_sha256"] == DIGEST
    assert told["evidence_sha256"] == "" and told["timestamp_desc"] == "first seen"


def test_a_row_without_a_time_is_counted() -> None:
    assert timesketch_lines(material()).left_out == ("1 rows without a time",)


def test_a_line_break_in_evidence_begins_no_line() -> None:
    made = timesketch_lines(material()).content
    assert made == timesketch_lines(material()).content
    assert made.isascii() and made.count(b"\n") == 2 and b"\r" not in made
    assert lines()[1]["message"] == f"A-1: {HOSTILE}"


def test_what_reads_timesketch_reads_it(tmp_path: Path) -> None:
    """Pandas, which Timesketch's importer reads JSON lines with, and the kit's own reader of its timelines."""
    file = tmp_path / "case.jsonl"
    file.write_bytes(timesketch_lines(material()).content)
    frame = pd.read_json(file, lines=True)
    assert len(frame) == 2 and frame[["message", "datetime", "timestamp_desc"]].notna().all(axis=None)
    found = detect(file).format
    assert found is not None and found.name == "timesketch"
