"""CloudTrail records: who calls, and what a record of the call looks like."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from estate import OWN_ACCOUNT, REGION, iso, stream

Json = dict[str, Any]
FUNCTIONS = ("invoice-export", "order-intake", "report-mailer", "stock-sync")
OFFICE_IP, PIPELINE_IP, AUDIT_IP, INTRUDER_IP, CALLER_IP = (
    "192.0.2.10",
    "192.0.2.60",
    "192.0.2.61",
    "198.51.100.23",
    "198.51.100.77",
)
CONSOLE = "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.750 Linux/5.10 OpenJDK_64-Bit_Server_VM/17]"
ADMIN_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:135.0) Gecko/20100101 Firefox/135.0"
PIPELINE_AGENT = "aws-sdk-go-v2/1.36.1 ua/2.1 os/linux lang/go#1.23.6 md/GOOS#linux md/GOARCH#amd64 api/lambda#1.69.9"
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.10.5 (+https://www.terraform.io) terraform-provider-aws/5.86.0 "
    "aws-sdk-go-v2/1.36.0 os/linux lang/go#1.23.3"
)
CLI = "aws-cli/2.24.9 md/awscrt#0.23.8 ua/2.1 os/linux#6.11.2 lang/python#3.12.9 md/command#{command}"
SCRIPT_CLI = CLI.format(command="lambda.update-function-code") + " <script>alert(1)</script>"
READ_ONLY = ("Get", "List", "Describe", "Assume", "Head")


@dataclass(frozen=True)
class Caller:
    """Who calls: the identity block, from where, and with what."""

    identity: Json
    source: str
    agent: str


@dataclass(frozen=True)
class Entry:
    """One CloudTrail record; `fact` as in `lines.Line`."""

    time: float
    record: Json
    fact: str = ""


def iam_user(name: str, key: str, source: str, agent: str) -> Caller:
    """A person with a key of their own."""
    return Caller(
        {
            "type": "IAMUser",
            "principalId": f"AIDAEXAMPLE{name.upper().replace('.', '')[:6]:0<6}",
            "arn": f"arn:aws:iam::{OWN_ACCOUNT}:user/{name}",
            "accountId": OWN_ACCOUNT,
            "accessKeyId": key,
            "userName": name,
        },
        source,
        agent,
    )


def role_session(role: str, session: str, source: str, agent: str, opened: float) -> Caller:
    """Somebody who has taken a role."""
    unique = f"AROAEXAMPLE{role.upper().replace('-', '')[:8]}"
    return Caller(
        {
            "type": "AssumedRole",
            "principalId": f"{unique}:{session}",
            "arn": f"arn:aws:sts::{OWN_ACCOUNT}:assumed-role/{role}/{session}",
            "accountId": OWN_ACCOUNT,
            "accessKeyId": f"ASIAEXAMPLE{role.upper().replace('-', '')[:8]:0<9}",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": unique,
                    "accountId": OWN_ACCOUNT,
                    "arn": f"arn:aws:iam::{OWN_ACCOUNT}:role/{role}",
                    "userName": role,
                },
                "attributes": {"creationDate": iso(opened), "mfaAuthenticated": "false"},
            },
        },
        source,
        agent,
    )


def aws_service(name: str) -> Caller:
    """A service of the provider, calling for itself."""
    return Caller({"type": "AWSService", "invokedBy": name}, name, name)


def event(
    time: float,
    service: str,
    name: str,
    caller: Caller,
    request: Json | None,
    response: Json | None = None,
    error: tuple[str, str] | None = None,
    resources: list[Json] | None = None,
    fact: str = "",
) -> Entry:
    """One record: a call, by whom, and what came of it."""
    pick = stream("event", time, service, name, caller.source)
    data = name in ("Invoke", "InvokeFunctionUrl", "GetObject")
    region = "us-east-1" if service == "iam" else REGION
    record: Json = {
        "eventVersion": "1.11",
        "userIdentity": caller.identity,
        "eventTime": iso(time),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": caller.source,
        "userAgent": caller.agent,
    }
    if error:
        record |= {"errorCode": error[0], "errorMessage": error[1]}
    record |= {
        "requestParameters": None if error else request,
        "responseElements": None if error else response,
        "requestID": _uuid(pick),
        "eventID": _uuid(pick),
        "readOnly": name.startswith(READ_ONLY),
    }
    if resources:
        record["resources"] = resources
    record |= {
        "eventType": "AwsApiCall",
        "managementEvent": not data,
        "recipientAccountId": OWN_ACCOUNT,
        "eventCategory": "Data" if data else "Management",
    }
    if caller.identity["type"] != "AWSService":
        record["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
        }
    return Entry(time, record, fact)


def _uuid(pick: Random) -> str:
    return str(uuid.UUID(int=pick.getrandbits(128), version=4))


def function_arn(function: str) -> str:
    """The full id of a function of ours."""
    return f"arn:aws:lambda:{REGION}:{OWN_ACCOUNT}:function:{function}"


def function_answer(name: str, time: float, version: str = "$LATEST") -> Json:
    """What Lambda answers about a function after a change."""
    pick = stream("function", name, time)
    moment = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return {
        "functionName": name,
        "functionArn": function_arn(name),
        "runtime": "python3.12",
        "handler": "app.handler",
        "role": f"arn:aws:iam::{OWN_ACCOUNT}:role/{name}-role",
        "codeSize": pick.randrange(20_000, 900_000),
        "codeSha256": f"{pick.getrandbits(250):064x}"[:43] + "=",
        "lastModified": moment,
        "version": version,
        "memorySize": 256,
        "timeout": 30,
        "packageType": "Zip",
        "architectures": ["arm64"],
        "revisionId": _uuid(pick),
        "environment": {},
        "loggingConfig": {"logFormat": "Text", "logGroup": f"/aws/lambda/{name}"},
    }
