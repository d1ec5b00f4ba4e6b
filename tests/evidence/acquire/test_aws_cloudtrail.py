"""CloudTrail from S3 and from its event history: byte for byte, with what only the object's metadata says."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.acquire.aws_front import ACCOUNT, Asked, Front, Rule, Said, door_to_moto
from tests.evidence.acquire.aws_house import REGION, clients

from playbooks.case import Case, new_case
from playbooks.case_file import Window
from playbooks.errors import UsageError
from playbooks.evidence import items
from playbooks.evidence.acquire.aws import Wanted, acquire_aws
from playbooks.evidence.acquire.aws_client import Limits
from playbooks.normalise import Source, detect, read

BASE = f"AWSLogs/{ACCOUNT}"
WINDOW = Window.model_validate({"start": "2026-03-10T00:00:00Z", "end": "2026-03-12T00:00:00Z"})
SIGNED = {"signature": "ab12" * 16, "signature-algorithm": "SHA256withRSA"}
FAST = Limits(attempts=1, throttle_waits_s=(), object_bytes=1 << 20)


def records(*names: str) -> bytes:
    made = [
        {
            "eventVersion": "1.09",
            "eventTime": "2026-03-10T09:00:00Z",
            "eventName": name,
            "eventSource": "lambda.amazonaws.com",
            "awsRegion": REGION,
            "userIdentity": {"type": "IAMUser", "accountId": ACCOUNT, "userName": "anna"},
        }
        for name in names
    ]
    return gzip.compress(json.dumps({"Records": made}).encode(), mtime=0)


OBJECTS: dict[str, tuple[bytes, dict[str, str]]] = {
    f"{BASE}/CloudTrail/{REGION}/2026/03/10/{ACCOUNT}_CloudTrail_a.json.gz": (records("CreateFunction20150331"), {}),
    f"{BASE}/CloudTrail/{REGION}/2026/03/11/{ACCOUNT}_CloudTrail_b.json.gz": (records("AddPermission20150331v2"), {}),
    f"{BASE}/CloudTrail/{REGION}/2026/03/12/{ACCOUNT}_CloudTrail_late.json.gz": (records("Invoke"), {}),
    f"{BASE}/CloudTrail-Digest/{REGION}/2026/03/11/{ACCOUNT}_CloudTrail-Digest_d.json.gz": (b"\x1f\x8bdigest", SIGNED),
}
OUTSIDE = f"{BASE}/CloudTrail/{REGION}/2026/02/01/{ACCOUNT}_CloudTrail_old.json.gz"
PREFIX = f"s3://audit-records/{BASE}/CloudTrail/"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with door_to_moto() as door:
        s3 = clients(f"http://127.0.0.1:{door.moto_port}")("s3")
        s3.create_bucket(Bucket="audit-records")
        for name, (content, metadata) in {**OBJECTS, OUTSIDE: (b"old", {})}.items():
            s3.put_object(Bucket="audit-records", Key=name, Body=content, Metadata=metadata)
        s3.create_bucket(Bucket="other")
        s3.put_object(Bucket="other", Key="a/../../../etc/passwd", Body=b"one")
        s3.put_object(Bucket="other", Key="b/passwd", Body=b"two")
        s3.put_object(Bucket="other", Key="b/\x1b[31m", Body=b"three")
        s3.put_object(Bucket="other", Key="b/large", Body=b"x" * (2 << 20))
        yield door


@pytest.fixture
def rules(front: Front) -> Iterator[list[Rule]]:
    front.rules.clear()
    yield front.rules
    front.rules.clear()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "AWS-4")


def acquired(case: Case, front: Front, **more: Any) -> list[dict[str, Any]]:
    given = {"regions": (REGION,), "functions": ("none",), "window": WINDOW, "endpoint_url": front.url, "limits": FAST}
    (one,) = acquire_aws(case, Wanted(**{**given, **more}))
    (item,) = [item for item in items(case) if item.evidence_id == one.evidence_id]
    return [json.loads(line) for line in item.file(case).read_text(encoding="ascii").splitlines()]


def objects(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["request"]["Key"]: line for line in lines if "Key" in line["request"]}


def test_files_and_digests_of_the_window_are_evidence_byte_for_byte(case: Case, front: Front) -> None:
    told = objects(acquired(case, front, trails=(PREFIX,)))
    preserved = {item.sha256: item.file(case).read_bytes() for item in items(case)}
    assert set(told) == set(OBJECTS)
    for name, (content, metadata) in OBJECTS.items():
        line = told[name]
        assert preserved[hashlib.sha256(content).hexdigest()] == content
        assert (line["sha256"], line["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
        assert line["parsed"]["Metadata"] == metadata
        assert line["parsed"]["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
        assert line["kept_in"] == name.rpartition("/")[2]
    names = [item.name.partition("-")[2] for item in items(case)[1:]]
    assert sorted(names) == sorted(name.rpartition("/")[2] for name in OBJECTS)


def test_files_that_the_case_holds_are_not_fetched_again(case: Case, front: Front) -> None:
    acquired(case, front, trails=(PREFIX,))
    before, held = len(front.asked), len(items(case))
    told = objects(acquired(case, front, trails=(PREFIX,)))
    assert {line["outcome"] for line in told.values()} == {"unchanged"}
    assert {line["same_as"].partition(":")[0] for line in told.values()} == {"E001"}
    fetched = [
        asked for asked in front.asked[before:] if "/audit-records/" in asked.path and "list-type" not in asked.path
    ]
    assert fetched == []
    assert len(items(case)) == held + 1


def test_keys_that_mean_harm_become_plain_names_and_large_objects_are_refused(case: Case, front: Front) -> None:
    told = objects(acquired(case, front, trails=("s3://other",)))
    names = {name: line.get("kept_in") for name, line in told.items()}
    assert names["a/../../../etc/passwd"] == "passwd"
    assert names["b/passwd"] == f"{hashlib.sha256(b'b/passwd').hexdigest()[:8]}-passwd"
    assert names["b/\x1b[31m"] == "31m"
    assert (told["b/large"]["outcome"], told["b/large"]["error"]) == (
        "failed",
        "OutOfBounds: the object is larger than 1,048,576 bytes, or too slow: not taken",
    )
    assert {path.parent for path in (case.evidence / "data").iterdir()} == {case.evidence / "data"}


def test_a_bucket_that_says_no_is_a_line(case: Case, front: Front) -> None:
    lines = acquired(case, front, trails=("s3://nobody-has-it/x",))
    (line,) = [line for line in lines if line["operation"] == "ListObjectsV2"]
    assert (line["outcome"], line["error"].partition(":")[0]) == ("refused", "NoSuchBucket")


@pytest.mark.parametrize(
    "location", ["audit-records", "https://audit-records/x", "s3://", "s3://UPPER/x", "s3://a/b?c"]
)
def test_a_location_that_is_none_is_named_before_anything_is_asked(location: str, case: Case, front: Front) -> None:
    before = len(front.asked)
    with pytest.raises(UsageError, match="expected s3://BUCKET/PREFIX"):
        acquired(case, front, trails=(location,))
    assert len(front.asked) == before


# ------------------------------------------------------------------------------------- event history


def history(asked: Asked, body: bytes) -> Said | None:
    """Two pages of the event history of Lambda, and nothing of the other services."""
    if asked.operation != "LookupEvents":
        return None
    request = json.loads(body)
    source = request["LookupAttributes"][0]["AttributeValue"]
    if source != "lambda.amazonaws.com":
        return Said(200, b'{"Events":[]}')
    page = {"NextToken": "two"} if "NextToken" not in request else {}
    name = "CreateFunction20150331" if page else "AddPermission20150331v2"
    record = json.loads(gzip.decompress(records(name)))["Records"][0]
    event = {"EventId": name, "EventName": name, "CloudTrailEvent": json.dumps(record)}
    return Said(200, json.dumps({"Events": [event], **page}).encode())


def test_pages_of_the_event_history_are_kept_raw_and_read_as_events(
    case: Case, front: Front, rules: list[Rule]
) -> None:
    rules.append(history)
    lines = [line for line in acquired(case, front, lookup=True) if line["operation"] == "LookupEvents"]
    (item,) = [item for item in items(case) if "lookup-events" in item.name]
    pages = item.file(case).read_bytes().splitlines()
    assert [hashlib.sha256(page).hexdigest() for page in pages] == [line["sha256"] for line in lines]
    assert {line["kept_in"] for line in lines} == {item.name.partition("-")[2]}
    assert all(line["body"] is None for line in lines)
    (first, second) = [line for line in lines if line["resource"] == "lambda.amazonaws.com"]
    assert (first["page"], second["page"], second["request"]["NextToken"]) == (1, 2, "two")
    assert first["request"]["StartTime"] == "2026-03-10T00:00:00+00:00"
    form = detect(item.file(case)).format
    assert form is not None and form.name == "aws_cloudtrail"
    rows = list(read(Source(item.evidence_id, item.file(case))))
    assert sum(len(part.unread) for part in rows) == 0
    events = [event["api_operation_base"] for part in rows for event in part.events.to_pylist()]
    assert events == ["CreateFunction", "AddPermission"]


def test_an_event_history_that_fails_is_a_line_for_each_service(case: Case, front: Front) -> None:
    lines = [line for line in acquired(case, front, lookup=True) if line["operation"] == "LookupEvents"]
    assert {line["outcome"] for line in lines} == {"failed"}
    assert len(lines) == 9


def test_the_event_history_needs_a_window(case: Case, front: Front) -> None:
    with pytest.raises(UsageError, match="lookup-events needs a window"):
        acquired(case, front, lookup=True, window=None)


def test_without_a_window_nothing_of_a_span_of_time_is_asked(case: Case, front: Front) -> None:
    operations = {line["operation"] for line in acquired(case, front, window=None)}
    assert operations & {"FilterLogEvents", "GetMetricData", "ListPublicKeys", "LookupEvents"} == set()
    assert "GetFunction" in operations
