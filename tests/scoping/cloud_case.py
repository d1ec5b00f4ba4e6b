"""Small audit tables for the tests of the cloud questions: one keyword per fact that matters."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from playbooks import schema
from playbooks.case import Case, CaseFile
from playbooks.engine import Tables, open_tables

HOME, STRANGER = "111111111111", "999999999999"
SERVICES = {
    "PutRule": "events",
    "PutTargets": "events",
    "CreateRole": "iam",
    "UpdateAssumeRolePolicy": "iam",
    "AttachRolePolicy": "iam",
    "AssumeRole": "sts",
    "StopLogging": "cloudtrail",
    "CreateRestApi": "apigateway",
    "CreateApi": "apigateway",
    "ListBuckets": "s3",
}
ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT[]": pa.list_(pa.int64()),
}


def at(text: str) -> dt.datetime:
    """`03-11 02:14` in 2026, UTC."""
    return dt.datetime.fromisoformat(f"2026-{text}+00:00")


def by_user(name: str) -> dict[str, str]:
    return {
        "actor_user_type": "IAMUser",
        "actor_user_name": name,
        "actor_user_uid": f"arn:aws:iam::{HOME}:user/{name}",
    }


def by_role(role: str, session: str, account: str = HOME) -> dict[str, str]:
    return {
        "actor_user_type": "AssumedRole",
        "actor_user_name": role,
        "actor_user_uid": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "actor_session_issuer": f"arn:aws:iam::{account}:role/{role}",
    }


CI = by_role("ci-deployer", "build-4711")
MALLORY = by_user("mallory")


def event(time: str, operation: str, request: Any = None, who: dict[str, str] = CI, **facts: Any) -> dict[str, Any]:
    """One record; `denied="message"` makes it a refused one."""
    base = operation.rstrip("v0123456789")
    denied = facts.pop("denied", None)
    record = {
        "time": at(time),
        "format": "aws_cloudtrail",
        "cloud_provider": "AWS",
        "cloud_account_uid": HOME,
        "cloud_region": "eu-central-1",
        "api_operation": operation,
        "api_operation_base": base,
        "api_service_name": f"{SERVICES.get(base, 'lambda')}.amazonaws.com",
        "src_endpoint_ip": "192.0.2.10",
        "http_request_user_agent": "aws-cli/2.15.0 md/command#lambda",
        "metadata_event_code": "Data" if base.startswith("Invoke") else "Management",
        "status": "failure" if denied else "success",
        "status_detail": denied,
        "request": request if isinstance(request, str | None) else json.dumps(request),
        **who,
        **facts,
    }
    if "response" in record and not isinstance(record["response"], str):
        record["response"] = json.dumps(record["response"])
    return record


def tables_of(tmp_path: Path, records: list[dict[str, Any]]) -> Tables:
    """Event tables over `records`, numbered from E001:1 in the order given, one Parquet file per item."""
    items: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        item = record.get("evidence_id", "E001")
        items[item].append({"evidence_id": item, "record_no": len(items[item]) + 1, **record})
    folder = tmp_path / "events" / "api_activity"
    folder.mkdir(parents=True)
    table = schema.API_ACTIVITY
    shape = pa.schema([(column.name, ARROW[column.type]) for column in table.columns])
    for item, rows in items.items():
        whole = [{name: row.get(name) for name in table.names} for row in rows]
        pq.write_table(pa.Table.from_pylist(whole, schema=shape), folder / f"{item}.parquet")
    return open_tables(tmp_path / "events")


def case_of(tmp_path: Path, **fields: Any) -> Case:
    """A case with window 10–12 March 2026 unless told otherwise, and no baseline."""
    window = {"start": at("03-10 00:00"), "end": at("03-12 00:00")}
    estate = {"own": {"aws_accounts": [HOME]}}
    return Case(tmp_path, CaseFile(case_id="T-1", **{"window": window, "estate": estate, **fields}))


BASELINE = {"start": at("03-01 00:00"), "end": at("03-10 00:00")}
