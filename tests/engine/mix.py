"""Random events of every table, from a seed: few values, so that they meet; nulls, ties and odd texts among them."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.scoping.events import TYPES

from playbooks import schema

START = dt.datetime(2026, 3, 9, 22, tzinfo=dt.UTC)
ITEMS, ROWS, HOURS = 2, 120, 40
INSIDE = ("10.0.0.5", "10.0.0.6", "10.20.3.17", "192.168.7.7", None)
OUTSIDE = ("198.51.100.7", "203.0.113.9", "2001:db8::7", "10.0.0.9", None)
NAMES = (
    *(
        "a.workers.dev",
        "b.a.workers.dev",
        "x1.lambda-url.eu-central-1.on.aws",
        "app.azurewebsites.net",
        "www.site.test",
    ),
    *("WWW.Site.TEST.", "printer.local", "site.test", "cdn.other.test", "10.0.0.9", "İ.test", None),
)
AGENTS = ("curl/8.1", "Mozilla/5.0 (X11)", "python-requests/2.31", "it's\\odd", "", None)
OPERATIONS = (
    *("CreateFunction20150331", "UpdateFunctionCode20150331v2", "AddPermission20150331v2", "Invoke", "PutRolePolicy"),
    *("AssumeRole", "StopLogging", "CreateAccessKey", "ListFunctions20150331", "GetCallerIdentity", "NotKnown"),
)
PEOPLE = ("ci-deployer", "mallory", "j.doe", None)


def write_mix(folder: Path, seed: int) -> Path:
    """`events/` of a case, below `folder`."""
    chance = random.Random(seed)
    makers = {"dns_activity": _dns, "http_activity": _http, "network_activity": _flow, "api_activity": _call}
    for place, (name, make) in enumerate(makers.items()):
        table = schema.TABLES[name]
        shape = pa.schema([(column.name, TYPES[column.type]) for column in table.columns])
        for item in range(place * ITEMS + 1, (place + 1) * ITEMS + 1):  # an item fills one table, as in a case
            rows = [_record(chance, make(chance), f"E{item:03d}", number) for number in range(1, ROWS + 1)]
            (folder / name).mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows, schema=shape), folder / name / f"E{item:03d}.parquet")
    return folder


def _record(chance: random.Random, row: dict[str, Any], item: str, number: int) -> dict[str, Any]:
    # whole seconds often, so that records tie
    after = chance.choice([chance.randrange(HOURS * 3600), chance.randrange(HOURS * 3600 * 10**6) / 10**6])
    return {"evidence_id": item, "record_no": number, "time": START + dt.timedelta(seconds=after), **row}


def _uid(chance: random.Random) -> str | None:
    return chance.choice([None, f"C{chance.randrange(60)}"])


def _dns(chance: random.Random) -> dict[str, Any]:
    answers = [chance.choice([*OUTSIDE[:4], "alias.a.workers.dev"]) for _ in range(chance.randrange(3))]
    return {
        "format": "zeek_dns", "src_endpoint_ip": chance.choice(INSIDE), "query_hostname": chance.choice(NAMES),
        "query_type": chance.choice(["A", "AAAA", "txt", None]), "rcode": chance.choice(["NOERROR", "NXDOMAIN", None]),
        "answers": chance.choice([answers, None]), "metadata_uid": _uid(chance),
    }  # fmt: skip


def _http(chance: random.Random) -> dict[str, Any]:
    host = chance.choice(NAMES)
    url = chance.choice([None, f"https://{host}/a/b?q=1", f"http://{host}:8080/", "/only/path"])
    return {
        "format": chance.choice(["squid_access", "zeek_http"]), "src_endpoint_ip": chance.choice(INSIDE),
        "dst_endpoint_hostname": host, "dst_endpoint_ip": chance.choice(OUTSIDE), "http_request_url_string": url,
        "http_request_http_method": chance.choice(["GET", "POST", "CONNECT", None]),
        "http_request_user_agent": chance.choice(AGENTS), "traffic_bytes_out": chance.choice([None, 0, 812, 10**9]),
        "traffic_bytes_in": chance.choice([None, 1, 5000]), "duration_ms": chance.choice([None, 0, 1499, 90_000]),
        "actor_user_name": chance.choice(["ann", "EXAMPLE\\bob", None]), "metadata_uid": _uid(chance),
    }  # fmt: skip


def _flow(chance: random.Random) -> dict[str, Any]:
    ja4 = chance.choice([None, "t13d1516h2_8daaf6152771_02713d6af862"])
    return {
        "format": chance.choice(["zeek_conn", "zeek_ssl", "aws_vpc_flow"]), "src_endpoint_ip": chance.choice(INSIDE),
        "src_endpoint_port": chance.choice([443, 50000, None]), "dst_endpoint_ip": chance.choice(OUTSIDE),
        "dst_endpoint_port": chance.choice([443, 53, 51000]), "tls_sni": chance.choice([None, None, *NAMES]),
        "tls_ja4": ja4, "traffic_bytes_out": chance.choice([None, 40, 10**7]), "duration_ms": chance.choice([None, 72]),
        "traffic_bytes_in": chance.choice([None, 60, 900]), "metadata_uid": _uid(chance),
    }  # fmt: skip


def _call(chance: random.Random) -> dict[str, Any]:
    operation, who = chance.choice(OPERATIONS), chance.choice(PEOPLE)
    request = {"functionName": chance.choice(["relay", "export"]), "roleArn": "arn:aws:iam::111111111111:role/relay"}
    kind = chance.choice(["IAMUser", "AssumedRole", None])
    return {
        "format": "aws_cloudtrail", "cloud_provider": "AWS", "cloud_account_uid": "111111111111",
        "cloud_region": chance.choice(["eu-central-1", "us-east-1"]), "api_operation": operation,
        "api_operation_base": operation.rstrip("v0123456789"), "actor_user_name": who, "actor_user_type": kind,
        "actor_user_uid": who and f"arn:aws:iam::111111111111:user/{who}", "src_endpoint_ip": chance.choice(OUTSIDE),
        "api_service_name": chance.choice(["lambda.amazonaws.com", "iam.amazonaws.com", "sts.amazonaws.com"]),
        "http_request_user_agent": chance.choice(AGENTS), "status": chance.choice(["success", "success", "failure"]),
        "status_detail": chance.choice([None, "AccessDenied: no"]),
        "request": chance.choice([json.dumps(request), None]),
        "metadata_uid": chance.choice([None, f"id-{chance.randrange(150)}"]), "metadata_event_code": "Management",
    }  # fmt: skip
