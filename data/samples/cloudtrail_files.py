"""The four shapes in which CloudTrail reaches an investigator."""

from __future__ import annotations

import json
from datetime import datetime
from textwrap import indent

import audit_habits
import audit_planted
import estate
from cloudtrail_records import Entry, Json
from estate import HOUR, at, iso
from lines import Line, LogFile


def entries(quiet: bool) -> list[Entry]:
    """All records in order of time; after B1 no more Lambda data events are recorded."""
    found = list(audit_habits.ordinary(quiet))
    if not quiet:
        lost = ("Invoke", "InvokeFunctionUrl")
        found = [
            e for e in found if not (e.record["eventName"] in lost and e.time > audit_planted.SELECTORS_OFF)
        ] + list(audit_planted.planted())
    return _with_code_kept(sorted(found, key=lambda entry: entry.time))


CODE = ("codeSha256", "codeSize")
BRINGS_CODE = ("CreateFunction", "UpdateFunctionCode")


def _with_code_kept(found: list[Entry]) -> list[Entry]:
    """The records, where an answer to a call that brings no code shows the code that was in place before it."""
    in_place: dict[str, Json] = {}
    for entry in found:
        answer = entry.record["responseElements"] or {}
        if "codeSha256" not in answer:
            continue
        name = answer["functionName"]
        if name in in_place and not entry.record["eventName"].startswith(BRINGS_CODE):
            answer.update(in_place[name])
        in_place[name] = {part: answer[part] for part in CODE}
    return found


def _looked_up(record: Json) -> Json:
    """The record as `aws cloudtrail lookup-events` prints it, in the analyst's own zone (UTC+1)."""
    local = datetime.fromisoformat(record["eventTime"]).timestamp() + HOUR
    identity, request = record["userIdentity"], record["requestParameters"] or {}
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record["readOnly"]).lower(),
        "AccessKeyId": identity["accessKeyId"],
        "EventTime": iso(local).replace("Z", "+01:00"),
        "EventSource": record["eventSource"],
        "Username": identity.get("userName") or identity["arn"].rsplit("/", 1)[1],
        "Resources": [
            {"ResourceType": f"AWS::IAM::{kind}", "ResourceName": request[key]}
            for kind, key in (("User", "userName"), ("Role", "roleName"))
            if key in request
        ],
        "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
    }


class JsonFile(LogFile):
    """A file that is one JSON text: its records are the elements of one array, in the order given."""

    before, between, after = b"", b",\n", b"\n"

    def content(self) -> bytes:
        """One JSON text."""
        return self.before + self.between.join(line.text for line in self.lines) + self.after

    def ordered(self) -> list[Line]:
        """The elements as they stand in the array, newest first in one of the files."""
        return self.lines


def write_trail(quiet: bool) -> list[LogFile]:
    """The records in the four shapes in which CloudTrail reaches an investigator, none of them twice."""
    baseline = JsonFile("cloudtrail_baseline.json.gz", "CloudTrail S3 object: Records array, gzip")
    baseline.before, baseline.between, baseline.after = b'{"Records":[', b",", b"]}\n"
    first = JsonFile("cloudtrail_2026-03-10.json", "CloudTrail, bare JSON array")
    first.before, first.after = b"[\n", b"\n]\n"
    second = LogFile("cloudtrail_2026-03-11.jsonl", "CloudTrail, JSON lines")
    lookup = JsonFile("cloudtrail_lookup_iam.json", "aws cloudtrail lookup-events output")
    lookup.before, lookup.after = b'{\n    "Events": [\n', b"\n    ]\n}\n"
    found = entries(quiet)
    for entry in found:
        text = json.dumps(entry.record, separators=(",", ":"))
        if entry.record["eventSource"] == "iam.amazonaws.com":
            lookup.lines.insert(
                0, _line(entry, indent(json.dumps(_looked_up(entry.record), indent=4), " " * 8))
            )  # newest first
        elif entry.time < estate.WINDOW_START:
            baseline.lines.append(_line(entry, text))
        elif entry.time < estate.WINDOW_START + estate.DAY:
            first.lines.append(_line(entry, indent(json.dumps(entry.record, indent=2), "  ")))
        else:
            second.lines.append(_line(entry, text))
    cut = next(line for line in second.lines if line.time > at("2026-03-11T02:00:00"))
    second.add(cut.time + 1, cut.text[: len(cut.text) // 2], "unread broken: line cut in half")
    second.add(cut.time + 2, b"")
    return [baseline, first, second, lookup]


def _line(entry: Entry, text: str) -> Line:
    return Line(entry.time, text.encode(), entry.fact)
