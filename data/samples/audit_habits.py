"""Nine ordinary days of the own account: pipeline, Terraform, an administrator, services, auditors, a reader."""

from __future__ import annotations

from collections.abc import Iterator

import estate
from cloudtrail_records import (
    ADMIN_AGENT,
    AUDIT_IP,
    CONSOLE,
    FUNCTIONS,
    OFFICE_IP,
    PIPELINE_AGENT,
    PIPELINE_IP,
    TERRAFORM,
    Caller,
    Entry,
    aws_service,
    event,
    function_answer,
    function_arn,
    iam_user,
    role_session,
)
from estate import HOUR, OWN_ACCOUNT, PARTNER_ACCOUNT, REGION, at, stream


def _deployment(time: float, function: str, run: int) -> Iterator[Entry]:
    """The pipeline takes its role, looks, updates the code, publishes and moves the alias."""
    pipeline = role_session("ci-deployer", f"pipeline-{run}", PIPELINE_IP, PIPELINE_AGENT, time)
    issuer = f"arn:aws:iam::{OWN_ACCOUNT}:oidc-provider/ci.corp.example"
    federated = Caller(
        {
            "type": "WebIdentityUser",
            "principalId": f"{issuer}:sts.amazonaws.com:project/shop",
            "userName": "project/shop",
            "identityProvider": issuer,
        },
        PIPELINE_IP,
        PIPELINE_AGENT,
    )
    role = {"roleArn": f"arn:aws:iam::{OWN_ACCOUNT}:role/ci-deployer", "roleSessionName": f"pipeline-{run}"}
    yield event(time, "sts", "AssumeRoleWithWebIdentity", federated, role)
    yield event(time + 4, "lambda", "GetFunction20150331v2", pipeline, {"functionName": function})
    yield event(
        time + 9,
        "lambda",
        "UpdateFunctionCode20150331v2",
        pipeline,
        {
            "functionName": function,
            "s3Bucket": "corp-example-artifacts",
            "s3Key": f"{function}/{run}.zip",
            "publish": False,
            "dryRun": False,
        },
        function_answer(function, time + 9),
    )
    yield event(
        time + 21,
        "lambda",
        "PublishVersion20150331",
        pipeline,
        {"functionName": function},
        function_answer(function, time + 21, str(run % 100)),
    )
    yield event(
        time + 24,
        "lambda",
        "UpdateAlias20150331",
        pipeline,
        {"functionName": function, "name": "live", "functionVersion": str(run % 100)},
    )


