"""A house of 50 functions, put into a moto server: what was put there is what an acquisition must bring back."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from tests.evidence.acquire.aws_front import ACCOUNT, KEYS, Front

REGION = "us-east-1"
FUNCTIONS, ROLES = 50, 10
START = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=30)
END = START + dt.timedelta(hours=1)


@dataclass
class House:
    """What was put there, by the operation that brings it back and by its name."""

    functions: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, list[str]] = field(default_factory=dict)
    code: dict[str, bytes] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    put: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def expect(self, operation: str, resource: str, **fields: Any) -> None:
        """An answer to `operation` about `resource` must hold these fields."""
        self.put.append((operation, resource, fields))


def package(text: str) -> bytes:
    """A package of code."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr(zipfile.ZipInfo("handler.py"), text)
    return content.getvalue()


def clients(url: str, region: str = REGION) -> Callable[[str], Any]:
    """Clients of a test, straight to a server."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(service, endpoint_url=url, region_name=region, **KEYS)
        return made[service]

    return client


def build(front: Front) -> House:
    """Put the house into the server behind the door."""
    house = House()
    client = clients(f"http://127.0.0.1:{front.moto_port}")
    roles = [_role(house, client, number) for number in range(ROLES)]
    layers = [_layer(house, client, front, number) for number in range(3)]
    queue = client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    queue_arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    for number in range(FUNCTIONS):
        name = f"fn-{number:02d}"
        _function(house, client, front, number, roles[number % ROLES], layers)
        _openings(house, client, number, name, queue_arn)
        _triggers(house, client, number, name, roles[number % ROLES])
        _log(house, client, number, name)
    _metrics(house, client)
    _trail(house, client)
    return house


def arn_of(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def policy(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _role(house: House, client: Callable[[str], Any], number: int) -> str:
    name = f"role-{number}"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam = client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Path="/service-role/")[
        "Role"
    ]["Arn"]
    house.expect("GetRole", name, Role={"RoleName": name, "Arn": arn, "AssumeRolePolicyDocument": trust})
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy("s3:GetObject"))
    house.expect("ListRolePolicies", name, PolicyNames=["inline"])
    house.expect(
        "GetRolePolicy", f"{name}/inline", PolicyName="inline", PolicyDocument=json.loads(policy("s3:GetObject"))
    )
    managed = iam.create_policy(PolicyName=f"managed-{number}", PolicyDocument=policy("logs:PutLogEvents"))["Policy"][
        "Arn"
    ]
    documents = {"v1": policy("logs:PutLogEvents"), "v2": policy("iam:PassRole"), "v3": policy("sqs:SendMessage")}
    for version in ("v2", "v3"):
        iam.create_policy_version(PolicyArn=managed, PolicyDocument=documents[version], SetAsDefault=version == "v3")
    iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    house.expect(
        "ListAttachedRolePolicies", name, AttachedPolicies=[{"PolicyName": f"managed-{number}", "PolicyArn": managed}]
    )
    house.expect("GetPolicy", managed, Policy={"PolicyName": f"managed-{number}", "DefaultVersionId": "v3"})
    for version, document in documents.items():
        told = {"VersionId": version, "IsDefaultVersion": version == "v3", "Document": json.loads(document)}
        house.expect("GetPolicyVersion", f"{managed}:{version}", PolicyVersion=told)
    return arn


def _layer(house: House, client: Callable[[str], Any], front: Front, number: int) -> str:
    content = front.keep(package(f"layer {number}"))
    made = client("lambda").publish_layer_version(
        LayerName=f"layer-{number}", Description=f"layer {number}", Content={"ZipFile": content}
    )
    arn: str = made["LayerVersionArn"]
    house.code[arn] = content
    house.expect("GetLayerVersion", arn, LayerArn=made["LayerArn"], LayerVersionArn=arn, Version=1)
    return arn


def _function(
    house: House, client: Callable[[str], Any], front: Front, number: int, role: str, layers: list[str]
) -> None:
    name = f"fn-{number:02d}"
    secret = f"S3cr3t-of-{name}-{number * 7919}"
    house.secrets.append(secret)
    first, second, latest = (front.keep(package(f"{name} code {part}")) for part in (1, 2, 3))
    configuration: dict[str, Any] = {
        "FunctionName": name,
        "Runtime": "python3.12" if number % 2 else "nodejs22.x",
        "Role": role,
        "Handler": f"handler.{name.replace('-', '_')}",
        "Description": f"function {number}",
        "Timeout": 3 + number,
        "MemorySize": 128 + 64 * (number % 4),
        "Environment": {"Variables": {"TOKEN": secret, "STAGE": "live"}},
        "Layers": [layers[(number + n) % 3] for n in range(number % 3)],
        "TracingConfig": {"Mode": "Active" if number % 2 else "PassThrough"},
    }
    tags = {"owner": f"team-{number % 5}", "cost": str(number)}
    function = client("lambda")
    function.create_function(**configuration, Code={"ZipFile": first}, Tags=tags, Publish=True)
    if number % 5 == 0:
        function.update_function_code(FunctionName=name, ZipFile=second, Publish=True)
        house.code[f"{name}:2"] = second
    function.update_function_code(FunctionName=name, ZipFile=latest)
    function.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="what callers use")
    house.functions[name] = {**configuration, "Layers": [{"Arn": arn} for arn in configuration["Layers"]]}
    house.versions[name] = ["1", "2"] if number % 5 == 0 else ["1"]
    house.code |= {name: latest, f"{name}:1": first, f"{name}:live": first}
    house.expect(
        "ListAliases", name, Aliases=[{"Name": "live", "FunctionVersion": "1", "Description": "what callers use"}]
    )
    house.expect("ListTags", arn_of(name), Tags=tags)
    house.expect("GetFunction", name, Tags=tags)


def _openings(house: House, client: Callable[[str], Any], number: int, name: str, queue: str) -> None:
    function = client("lambda")
    if number % 2 == 0:
        function.add_permission(
            FunctionName=name, StatementId="open", Action="lambda:InvokeFunction", Principal="444455556666"
        )
        house.expect("GetPolicy", name, Policy={"Statement": [{"Sid": "open", "Action": "lambda:InvokeFunction"}]})
    if number % 5 == 0:
        made = function.create_function_url_config(FunctionName=name, AuthType="NONE", Cors={"AllowOrigins": ["*"]})
        house.expect(
            "GetFunctionUrlConfig",
            name,
            FunctionUrl=made["FunctionUrl"],
            AuthType="NONE",
            Cors={"AllowOrigins": ["*"]},
        )
    if number % 4 == 1:
        made = function.create_event_source_mapping(FunctionName=name, EventSourceArn=queue, BatchSize=7)
        told = {"UUID": made["UUID"], "FunctionArn": arn_of(name), "EventSourceArn": queue, "BatchSize": 7}
        house.expect("ListEventSourceMappings", "", EventSourceMappings=[told])
    if number % 6 == 0:
        function.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number)
        house.expect("GetFunctionConcurrency", name, ReservedConcurrentExecutions=number)
    if number % 3 == 0:
        function.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
        house.expect("ListFunctionEventInvokeConfigs", name, FunctionEventInvokeConfigs=[{"MaximumRetryAttempts": 1}])


def _triggers(house: House, client: Callable[[str], Any], number: int, name: str, role: str) -> None:
    if number % 4 == 0:
        rule = f"rule-{number:02d}"
        target = {"Id": "1", "Arn": arn_of(name), "Input": '{"beat": 1}'}
        client("events").put_rule(Name=rule, ScheduleExpression="rate(5 minutes)", Description=f"runs {name}")
        client("events").put_targets(Rule=rule, Targets=[target])
        house.expect("ListRuleNamesByTarget", arn_of(name), RuleNames=[rule])
        told = {"ScheduleExpression": "rate(5 minutes)", "Description": f"runs {name}", "State": "ENABLED"}
        house.expect("DescribeRule", f"default/{rule}", Name=rule, **told)
        house.expect("ListTargetsByRule", f"default/{rule}", Targets=[target])
    if number % 10 == 3:
        schedule = f"schedule-{number:02d}"
        target = {"Arn": arn_of(f"{name}:live"), "RoleArn": role, "Input": '{"tick": 1}'}
        client("scheduler").create_schedule(
            Name=schedule, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        )
        house.expect(
            "GetSchedule", f"default/{schedule}", Name=schedule, ScheduleExpression="rate(1 hour)", Target=target
        )


def _log(house: House, client: Callable[[str], Any], number: int, name: str) -> None:
    if number % 3:
        return
    logs, group = client("logs"), f"/aws/lambda/{name}"
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    logs.create_log_stream(logGroupName=group, logStreamName="2026/[1]abc")
    moment = int(START.timestamp() * 1000) + 60_000
    events = [{"timestamp": moment + n, "message": f"START RequestId {name} {n}"} for n in range(3)]
    logs.put_log_events(logGroupName=group, logStreamName="2026/[1]abc", logEvents=events)
    house.expect("DescribeLogGroups", group, logGroups=[{"logGroupName": group, "retentionInDays": 30}])
    house.expect("FilterLogEvents", group, events=events)


def _metrics(house: House, client: Callable[[str], Any]) -> None:
    dimensions = [{"Name": "FunctionName", "Value": "fn-07"}]
    client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {"MetricName": "Invocations", "Dimensions": dimensions, "Timestamp": START, "Value": 41.0},
            {"MetricName": "UrlRequestCount", "Dimensions": dimensions, "Timestamp": START, "Value": 40.0},
        ],
    )
    told = [{"Label": "Invocations", "Values": [41.0]}, {"Label": "UrlRequestCount", "Values": [40.0]}]
    house.expect("GetMetricData", "fn-07", MetricDataResults=told)


def _trail(house: House, client: Callable[[str], Any]) -> None:
    client("s3").create_bucket(Bucket="audit-records")
    arn = client("cloudtrail").create_trail(Name="main-trail", S3BucketName="audit-records")["TrailARN"]
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    client("cloudtrail").put_event_selectors(TrailName="main-trail", EventSelectors=[selector])
    house.expect("DescribeTrails", "", trailList=[{"Name": "main-trail", "S3BucketName": "audit-records"}])
    house.expect("GetTrailStatus", arn, IsLogging=False)
    house.expect("GetEventSelectors", arn, EventSelectors=[selector])
