"""The planted sequence B1: a reader's identity takes over a function of the own account."""

from __future__ import annotations

import json
from collections.abc import Iterator

import estate
from cloudtrail_records import (
    CALLER_IP,
    CLI,
    INTRUDER_IP,
    SCRIPT_CLI,
    Caller,
    Entry,
    event,
    function_answer,
    function_arn,
    iam_user,
)
from estate import MINUTE, OWN_ACCOUNT, REGION, at, stream

SELECTORS_OFF = at("2026-03-11T10:31:16")  # B1 ends the recording of Lambda data events here


def planted() -> Iterator[Entry]:
    """B1: a reader's identity takes rights, replaces a function, opens it, turns data events off."""
    fact, function = "B1", "invoice-export"

    def caller(command: str, key: str = "AKIAEXAMPLEJDOE00001") -> Caller:
        return iam_user("j.doe", key, INTRUDER_IP, CLI.format(command=command))

    user = f"arn:aws:iam::{OWN_ACCOUNT}:user/j.doe"
    denied = f"User: {user} is not authorized to perform: lambda:{{}} on resource: {function_arn(function)}"
    new_key = "AKIAEXAMPLEJDOE00002"
    resource = [{"accountId": OWN_ACCOUNT, "type": "AWS::Lambda::Function", "ARN": function_arn(function)}]
    yield event(
        at("2026-03-11T10:04:11"),
        "lambda",
        "GetFunction20150331v2",
        caller("lambda.get-function"),
        None,
        error=("AccessDenied", denied.format("GetFunction")),
        fact=fact,
    )
    yield event(
        at("2026-03-11T10:05:02"),
        "lambda",
        "UpdateFunctionCode20150331v2",
        caller("lambda.update-function-code"),
        None,
        error=("AccessDenied", denied.format("UpdateFunctionCode")),
        fact=fact,
    )
    yield event(
        at("2026-03-11T10:09:26"),
        "iam",
        "AttachUserPolicy",
        caller("iam.attach-user-policy"),
        {"userName": "j.doe", "policyArn": "arn:aws:iam::aws:policy/AWSLambda_FullAccess"},
        fact=fact,
    )
    yield event(
        at("2026-03-11T10:11:37"),
        "iam",
        "CreateAccessKey",
        caller("iam.create-access-key"),
        {"userName": "j.doe"},
        {
            "accessKey": {
                "accessKeyId": new_key,
                "status": "Active",
                "userName": "j.doe",
                "createDate": "Mar 11, 2026 10:11:37 AM",
            }
        },
        fact=fact,
    )
    update = at("2026-03-11T10:14:48")
    yield event(
        update,
        "lambda",
        "UpdateFunctionCode20150331v2",
        iam_user("j.doe", new_key, INTRUDER_IP, SCRIPT_CLI),
        {"functionName": function, "publish": True, "dryRun": False},
        function_answer(function, update, "58"),
        fact=fact,
    )
    for stamp in ("2026-03-11T10:15:30", "2026-03-11T10:16:12"):
        yield event(
            at(stamp),
            "lambda",
            "Invoke",
            caller("lambda.invoke", new_key),
            {"functionName": function, "invocationType": "RequestResponse"},
            resources=resource,
            fact=fact,
        )
    for stamp, action, extra in (
        ("2026-03-11T10:17:20", "lambda:InvokeFunctionUrl", {"functionUrlAuthType": "NONE"}),
        ("2026-03-11T10:17:41", "lambda:InvokeFunction", {"invokedViaFunctionUrl": True}),
    ):
        sid = "PublicUrl" if extra.get("functionUrlAuthType") else "PublicInvoke"
        statement = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": "*",
            "Action": action,
            "Resource": function_arn(function),
        }
        yield event(
            at(stamp),
            "lambda",
            "AddPermission20150331v2",
            caller("lambda.add-permission", new_key),
            {"functionName": function, "statementId": sid, "action": action, "principal": "*", **extra},
            {"statement": json.dumps(statement, separators=(",", ":"))},
            fact=fact,
        )
    yield event(
        at("2026-03-11T10:18:05"),
        "lambda",
        "CreateFunctionUrlConfig",
        caller("lambda.create-function-url-config", new_key),
        {"functionName": function, "authType": "NONE", "invokeMode": "BUFFERED"},
        {
            "functionUrl": f"https://{estate.ABUSED_URL}/",
            "functionArn": function_arn(function),
            "authType": "NONE",
            "creationTime": "2026-03-11T10:18:05.114Z",
        },
        fact=fact,
    )
    anonymous = Caller({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}, CALLER_IP, "curl/8.11.1")
    pick = stream("B1-calls")
    for n in range(12):
        yield event(
            at("2026-03-11T10:19:40") + n * MINUTE * 0.93 + pick.uniform(0, 9),
            "lambda",
            "InvokeFunctionUrl",
            anonymous,
            {"functionName": function_arn(function), "functionUrlAuthType": "NONE"},
            resources=resource,
            fact=fact,
        )
    selectors = [
        {
            "readWriteType": "All",
            "includeManagementEvents": True,
            "dataResources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}],
        }
    ]
    yield event(
        SELECTORS_OFF,
        "cloudtrail",
        "PutEventSelectors",
        caller("cloudtrail.put-event-selectors", new_key),
        {"trailName": "corp-trail", "eventSelectors": selectors},
        {"trailARN": f"arn:aws:cloudtrail:{REGION}:{OWN_ACCOUNT}:trail/corp-trail", "eventSelectors": selectors},
        fact=fact,
    )
