"""U+0000 stands in no text of an event: two names that differ only behind it stay two, and no query ends at it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from playbooks.normalise import Source, read
from playbooks.normalise.nul_characters import without_nul
from playbooks.normalise.read import raw_records

RECORD = {
    "eventVersion": "1.11", "eventTime": "2026-03-10T01:00:02Z", "eventSource": "lambda.amazonaws.com",
    "eventName": "In\0voke", "awsRegion": "eu-north-1", "sourceIPAddress": "192.0.2.1", "eventID": "e1",
    "userIdentity": {"type": "IAMUser", "userName": "a\0b", "arn": "arn:aws:iam::111122223333:user/a"},
    "requestParameters": {"functionName": "f\0\0g", "kept": "\\u0000"}, "recipientAccountId": "111122223333",
    "eventType": "AwsApiCall",
}  # fmt: skip


def test_every_text_of_an_event_shows_it_and_the_raw_record_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "trail.json"
    file.write_text(json.dumps({"Records": [RECORD]}))
    [rows] = read(Source("E001", file))
    [row] = rows.in_order()
    assert (row["api_operation"], row["actor_user_name"], row["resource_name"]) == ("In␀voke", "a␀b", "f␀␀g")
    assert json.loads(row["request"]) == {"functionName": "f␀␀g", "kept": "\\u0000"}
    assert r"\u0000" in raw_records(file, {1})[1]


def test_lists_keep_their_places_and_their_nulls() -> None:
    answers = pa.array([["a\0", None], None, [], ["b"]], pa.list_(pa.string()))
    table = pa.table({"record_no": [1, 2, 3, 4], "answers": answers, "query_hostname": [None, "x", "\0", "y\0z"]})
    found = without_nul(table)
    assert found["answers"].to_pylist() == [["a␀", None], None, [], ["b"]]
    assert found["query_hostname"].to_pylist() == [None, "x", "␀", "y␀z"]
    assert without_nul(table.slice(3)).to_pylist() == [{"record_no": 4, "answers": ["b"], "query_hostname": "y␀z"}]
    assert without_nul(table.slice(1, 1)).to_pylist() == [{"record_no": 2, "answers": None, "query_hostname": "x"}]


@pytest.mark.parametrize("text", ['{"a":"\\\\u0000"}', '{"a":"b"}', "", None])
def test_json_without_it_stays_byte_for_byte(text: str | None) -> None:
    assert without_nul(pa.table({"request": pa.array([text], pa.string())}))["request"].to_pylist() == [text]
