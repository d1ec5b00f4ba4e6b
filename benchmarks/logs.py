"""Logs to measure with: one writer a format, of any length, shaped as the products write them.

A block of records is made once and repeated, so that a log of ten million records is written in seconds.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BLOCK = 100_000
CLOUDTRAIL_FILE = 5_000  # records of a delivered file
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36"
)


@dataclass(frozen=True)
class Log:
    """A log to read: how a record is written, what stands above them, and how DuckDB alone scans the file.

    `most` is the ratio to that scan which the project set itself.
    """

    format: str
    record: Callable[[int], str]
    floor: str
    most: float
    header: str = ""


def _clock(i: int) -> str:
    return f"{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}"


def _client(i: int) -> str:
    return f"10.0.{i % 7}.{i % 251}"


def _host(i: int) -> str:
    return f"api{i % 997}.service{i % 31}.example.test"


def _zeek_conn(i: int) -> str:
    return (
        f"{1773100000 + i / 10:.6f}\tC{i:08x}\t{_client(i)}\t{1024 + i % 60000}\t198.51.100.{i % 199}\t443\ttcp\tssl\t"
        f"{i % 90}.5\t{i % 9000}\t{i % 70000}\tSF\tT\tF\t0\tShADadFf\t{i % 40}\t{i % 9999}\t{i % 50}\t{i % 79999}\t-"
    )


def _zeek_http(i: int) -> str:
    record = {
        "ts": 1773100000 + i / 10,
        "uid": f"C{i:08x}",
        "id.orig_h": _client(i),
        "id.orig_p": 1024 + i % 60000,
        "id.resp_h": f"198.51.100.{i % 199}",
        "id.resp_p": 80,
        "trans_depth": 1,
        "method": "GET",
        "host": _host(i),
        "uri": f"/v1/items/{i % 5000}?page={i % 9}",
        "version": "1.1",
        "user_agent": AGENT,
        "request_body_len": i % 900,
        "response_body_len": i % 90000,
        "status_code": 200,
        "status_msg": "OK",
        "tags": [],
        "resp_fuids": [f"F{i:08x}"],
        "resp_mime_types": ["text/html"],
    }
    return json.dumps(record)


def _squid(i: int) -> str:
    return (
        f"{1773100000 + i / 10:.3f} {i % 4000:6d} {_client(i)} TCP_TUNNEL/200 {i % 90000} CONNECT {_host(i)}:443 "
        f"user{i % 300} HIER_DIRECT/198.51.100.{i % 199} -"
    )


def _route53(i: int) -> str:
    record = {
        "version": "1.100000",
        "account_id": "111122223333",
        "region": "eu-central-1",
        "vpc_id": "vpc-0a1b2c3d",
        "query_timestamp": f"2026-03-10T{_clock(i)}Z",
        "query_name": f"{_host(i)}.",
        "query_type": "A",
        "query_class": "IN",
        "rcode": "NOERROR",
        "answers": [{"Rdata": f"198.51.100.{i % 199}", "Type": "A", "Class": "IN"}],
        "srcaddr": _client(i),
        "srcport": str(1024 + i % 60000),
        "transport": "UDP",
        "srcids": {"instance": f"i-{i % 500:017x}"},
    }
    return json.dumps(record)


def _vpc_flow(i: int) -> str:
    return (
        f"2 111122223333 eni-{i % 500:017x} {_client(i)} 198.51.100.{i % 199} {1024 + i % 60000} 443 6 {i % 90} "
        f"{i % 90000} {1773100000 + i // 10} {1773100060 + i // 10} ACCEPT OK"
    )


def _cloudtrail(i: int) -> str:
    role = f"arn:aws:iam::111122223333:role/app{i % 40}"
    issuer = {"type": "Role", "principalId": "AROAEXAMPLE", "arn": role, "accountId": "111122223333"}
    record = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:s{i % 40}",
            "accountId": "111122223333",
            "arn": f"arn:aws:sts::111122223333:assumed-role/app{i % 40}/s{i % 40}",
            "accessKeyId": f"ASIAEXAMPLE{i % 400}",
            "sessionContext": {
                "sessionIssuer": {**issuer, "userName": f"app{i % 40}"},
                "attributes": {"creationDate": "2026-03-10T08:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"2026-03-10T{_clock(i)}Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "Invoke",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": f"198.51.100.{i % 200}",
        "userAgent": "Boto3/1.35 x",
        "requestParameters": {"functionName": f"arn:aws:lambda:eu-central-1:111122223333:function:f{i % 90}"},
        "responseElements": None,
        "additionalEventData": {"functionVersion": "$LATEST"},
        "requestID": f"{i:036x}",
        "eventID": f"{i:032x}",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": "111122223333",
        "eventCategory": "Data",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
    }
    return json.dumps(record, separators=(",", ":"))


def _zscaler(i: int) -> str:
    pairs = {
        "reason": "Allowed",
        "event_id": f"{i:019d}",
        "protocol": "HTTPS",
        "action": "Allowed",
        "transactionsize": i % 90000,
        "responsesize": i % 80000,
        "requestsize": i % 9000,
        "urlcategory": "Professional Services",
        "serverip": f"198.51.100.{i % 199}",
        "requestmethod": "POST",
        "refererURL": "None",
        "useragent": AGENT,
        "product": "NSS",
        "location": "Road Warrior",
        "ClientIP": _client(i),
        "status": 200,
        "user": f"user{i % 300}@example.test",
        "url": f"{_host(i)}/v1/{i % 99}",
        "vendor": "Zscaler",
        "hostname": _host(i),
        "department": "Sales",
        "epochtime": 1773100000 + i // 10,
    }
    return f"2026-03-10 {_clock(i)}\t" + "\t".join(f"{name}={value}" for name, value in pairs.items())


DEFENDER = (
    *("Timestamp", "DeviceId", "DeviceName", "ActionType", "RemoteIP", "RemotePort", "RemoteUrl", "LocalIP"),
    *("LocalPort", "Protocol", "InitiatingProcessFileName", "InitiatingProcessFolderPath"),
    *("InitiatingProcessCommandLine", "InitiatingProcessAccountName", "InitiatingProcessSHA256", "ReportId"),
    "AdditionalFields",
)


def _defender(i: int) -> str:
    return (
        f"2026-03-10T{_clock(i)}.1234567Z,{i % 400:040x},host{i % 400}.example.test,ConnectionSuccess,"
        f'198.51.100.{i % 199},443,"https://{_host(i)}/v1/{i % 99}",{_client(i)},{1024 + i % 60000},Tcp,'
        rf'msedge.exe,"C:\Program Files (x86)\Microsoft\Edge\msedge.exe","""msedge.exe"" --type=utility, --x",'
        f"user{i % 300},{i % 90:064x},{i},"
    )


