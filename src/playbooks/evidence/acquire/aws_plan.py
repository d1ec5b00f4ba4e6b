"""Which calls an acquisition of AWS makes, of what, and why: a table to read, reads only.

Each row is one call. `per` is what it is asked of (a function, a version, a role, …); `gives` says which
further things its answer names, and these are asked in turn. `pages` is the parameter that carries the
token of a next page, and the member of the answer it comes from. `windowed` calls ask for a span of time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playbooks.evidence.acquire.aws_things import (
    Thing,
    alias_of,
    boundary_of,
    bus_of,
    configured_things,
    event_source,
    inline_of,
    layer_package_of,
    listed_function,
    metric_queries,
    policy_of,
    policy_version_of,
    rule_of,
    schedule_of,
    signing_of,
    trail_of,
    version_of,
)

Scope = Literal["any", "all", "named"]
Value = str | Callable[[Mapping[str, str]], Any]


@dataclass(frozen=True)
class Call:
    """One call of the plan.

    `parameters` are templates over the fields of the thing asked of. `scope` says whether the call is
    made when all functions of a region are wanted, when some are named, or in any case. `across` is a
    kind of thing of the region over which the call is repeated.
    """

    service: str
    operation: str
    per: str
    why: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    pages: tuple[str, str] | None = None
    gives: Callable[[Mapping[str, Any], Thing], list[Thing]] | None = None
    windowed: bool = False
    scope: Scope = "any"
    across: str = ""


MARKER = ("Marker", "NextMarker")
IAM = ("Marker", "Marker")
TOKEN = ("NextToken", "NextToken")
LOGS = ("nextToken", "nextToken")

NAME = {"FunctionName": "{function}"}
QUALIFIED = {"FunctionName": "{function}", "Qualifier": "{qualifier}"}
LAYER = {"LayerName": "{layer}", "VersionNumber": "{number}"}
GROUP = {"logGroupName": "{group}"}
RULE = "{rule}"

PLAN: tuple[Call, ...] = (
    # the region
    Call("lambda", "GetAccountSettings", "region", "limits and use of the account; code size shows deleted versions"),
    Call("events", "ListEventBuses", "region", "rules stand on buses", pages=TOKEN, gives=bus_of),
    Call(
        "lambda",
        "ListFunctions",
        "region",
        "every function, so that none nobody remembers is missed",
        pages=MARKER,
        gives=listed_function,
        scope="all",
    ),
    Call("lambda", "ListEventSourceMappings", "region", "what polls and triggers", pages=MARKER, scope="all"),
    Call("lambda", "ListLayers", "region", "layers, used or not", pages=MARKER, scope="all"),
    Call("scheduler", "ListSchedules", "region", "schedules that run a function", pages=TOKEN, gives=schedule_of),
    Call("cloudtrail", "DescribeTrails", "region", "where audit records go", gives=trail_of),
    Call(
        "cloudtrail",
        "ListPublicKeys",
        "region",
        "keys that verify digest files offline",
        {"StartTime": "{start}", "EndTime": "{end}"},
        pages=TOKEN,
        windowed=True,
    ),
    # the function
    Call("lambda", "GetFunction", "function", "code, tags, concurrency", NAME, gives=configured_things),
    Call("lambda", "GetFunctionConfiguration", "function", "configuration", NAME),
    Call("lambda", "ListVersionsByFunction", "function", "versions", NAME, MARKER, version_of),
    Call("lambda", "ListAliases", "function", "names that point to versions", NAME, MARKER, alias_of),
    Call("lambda", "GetPolicy", "function", "who may invoke", NAME),
    Call("lambda", "ListFunctionUrlConfigs", "function", "public endpoints of every qualifier", NAME, MARKER),
    Call("lambda", "GetFunctionUrlConfig", "function", "its own endpoint, where listing is not allowed", NAME),
    Call("lambda", "ListEventSourceMappings", "function", "what polls and triggers", NAME, MARKER, scope="named"),
    Call("lambda", "ListFunctionEventInvokeConfigs", "function", "where results are sent", NAME, MARKER),
    Call("lambda", "GetFunctionConcurrency", "function", "whether it is stopped", NAME),
    Call("lambda", "ListProvisionedConcurrencyConfigs", "function", "whether it is kept warm", NAME, MARKER),
    Call("lambda", "GetFunctionCodeSigningConfig", "function", "whether code must be signed", NAME, gives=signing_of),
    Call("lambda", "GetRuntimeManagementConfig", "function", "which runtime it is held to", NAME),
    Call("lambda", "GetFunctionRecursionConfig", "function", "whether loops are let run", NAME),
    Call(
        "cloudwatch",
        "GetMetricData",
        "function",
        "volume and rhythm, which exist without data events",
        {"MetricDataQueries": metric_queries, "StartTime": "{start}", "EndTime": "{end}"},
        pages=TOKEN,
        windowed=True,
    ),
    Call("lambda", "ListTags", "function_arn", "owner and pipeline", {"Resource": "{arn}"}),
    Call("lambda", "GetCodeSigningConfig", "signing", "who may sign", {"CodeSigningConfigArn": "{signing}"}),
    # each version and alias
    Call("lambda", "GetFunction", "version", "code of the version", QUALIFIED, gives=configured_things),
    Call("lambda", "GetFunctionConfiguration", "version", "configuration of the version", QUALIFIED),
    Call("lambda", "GetPolicy", "version", "who may invoke the version", QUALIFIED),
    Call("lambda", "GetRuntimeManagementConfig", "version", "runtime of the version", QUALIFIED),
    Call("lambda", "GetFunction", "alias", "code behind the alias", QUALIFIED, gives=configured_things),
    Call("lambda", "GetFunctionConfiguration", "alias", "configuration behind the alias", QUALIFIED),
    Call("lambda", "GetPolicy", "alias", "who may invoke the alias", QUALIFIED),
    Call("lambda", "GetFunctionUrlConfig", "alias", "endpoint of the alias", QUALIFIED),
    Call(
        "lambda",
        "ListEventSourceMappings",
        "alias",
        "what polls and triggers the alias",
        {"FunctionName": "{function}:{qualifier}"},
        MARKER,
        scope="named",
    ),
    # triggers
    Call(
        "events",
        "ListRuleNamesByTarget",
        "arn",
        "rules that run it, on every bus",
        {"TargetArn": "{arn}", "EventBusName": "{bus}"},
        TOKEN,
        rule_of,
        across="bus",
    ),
    Call("events", "DescribeRule", "rule", "when the rule fires", {"Name": RULE, "EventBusName": "{bus}"}),
    Call("events", "ListTargetsByRule", "rule", "what else it runs", {"Rule": RULE, "EventBusName": "{bus}"}, TOKEN),
    Call(
        "scheduler",
        "GetSchedule",
        "schedule",
        "when it runs, with which role and input",
        {"Name": "{schedule}", "GroupName": "{schedule_group}"},
    ),
    # layers
    Call("lambda", "GetLayerVersion", "layer", "code that comes with the layer", LAYER, gives=layer_package_of),
    Call("lambda", "GetLayerVersionPolicy", "layer", "who else uses the layer", LAYER),
    # logs
    Call("logs", "DescribeLogGroups", "log_group", "retention and size", {"logGroupNamePrefix": "{group}"}, LOGS),
    Call("logs", "DescribeSubscriptionFilters", "log_group", "who gets a copy of the log", GROUP, LOGS),
    Call(
        "logs",
        "FilterLogEvents",
        "log_group",
        "what the function wrote",
        {"logGroupName": "{group}", "startTime": "{start_ms}", "endTime": "{end_ms}"},
        LOGS,
        windowed=True,
    ),
    # the audit log itself
    Call("cloudtrail", "GetTrailStatus", "trail", "whether it is logging", {"Name": "{trail}"}),
    Call("cloudtrail", "GetEventSelectors", "trail", "whether runs were recorded", {"TrailName": "{trail}"}),
    Call("cloudtrail", "GetInsightSelectors", "trail", "whether it looks for the unusual", {"TrailName": "{trail}"}),
    Call(
        "cloudtrail",
        "LookupEvents",
        "lookup",
        "management events of the last 90 days",
        {
            "LookupAttributes": event_source,
            "StartTime": "{start}",
            "EndTime": "{end}",
        },
        TOKEN,
        windowed=True,
    ),
    # identities, once an account
    Call(
        "iam",
        "GetRole",
        "role",
        "who may take the role; when it was last used",
        {"RoleName": "{role}"},
        gives=boundary_of,
    ),
    Call("iam", "ListAttachedRolePolicies", "role", "managed policies", {"RoleName": "{role}"}, IAM, policy_of),
    Call("iam", "ListRolePolicies", "role", "inline policies", {"RoleName": "{role}"}, IAM, inline_of),
    Call("iam", "GetRolePolicy", "inline", "what it allows", {"RoleName": "{role}", "PolicyName": "{policy_name}"}),
    Call("iam", "GetPolicy", "policy", "which version counts", {"PolicyArn": "{policy}"}),
    Call("iam", "ListPolicyVersions", "policy", "versions", {"PolicyArn": "{policy}"}, IAM, policy_version_of),
    Call(
        "iam",
        "GetPolicyVersion",
        "policy_version",
        "what each version allows or allowed",
        {"PolicyArn": "{policy}", "VersionId": "{version}"},
    ),
)

TRAIL_CALLS: tuple[Call, ...] = (
    Call("s3", "ListObjectsV2", "trail_files", "which audit files lie in the prefix", {"Bucket": "", "Prefix": ""}),
    Call("s3", "GetObject", "trail_files", "audit files and digest files, byte for byte", {"Bucket": "", "Key": ""}),
)
"""Calls of `--cloudtrail-s3`; `aws_cloudtrail` makes them."""

ACCOUNT_KINDS = frozenset({"role", "inline", "policy", "policy_version"})
"""Things of the whole account: asked once, after the regions."""

LOOKUP_SOURCES = ("lambda", "iam", "sts", "events", "scheduler", "logs", "cloudtrail", "apigateway", "s3")
"""Services whose events `lookup-events` is asked for; it takes one filter at a time, two calls a second."""
