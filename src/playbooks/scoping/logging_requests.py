"""What a request to a logging or watching service of AWS sets: the thing, and the facets of what it records.

Paths and defaults are those of the services' API references: a trail without selectors records every management event
and no data event; a log group without retention keeps its records without end; a function writes to the log group of
its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from playbooks.scoping.clouds.record_json import text_at, texts_at
from playbooks.scoping.logging_state import Days, Facet, Flag, Level, Place, Scope, State, Test

Request = Mapping[str, object]
WRITES, TRAIL_SCOPE = "writing", "what it records"
MANAGEMENT = (("management reads", None), ("management writes", None))
LEVELS = {name: rank for rank, name in enumerate(("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"))}
OFF, ON = {WRITES: Flag(False)}, {WRITES: Flag(True)}


def flag(value: object) -> bool | None:
    """A switch, which some services write as text; null for anything else."""
    return {"true": True, "false": False}.get(str(value).lower())


def _flags(request: Request, **names: str) -> dict[str, Facet]:
    found = {words.replace("_", " "): flag(request.get(path)) for words, path in names.items()}
    return {words: Flag(value) for words, value in found.items() if value is not None}


def _places(request: Request, **names: str) -> dict[str, Facet]:
    found = {words.replace("_", " "): text_at(request, path) for words, path in names.items()}
    return {words: Place(where) for words, where in found.items() if where}


def trail_settings(request: Request) -> State:
    """Region, bucket, log group, digest files and global services of a trail, as far as a request names them."""
    return {
        **_flags(request, all_regions="isMultiRegionTrail", global_services="includeGlobalServiceEvents",
                 digest_files="enableLogFileValidation", whole_organisation="isOrganizationTrail"),
        **_places(request, bucket="s3BucketName", log_group="cloudWatchLogsLogGroupArn"),
    }  # fmt: skip


def new_trail(request: Request) -> State:
    """A trail at its creation: what the request says, and the defaults that AWS documents."""
    default: dict[str, Facet] = {"all regions": Flag(False), "digest files": Flag(False)}
    return {**default, TRAIL_SCOPE: Scope(frozenset(MANAGEMENT)), **trail_settings(request)}


def selectors(request: Request) -> State:
    """What event selectors record, basic and advanced; keys in either case (requests and answers)."""
    parts: set[tuple[str, str | None]] = set()
    told = False
    for name, value in request.items():
        if name.lower() in ("eventselectors", "advancedeventselectors") and isinstance(value, list):
            told = True
            reader = _basic if name.lower() == "eventselectors" else _advanced
            parts.update(part for one in value[:250] if isinstance(one, dict) for part in reader(one))
    return {TRAIL_SCOPE: Scope(frozenset(parts))} if told else {}


def _basic(one: dict[str, object]) -> Iterable[tuple[str, str | None]]:
    half = {"readonly": ("reads",), "writeonly": ("writes",)}.get((text_at(one, "readWriteType") or "").lower())
    halves = half or ("reads", "writes")
    lower = {name.lower(): value for name, value in one.items()}
    if flag(lower.get("includemanagementevents", True)) is not False:
        without = texts_at(one, "excludeManagementEventSources")
        parts = f"except {', '.join(sorted(without))}" if without else None
        yield from ((f"management {each}", parts) for each in halves)
    resources = lower.get("dataresources")
    for resource in resources if isinstance(resources, list) else ():
        kind = text_at(resource, "type")
        for value in texts_at(resource, "values") if kind else ():
            whole = value.rstrip(":/").count(":") <= 2  # arn:aws:lambda, arn:aws:s3:::, every thing of the kind
            yield from ((f"{kind} {each}", None if whole else value) for each in halves)


def _advanced(one: dict[str, object]) -> Iterable[tuple[str, str | None]]:
    fields = {name.lower(): value for name, value in one.items()}.get("fieldselectors")
    told: dict[str, str] = {}
    for selector in fields if isinstance(fields, list) else ():
        name = text_at(selector, "field")
        if name and isinstance(selector, dict):
            tests = sorted(key for key in selector if key.lower() != "field")
            told[name.lower()] = "; ".join(f"{key} {', '.join(sorted(texts_at(selector, key)))}" for key in tests)
    category, kind = _equals(told.pop("eventcategory", "")), _equals(told.pop("resources.type", ""))
    halves = {"true": ("reads",), "false": ("writes",)}.get(_equals(told.pop("readonly", "")), ("reads", "writes"))
    what = "management" if category == "Management" else kind or category
    narrowed = "where " + ", ".join(f"{name} {test}" for name, test in sorted(told.items())) if told else None
    yield from ((f"{what} {each}", narrowed) for each in halves if what)


def _equals(test: str) -> str:
    return test.partition(" ")[2] if test.lower().startswith("equals ") else ""


def _insights(request: Request) -> State:
    kinds = texts_at(request, "insightSelectors[].insightType")
    return {"insights": Scope(frozenset((kind, None) for kind in kinds))}


def _retention(request: Request) -> State:
    days = text_at(request, "retentionInDays")
    return {"retention": Days(float(days))} if days and days.isascii() and days.isdigit() and len(days) < 9 else {}


def function_logging(request: Request) -> State:
    """Log group and levels of a function; nothing where the request does not speak of them."""
    found: dict[str, Facet] = {**_places(request, log_group="loggingConfig.logGroup")}
    for words, path in (("level of the application", "applicationLogLevel"), ("level of the system", "systemLogLevel")):
        level = (text_at(request, f"loggingConfig.{path}") or "").upper()
        if level in LEVELS:
            found[words] = Level(LEVELS[level], level)
    return found


def _new_function(request: Request) -> State:
    name = text_at(request, "functionName")
    default: dict[str, Facet] = {"log group": Place(f"/aws/lambda/{name}")} if name else {}
    return {**default, **function_logging(request)}


def _bucket_logging(request: Request) -> State:
    target = text_at(request, "BucketLoggingStatus.LoggingEnabled.TargetBucket", "logging[].targetBucket")
    return {WRITES: Flag(target is not None), **({"bucket": Place(target)} if target else {})}


def _detector(request: Request) -> State:
    found = _flags(request, writing="enable")
    features = request.get("features")
    for one in features if isinstance(features, list) else ():
        name, status = text_at(one, "name"), text_at(one, "status")
        if name and status in ("ENABLED", "DISABLED"):
            found[f"feature {name}"] = Flag(status == "ENABLED")
    return found


def _recorder(request: Request) -> State:
    group = request.get("configurationRecorder")
    inside = group.get("recordingGroup") if isinstance(group, dict) else None
    return _flags(inside, every_kind_of_resource="allSupported") if isinstance(inside, dict) else {}


def always(state: State) -> Callable[[Request], State]:
    """A call that always means the same."""
    return lambda request: state


@dataclass(frozen=True)
class Act:
    """One operation: kind of thing, where its name stands, what it sets, and its word where it ends something."""

    kind: str
    name: tuple[str, ...]
    sets: Callable[[Request], State]
    word: str | None = None


TRAIL, GROUP = ("name", "trailName"), ("logGroupName",)
FLOW = ("DeleteFlowLogsRequest.FlowLogId.content", "flowLogIds[]", "DeleteFlowLogsRequest.FlowLogId[].content")
DETECTOR, QUERIES = ("detectorId",), ("resolverQueryLogConfigId",)
STANDARDS = ("standardsSubscriptionArns[]", "standardsSubscriptionRequests[].standardsArn")
RECORDER = ("configurationRecorderName", "configurationRecorder.name")
COPY = ("filterName",)
ACTS: Mapping[str, Act] = {
    "cloudtrail:CreateTrail": Act("trail", TRAIL, new_trail),
    "cloudtrail:UpdateTrail": Act("trail", TRAIL, trail_settings),
    "cloudtrail:StartLogging": Act("trail", TRAIL, always(ON)),
    "cloudtrail:StopLogging": Act("trail", TRAIL, always(OFF), "stopped"),
    "cloudtrail:DeleteTrail": Act("trail", TRAIL, always(OFF), "deleted"),
    "cloudtrail:PutEventSelectors": Act("trail", TRAIL, selectors),
    "cloudtrail:PutInsightSelectors": Act("trail", TRAIL, _insights),
    "cloudtrail:DeleteEventDataStore": Act("event data store", ("eventDataStore",), always(OFF), "deleted"),
    "cloudtrail:StopEventDataStoreIngestion": Act("event data store", ("eventDataStore",), always(OFF), "stopped"),
    "cloudtrail:StartEventDataStoreIngestion": Act("event data store", ("eventDataStore",), always(ON)),
    "logs:CreateLogGroup": Act("log group", GROUP, always({**ON, "retention": Days(math.inf)})),
    "logs:DeleteLogGroup": Act("log group", GROUP, always(OFF), "deleted"),
    "logs:DeleteLogStream": Act("log stream", ("logStreamName",), always(OFF), "deleted"),
    "logs:PutRetentionPolicy": Act("log group", GROUP, _retention),
    "logs:DeleteRetentionPolicy": Act("log group", GROUP, always({"retention": Days(math.inf)})),
    "logs:PutSubscriptionFilter": Act("subscription filter", COPY, lambda r: {
        **ON, **_places(r, destination="destinationArn"), "pattern": Test(text_at(r, "filterPattern") or "")}),
    "logs:DeleteSubscriptionFilter": Act("subscription filter", COPY, always(OFF), "deleted"),
    "ec2:CreateFlowLogs": Act("flow log", ("CreateFlowLogsRequest.ResourceId.content",), always(ON)),
    "ec2:DeleteFlowLogs": Act("flow log", FLOW, always(OFF), "deleted"),
    "s3:PutBucketLogging": Act("bucket access log", ("bucketName",), _bucket_logging),
    "route53resolver:CreateResolverQueryLogConfig": Act("query log", ("name",), always(ON)),
    "route53resolver:AssociateResolverQueryLogConfig": Act("query log", QUERIES, always(ON)),
    "route53resolver:DeleteResolverQueryLogConfig": Act("query log", QUERIES, always(OFF), "deleted"),
    "route53resolver:DisassociateResolverQueryLogConfig": Act("query log", QUERIES, always(OFF), "stopped"),
    "guardduty:CreateDetector": Act("detector", DETECTOR, _detector),
    "guardduty:UpdateDetector": Act("detector", DETECTOR, _detector),
    "guardduty:DeleteDetector": Act("detector", DETECTOR, always(OFF), "deleted"),
    "guardduty:StopMonitoringMembers": Act("detector", DETECTOR, always({"watching members": Flag(False)}), "stopped"),
    "guardduty:StartMonitoringMembers": Act("detector", DETECTOR, always({"watching members": Flag(True)})),
    "guardduty:DeletePublishingDestination": Act("detector", DETECTOR, always({"export": Flag(False)}), "deleted"),
    "securityhub:EnableSecurityHub": Act("security hub", (), always(ON)),
    "securityhub:DisableSecurityHub": Act("security hub", (), always(OFF), "stopped"),
    "securityhub:BatchDisableStandards": Act("standard", STANDARDS, always(OFF), "stopped"),
    "securityhub:BatchEnableStandards": Act("standard", STANDARDS, always(ON)),
    "config:StartConfigurationRecorder": Act("configuration recorder", RECORDER, always(ON)),
    "config:PutConfigurationRecorder": Act("configuration recorder", RECORDER, _recorder),
    "config:StopConfigurationRecorder": Act("configuration recorder", RECORDER, always(OFF), "stopped"),
    "config:DeleteConfigurationRecorder": Act("configuration recorder", RECORDER, always(OFF), "deleted"),
    "config:DeleteDeliveryChannel": Act("delivery channel", ("deliveryChannelName",), always(OFF), "deleted"),
    "lambda:CreateFunction": Act("function", ("functionName",), _new_function),
    "lambda:UpdateFunctionConfiguration": Act("function", ("functionName",), function_logging),
}  # fmt: skip