_LINES = "SELECT * FROM read_{kind}('{file}'{options})"
LOGS = (
    Log(
        "zeek_conn",
        _zeek_conn,
        "SELECT * FROM read_csv('{file}', delim = '\t', comment = '#', header = false)",
        2,
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\t"
        + "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state "
        "local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes "
        "tunnel_parents".replace(" ", "\t"),
    ),
    Log("zeek_http", _zeek_http, "SELECT * FROM read_json('{file}')", 2),
    Log("squid_access", _squid, "SELECT * FROM read_csv('{file}', delim = '\t', header = false)", 4),
    Log("route53_resolver", _route53, "SELECT * FROM read_json('{file}')", 2),
    Log("aws_vpc_flow", _vpc_flow, "SELECT * FROM read_csv('{file}', delim = ' ', header = false)", 2),
    Log("zscaler_web", _zscaler, "SELECT * FROM read_csv('{file}', delim = '\t', header = false)", 4),
    Log("defender_hunting_csv", _defender, "SELECT * FROM read_csv('{file}')", 2, ",".join(DEFENDER)),
)
CLOUDTRAIL = Log("aws_cloudtrail", _cloudtrail, "SELECT unnest(Records) FROM read_json('{file}')", 2)


def write(log: Log, file: Path, records: int) -> None:
    """Write a log of so many records, a multiple of `BLOCK` or fewer."""
    block = "".join(log.record(i) + "\n" for i in range(min(records, BLOCK))).encode()
    with file.open("wb") as out:
        out.write(f"{log.header}\n".encode() if log.header else b"")
        for _ in range(max(1, records // BLOCK)):
            out.write(block)


def write_cloudtrail(folder: Path, records: int) -> None:
    """Files as CloudTrail delivers them: packed, one object, all records on one line."""
    folder.mkdir(exist_ok=True)
    for number in range(records // CLOUDTRAIL_FILE):
        start = number * CLOUDTRAIL_FILE
        text = ",".join(_cloudtrail(i) for i in range(start, start + CLOUDTRAIL_FILE))
        packed = gzip.compress(f'{{"Records":[{text}]}}'.encode(), compresslevel=6, mtime=0)
        (folder / f"{number:05d}.json.gz").write_bytes(packed)