def _provisioning(time: float, function: str, run: int) -> Iterator[Entry]:
    """Terraform makes a role, a function and its schedule, in one session."""
    caller = role_session("terraform-provisioner", f"tf-apply-{run}", PIPELINE_IP, TERRAFORM, time)
    role = f"{function}-role"
    yield event(time, "iam", "CreateRole", caller, {"roleName": role}, {"role": {"roleName": role}})
    yield event(
        time + 3,
        "iam",
        "AttachRolePolicy",
        caller,
        {"roleName": role, "policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
    )
    yield event(
        time + 15,
        "lambda",
        "CreateFunction20150331",
        caller,
        {
            "functionName": function,
            "runtime": "python3.12",
            "handler": "app.handler",
            "publish": False,
            "role": f"arn:aws:iam::{OWN_ACCOUNT}:role/{role}",
            "code": {"s3Bucket": "corp-example-artifacts", "s3Key": f"{function}/1.zip"},
        },
        function_answer(function, time),
    )
    yield event(
        time + 19, "events", "PutRule", caller, {"name": f"{function}-daily", "scheduleExpression": "rate(1 day)"}
    )
    yield event(
        time + 22,
        "lambda",
        "AddPermission20150331v2",
        caller,
        {
            "functionName": function,
            "statementId": "AllowSchedule",
            "action": "lambda:InvokeFunction",
            "principal": "events.amazonaws.com",
            "sourceArn": f"arn:aws:events:{REGION}:{OWN_ACCOUNT}:rule/{function}-daily",
        },
    )
    yield event(
        time + 25,
        "events",
        "PutTargets",
        caller,
        {"rule": f"{function}-daily", "targets": [{"id": "1", "arn": function_arn(function)}]},
    )


def _admin_change(time: float) -> Iterator[Entry]:
    """A named administrator raises a timeout, as now and then, from the usual place with the usual browser."""
    admin = iam_user("m.weber", "AKIAEXAMPLEWEBER0001", OFFICE_IP, ADMIN_AGENT)
    yield event(time - 40, "lambda", "GetFunctionConfiguration20150331v2", admin, {"functionName": "order-intake"})
    yield event(
        time,
        "lambda",
        "UpdateFunctionConfiguration20150331v2",
        admin,
        {"functionName": "order-intake", "timeout": 30},
        function_answer("order-intake", time),
    )


def _every_day(day: float) -> Iterator[Entry]:
    """What services, auditors and a partner do on any day; the machines keep their times."""
    pick = stream("audit-day", day)
    runs = [(hour * HOUR + 2, "invoice-export", "events.amazonaws.com") for hour in (1, 7, 13, 19)]
    runs += [(5 * HOUR + 3, "report-mailer", "events.amazonaws.com")]
    runs += [(pick.uniform(6, 17) * HOUR, "order-intake", "apigateway.amazonaws.com") for _ in range(5)]
    for offset, function, service in runs:
        yield event(
            day + offset,
            "lambda",
            "Invoke",
            aws_service(service),
            {"functionName": function_arn(function)},
            resources=[{"accountId": OWN_ACCOUNT, "type": "AWS::Lambda::Function", "ARN": function_arn(function)}],
        )
    for function in FUNCTIONS[:3]:
        role = f"arn:aws:iam::{OWN_ACCOUNT}:role/{function}-role"
        yield event(
            day + pick.uniform(0.5, 23) * HOUR,
            "sts",
            "AssumeRole",
            aws_service("lambda.amazonaws.com"),
            {"roleArn": role, "roleSessionName": function},
            resources=[{"accountId": OWN_ACCOUNT, "type": "AWS::IAM::Role", "ARN": role}],
        )
    auditor = role_session(
        "security-audit", "inventory", AUDIT_IP, "Boto3/1.36.21 md/Botocore#1.36.21 lang/python#3.12.8", day
    )
    for service, name in (
        ("lambda", "ListFunctions20150331"),
        ("iam", "ListRoles"),
        ("ec2", "DescribeInstances"),
        ("cloudtrail", "GetEventSelectors"),
        ("iam", "ListUsers"),
    ):
        yield event(day + pick.uniform(2, 3) * HOUR, service, name, auditor, None)
    yield event(
        day + 3.2 * HOUR,
        "s3",
        "GetBucketPolicy",
        auditor,
        {"bucketName": "corp-example-archive"},
        error=("AccessDenied", "Access Denied"),
    )
    partner = Caller(
        {"type": "AWSAccount", "principalId": "AIDAEXAMPLEPARTNER", "accountId": PARTNER_ACCOUNT},
        "203.0.113.190",
        "aws-sdk-java/2.30.11 Linux/5.15 Java_17",
    )
    yield event(
        day + 4 * HOUR + pick.uniform(0, 60),
        "sts",
        "AssumeRole",
        partner,
        {"roleArn": f"arn:aws:iam::{OWN_ACCOUNT}:role/partner-readonly", "roleSessionName": "nightly"},
    )


def _reader(day: float) -> Iterator[Entry]:
    """j.doe looks at invoices in the console; never anything else, in nine days but for B1."""
    pick = stream("j.doe", day)
    caller = iam_user("j.doe", "AKIAEXAMPLEJDOE00001", OFFICE_IP, CONSOLE)
    yield event(day + pick.uniform(7.5, 9) * HOUR, "s3", "ListBuckets", caller, None)
    for _ in range(pick.randrange(4, 8)):
        key = f"2026/03/invoice-{pick.randrange(1000, 9999)}.pdf"
        yield event(
            day + pick.uniform(8, 15) * HOUR,
            "s3",
            "GetObject",
            caller,
            {"bucketName": "corp-example-invoices", "key": key},
        )


def ordinary(quiet: bool) -> Iterator[Entry]:
    """The account without the planted sequence; `quiet` adds an administrator's change in the window."""
    run = 400
    for number, day in enumerate(estate.AUDIT_DAYS):
        yield from _every_day(day)
        if not estate.is_workday(day):
            continue
        yield from _reader(day)
        for turn in range(2 if number % 2 else 3):
            run += 1
            function = FUNCTIONS[(number + turn) % 4]
            if not (function == "invoice-export" and day > estate.WINDOW_START):
                yield from _deployment(day + (8.3 + 2.1 * turn) * HOUR + run, function, run)
        if number in (1, 6):
            yield from _admin_change(day + 12.4 * HOUR)
    for stamp, function in (
        ("2026-03-04T13:02:10", "stock-sync"),
        ("2026-03-06T09:40:31", "vat-check"),
        ("2026-03-10T12:51:07", "label-printer"),
    ):
        yield from _provisioning(at(stamp), function, int(at(stamp)) % 1000)
    if quiet:
        yield from _admin_change(at("2026-03-11T12:25:18"))
        yield from _deployment(at("2026-03-11T14:06:44"), "invoice-export", 433)
