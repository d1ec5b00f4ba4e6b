"""A small lake table in Security Lake's layout: one Parquet file a day and region, columns nested as OCSF has them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = "ext/cloud trail"  # with a blank: paths come back as addresses from Spark
DAYS = ("20260308", "20260309", "20260310", "20260311", "20260312")
REGIONS = ("eu-central-1", "us-east-1")


def _ms(day: str, hour: int) -> int:
    moment = dt.datetime.strptime(day, "%Y%m%d").replace(hour=hour, tzinfo=dt.UTC)
    return int(moment.timestamp() * 1000) + 250


def _common(uid: int, uid_of: str, day: str, hour: int, **more: Any) -> dict[str, Any]:
    product = {"name": "CloudTrail", "vendor_name": "AWS", "feature": {"name": "Management"}}
    metadata = {"uid": uid_of, "version": "1.1.0", "product": product}
    return {"class_uid": uid, "time": _ms(day, hour), "metadata": metadata, **more}


def _rows(day: str, region: str) -> list[dict[str, Any]]:
    ends = {
        "src_endpoint": {"ip": "::ffff:192.0.2.10", "port": 49152},
        "dst_endpoint": {"ip": "198.51.100.7", "port": 443},
    }
    call = {
        "activity_name": "Create", "status": "Success", "status_id": 1, "src_endpoint": {"ip": "192.0.2.20"},
        "api": {"operation": "CreateFunction20150331", "service": {"name": "Lambda.amazonaws.com"},
                "request": {"data": '{"functionName": "relay"}'}, "response": {"error": None}},
        "cloud": {"provider": "AWS", "region": region, "account": {"uid": "000000000000"}},
        "actor": {"user": {"name": "ci", "uid": "AIDAEXAMPLE", "type": "IAMUser"}, "session": {"issuer": None}},
        "resources": [{"name": "relay", "uid": "arn:aws:lambda:eu-central-1:000000000000:function:relay"}],
        "http_request": {"user_agent": "aws-cli/2.15.0"},
    }  # fmt: skip
    refused = {**call, "status": "Failure", "status_id": 2}
    refused["api"] = {**call["api"], "operation": "AddPermission20150331v2", "response": {"error": "AccessDenied"}}
    return [
        _common(6003, f"a-{day}", day, 1, **call),
        _common(4003, f"d-{day}", day, 2, query={"hostname": "App.Example.test.", "type": "AAAA"}, rcode="NoError",
                answers=[{"rdata": "2001:db8::7"}, {"rdata": "alias.example.test."}], disposition="Allowed", **ends),
        _common(2004, f"f-{day}", day, 3),
        _common(4002, f"h-{day}", day, 4, http_request={"http_method": "GET", "user_agent": "curl/8",
                "url": {"hostname": "App.example.test", "url_string": "https://app.example.test/x"}},
                http_response={"code": 200}, **ends),
        _common(4001, f"n-{day}", day, 5, traffic={"bytes_out": 10, "bytes_in": 20}, disposition="Denied",
                connection_info={"protocol_name": "TCP"}, **ends),
        _common(6003, f"b-{day}", day, 23, **refused),
    ]  # fmt: skip


def write_lake(folder: Path) -> Path:
    """The root of the table; two regions, five days."""
    root = folder / ROOT
    for region in REGIONS:
        for day in DAYS:
            place = root / f"region={region}" / "accountId=000000000000" / f"eventDay={day}"
            place.mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(_padded(_rows(day, region))), place / "part-0.gz.parquet")
    return root


def _padded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every row with every column: Arrow takes the columns of the first."""
    names = {name: None for row in rows for name in row}
    return [names | row for row in rows]
