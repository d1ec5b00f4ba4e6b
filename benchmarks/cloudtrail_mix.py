"""CloudTrail records of a house, an hour at a time: who reads, runs, assumes and changes, in the shares of real trails.

An hour is made once, with marks where a moment or an id stands; later hours are the same text with other marks. So
eight million records are written in minutes, and their ids, sessions and answers still differ.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SEED = 6
HOUR_RECORDS = 25_000
FILE_RECORDS = 5_000
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY_MARK, NUMBER_MARK = "2000-01-01T00", "n00000"  # what each hour writes anew: its day and hour, and its number
ACCOUNTS = ("111122223333", "222233334444", "333344445555")
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
ROLES, PEOPLE, FUNCTIONS, BUCKETS = 220, 60, 300, 80
AGENTS = (
    "Boto3/1.35.10 md/Botocore#1.35.10 ua/2.0 os/linux#6.1.102 md/arch#x86_64 lang/python#3.12.4 exec-env/AWS_ECS",
    "aws-cli/2.17.20 md/awscrt#0.21.2 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.9 md/prompt#off",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.2 (+https://www.terraform.io) terraform-provider-aws/5.60.0 aws-sdk-go-v2",
    "aws-sdk-java/2.26.20 Linux/5.10.220 OpenJDK_64-Bit_Server_VM/17.0.11+9-LTS Java/17.0.11 vendor/Amazon.com_Inc.",
)
READS = (
    ("ec2.amazonaws.com", "DescribeInstances", {"instancesSet": {}, "filterSet": {"items": [{"name": "tag:app"}]}}),
    ("ec2.amazonaws.com", "DescribeSecurityGroups", {"securityGroupSet": {}, "filterSet": {}}),
    ("kms.amazonaws.com", "Decrypt", {"encryptionContext": {"aws:lambda:FunctionArn": "f"}}),
    ("logs.amazonaws.com", "DescribeLogStreams", {"logGroupName": "/aws/lambda/f", "limit": 50}),
    ("monitoring.amazonaws.com", "DescribeAlarms", {"maxRecords": 100}),
    ("s3.amazonaws.com", "GetBucketAcl", {"bucketName": "b", "Host": "b.s3.eu-central-1.amazonaws.com", "acl": ""}),
    ("iam.amazonaws.com", "ListAttachedRolePolicies", {"roleName": "app"}),
    ("ssm.amazonaws.com", "GetParametersByPath", {"path": "/app/", "recursive": True, "withDecryption": True}),
)
Record = dict[str, Any]


def write_hours(folder: Path, records: int) -> None:
    """Delivered files: packed, one object, all records on one line."""
    folder.mkdir(parents=True, exist_ok=True)
    hour = [json.dumps(record, separators=(",", ":")) for record in _hour()]
    texts = [
        f'{{"Records":[{",".join(hour[start : start + FILE_RECORDS])}]}}'.encode()
        for start in range(0, HOUR_RECORDS, FILE_RECORDS)
    ]
    for number in range(records // HOUR_RECORDS):
        day, mark = (moment(number).strftime("%Y-%m-%dT%H").encode(), f"n{number:05d}".encode())
        for part, text in enumerate(texts):
            whole = text.replace(DAY_MARK.encode(), day).replace(NUMBER_MARK.encode(), mark)
            (folder / f"{number:05d}_{part}.json.gz").write_bytes(gzip.compress(whole, compresslevel=1, mtime=0))


def moment(number: int) -> datetime:
    """When the hour of a number begins."""
    return BEGIN + timedelta(hours=number)


def _hour() -> Iterator[Record]:
    draw = random.Random(SEED)
    kinds: tuple[tuple[Callable[[random.Random, int], Record], float], ...] = (
        (_read, 0.60),
        (_looked_at, 0.08),
        (_who_am_i, 0.02),
        (_invoked, 0.12),
        (_object, 0.08),
        (_taken_by_lambda, 0.02),
        (_assumed, 0.03),
        (_changed, 0.01),
        (_denied, 0.01),
        (_written, 0.03),
    )
    for number in range(HOUR_RECORDS):
        (kind,) = draw.choices([one for one, _ in kinds], [share for _, share in kinds])
        yield kind(draw, number)


def _record(draw: random.Random, number: int, source: str, name: str, asked: Record | None, **more: Any) -> Record:
    second = number * 3600 // HOUR_RECORDS
    who = more.pop("who", None) or _someone(draw)
    home = who.get("accountId") or ACCOUNTS[0]
    return {
        "eventVersion": "1.09",
        "userIdentity": who,
        "eventTime": f"{DAY_MARK}:{second // 60:02d}:{second % 60:02d}Z",
        "eventSource": source,
        "eventName": name,
        "awsRegion": more.pop("awsRegion", REGIONS[len(who.get("arn", "")) % 3]),
        "sourceIPAddress": who.get("invokedBy") or _address(draw, who),
        "userAgent": who.get("invokedBy") or AGENTS[len(who["arn"]) % len(AGENTS)],
        "requestParameters": asked,
        "responseElements": None,
        "requestID": f"{draw.getrandbits(128):032x}",
        "eventID": f"{draw.getrandbits(96):024x}-{NUMBER_MARK}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": home,
        "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientHost": source},
    } | more  # fmt: skip


def _someone(draw: random.Random) -> Record:
    if draw.random() < 0.1:
        name = f"user{draw.randrange(PEOPLE)}"
        home = draw.choice(ACCOUNTS)
        return {
            "type": "IAMUser",
            "principalId": f"AIDA{name.upper():0<16}",
            "arn": f"arn:aws:iam::{home}:user/{name}",
            "accountId": home,
            "accessKeyId": f"AKIA{name.upper():0<16}",
            "userName": name,
        }
    return _role(draw, draw.randrange(ROLES))


def _role(draw: random.Random, number: int) -> Record:
    home, name = ACCOUNTS[number % len(ACCOUNTS)], f"app-role-{number}"
    session = f"i-{number:04x}{draw.randrange(3):013x}" if draw.random() < 0.7 else f"task-{NUMBER_MARK}-{number}"
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{number:0>16}:{session}",
        "arn": f"arn:aws:sts::{home}:assumed-role/{name}/{session}",
        "accountId": home,
        "accessKeyId": f"ASIA{number:0>10}{draw.randrange(40):06d}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": f"AROA{number:0>16}",
                "arn": f"arn:aws:iam::{home}:role/{name}",
                "accountId": home,
                "userName": name,
            },
            "attributes": {"creationDate": f"{DAY_MARK}:00:00Z", "mfaAuthenticated": "false"},
        },
    }


def _address(draw: random.Random, who: Record) -> str:
    """One of a few addresses of its own."""
    return f"198.51.{sum(map(ord, who['accessKeyId'][:16])) % 250}.{draw.randrange(6)}"


def _region(number: int) -> str:
    return REGIONS[number % len(REGIONS)]


def _arn(number: int) -> str:
    return f"arn:aws:lambda:{_region(number)}:{ACCOUNTS[number % 3]}:function:worker-{number}"


def _read(draw: random.Random, number: int) -> Record:
    source, name, asked = draw.choice(READS)
    return _record(draw, number, source, name, asked)


def _looked_at(draw: random.Random, number: int) -> Record:
    name = draw.choice(
        ("GetFunction20150331v2", "ListFunctions20150331", "GetPolicy20150331v2", "ListEventSourceMappings20150331")
    )
    function = draw.randrange(FUNCTIONS)
    asked = None if name.startswith("ListFunctions") else {"functionName": _arn(function)}
    return _record(draw, number, "lambda.amazonaws.com", name, asked, awsRegion=_region(function))


def _who_am_i(draw: random.Random, number: int) -> Record:
    return _record(draw, number, "sts.amazonaws.com", "GetCallerIdentity", None)


def _invoked(draw: random.Random, number: int) -> Record:
    place = min(int(draw.paretovariate(0.6)), FUNCTIONS) - 1
    function = _arn(place)
    return _record(
        draw, number, "lambda.amazonaws.com", "Invoke", {"functionName": function, "invocationType": "Event"},
        who=_role(draw, draw.randrange(40)), readOnly=False, managementEvent=False, eventCategory="Data",
        awsRegion=_region(place), recipientAccountId=ACCOUNTS[place % 3],
        additionalEventData={"functionVersion": f"{function}:$LATEST", "customerEniId": "eni-0a1b2c3d"},
        resources=[{"accountId": ACCOUNTS[0], "type": "AWS::Lambda::Function", "ARN": function}],
    )  # fmt: skip


def _object(draw: random.Random, number: int) -> Record:
    bucket, key = f"data-{draw.randrange(BUCKETS)}", f"in/{NUMBER_MARK}/{draw.getrandbits(64):016x}.json"
    return _record(
        draw, number, "s3.amazonaws.com", "GetObject",
        {"bucketName": bucket, "Host": f"{bucket}.s3.eu-central-1.amazonaws.com", "key": key},
        managementEvent=False, eventCategory="Data",
        additionalEventData={"SignatureVersion": "SigV4", "bytesTransferredOut": draw.randrange(90_000)},
        resources=[{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"}],
    )  # fmt: skip


def _taken_by_lambda(draw: random.Random, number: int) -> Record:
    function = draw.randrange(FUNCTIONS)
    asked = {
        "roleArn": f"arn:aws:iam::{ACCOUNTS[function % 3]}:role/service-role/worker-role-{function % 90}",
        "roleSessionName": f"worker-{function}",
    }
    who = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    return _record(draw, number, "sts.amazonaws.com", "AssumeRole", asked, who=who, responseElements=_session(draw))


def _assumed(draw: random.Random, number: int) -> Record:
    role = draw.randrange(ROLES)
    asked = {
        "roleArn": f"arn:aws:iam::{ACCOUNTS[role % 3]}:role/app-role-{role}",
        "roleSessionName": f"session-{NUMBER_MARK}-{draw.getrandbits(40):010x}",
        "durationSeconds": 3600,
    }
    return _record(draw, number, "sts.amazonaws.com", "AssumeRole", asked, responseElements=_session(draw))


def _session(draw: random.Random) -> Record:
    key = f"ASIA{draw.getrandbits(64):016X}"
    return {
        "credentials": {"accessKeyId": key, "sessionToken": f"{draw.getrandbits(1600):0400x}", "expiration": "x"},
        "assumedRoleUser": {"assumedRoleId": f"AROA{key}", "arn": f"arn:aws:sts::{ACCOUNTS[0]}:assumed-role/a/{key}"},
    }


def _changed(draw: random.Random, number: int) -> Record:
    function = draw.randrange(FUNCTIONS)
    arn, role = _arn(function), f"arn:aws:iam::{ACCOUNTS[function % 3]}:role/service-role/worker-role-{function % 90}"
    answer = {
        "functionName": f"worker-{function}", "functionArn": arn, "role": role, "runtime": "python3.12",
        "codeSha256": f"{draw.getrandbits(200):050x}{NUMBER_MARK}", "handler": "main.handler", "timeout": 30,
        "revisionId": f"{draw.getrandbits(96):024x}{NUMBER_MARK}", "environment": {}, "layers": [],
        "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]},
    }  # fmt: skip
    name, asked = draw.choice(
        (
            ("UpdateFunctionCode20150331v2", {"functionName": arn, "dryRun": False, "publish": True}),
            ("UpdateFunctionConfiguration20150331v2", {"functionName": arn, "role": role, "environment": {}}),
            ("PublishVersion20150331", {"functionName": arn, "description": f"build {NUMBER_MARK}"}),
            (
                "AddPermission20150331v2",
                {"functionName": arn, "statementId": NUMBER_MARK, "action": "lambda:InvokeFunction",
                 "principal": "events.amazonaws.com", "sourceAccount": ACCOUNTS[function % 3]},
            ),
        )
    )  # fmt: skip
    who = _role(draw, draw.randrange(6))
    return _record(
        draw,
        number,
        "lambda.amazonaws.com",
        name,
        asked,
        who=who,
        readOnly=False,
        responseElements=answer,
        awsRegion=_region(function),
        recipientAccountId=ACCOUNTS[function % 3],
    )


def _denied(draw: random.Random, number: int) -> Record:
    source, name, asked = draw.choice(READS)
    said = f"User is not authorized to perform: {name} with an explicit deny ({NUMBER_MARK})"
    who = _role(draw, draw.randrange(12))
    return _record(draw, number, source, name, asked, who=who, errorCode="AccessDenied", errorMessage=said)


def _written(draw: random.Random, number: int) -> Record:
    asked = {"logGroupName": "/aws/lambda/f", "logStreamName": f"{NUMBER_MARK}/[$LATEST]{draw.getrandbits(128):032x}"}
    return _record(draw, number, "logs.amazonaws.com", "CreateLogStream", asked, readOnly=False)
