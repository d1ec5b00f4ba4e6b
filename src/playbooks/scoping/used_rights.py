"""Which rights of AWS were used, per identity: records as actions of IAM, so that policies can be compared with them.

Most operations of a record are called what IAM calls the action; where they differ the Service Authorization Reference
says how. Services whose actions are not named after operations (API Gateway: `apigateway:POST`) cannot be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from playbooks.knowledge.operations import base_name
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.policy_documents import matches

if TYPE_CHECKING:
    import pandas as pd

    from playbooks.engine import Tables

# Prefix of IAM where it is not the first label of the service that records name.
PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag", "elasticmapreduce": "elasticmapreduce"}
NOT_COMPARABLE = frozenset({"apigateway", "signin", "sso", "aws-marketplace"})
NO_RIGHT_NEEDED = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
# Actions of IAM for operations called otherwise: Service Authorization Reference, Lambda, S3, Bedrock.
NAMED_OTHERWISE = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetBucketAccelerate": "s3:GetAccelerateConfiguration",
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}
# Rights whose use is a data event, or leaves no record at all: without such records nothing can be said of them.
DATA_RIGHTS = (
    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetObjectVersion"),
    *("s3:GetObjectTagging", "s3:PutObjectTagging", "s3:PutObjectAcl", "s3:AbortMultipartUpload"),
    *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"),
    *("dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem"),
    *("dynamodb:GetRecords", "dynamodb:GetShardIterator", "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"),
    *("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sns:Publish"),
    *("logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "cloudwatch:PutMetricData"),
    *("kinesis:PutRecord", "kinesis:PutRecords", "kinesis:GetRecords", "kinesis:GetShardIterator"),
    *("kinesis:SubscribeToShard", "firehose:PutRecord", "firehose:PutRecordBatch", "execute-api:Invoke"),
    *("execute-api:ManageConnections", "events:PutEvents", "iam:PassRole", "states:SendTaskSuccess"),
)


@dataclass(frozen=True)
class Calls:
    """Successful calls of one identity under one action of IAM."""

    action: str
    calls: int
    first: pd.Timestamp
    last: pd.Timestamp
    refs: tuple[str, ...]


def action_of(service: str, operation: str) -> str | None:
    """The action of IAM behind a recorded operation; null where they cannot be compared."""
    label = service.lower().removesuffix(".amazonaws.com").split(".")[0]
    if label in NOT_COMPARABLE or not label:
        return None
    logged = f"{PREFIXES.get(label, label)}:{base_name(operation)}"
    return NAMED_OTHERWISE.get(logged, logged)


def calls_of_roles(tables: Tables, roles: Iterable[str]) -> Mapping[tuple[str | None, str], list[Calls]]:
    """Successful calls per (account, role) of these roles, by action; the first record of each."""
    api = tables.api_activity
    issuer = api.actor_session_issuer
    mine = api.filter(
        api.cloud_provider == "AWS",
        api.status == "success",
        issuer.re_extract(r"([^/]+)$", 1).isin(sorted(set(roles))),
        api.api_operation.notnull(),
        api.api_service_name.notnull(),
    )
    place = mine.evidence_id + ":" + mine.record_no.cast("string").lpad(12, "0")
    counted = mine.mutate(place=place).group_by("actor_session_issuer", "api_service_name", "api_operation").agg(
        calls=ibis._.count(), first=ibis._.time.min(), last=ibis._.time.max(), place=ibis._.place.min()
    )  # fmt: skip
    rows = counted.order_by("actor_session_issuer", "api_service_name", "api_operation").execute()
    found: dict[tuple[str | None, str], dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.itertuples(index=False):
        action = action_of(str(row.api_service_name), str(row.api_operation))
        if action and action not in NO_RIGHT_NEEDED:
            parts = str(row.actor_session_issuer).split(":", 5)
            owner = (parts[4] if len(parts) == 6 else None, short_name("iam", str(row.actor_session_issuer)))
            found[owner][action].append(row)
    return {owner: [_calls(action, rows) for action, rows in sorted(by.items())] for owner, by in found.items()}


def _calls(action: str, rows: list[Any]) -> Calls:
    refs = sorted({str(row.place) for row in rows})
    return Calls(
        action,
        sum(int(row.calls) for row in rows),
        min(row.first for row in rows),
        max(row.last for row in rows),
        tuple(f"{item}:{int(number)}" for item, _, number in (ref.partition(":") for ref in refs)),
    )


def leaves_no_record(pattern: str, seen: Iterable[str]) -> bool:
    """Whether the use of a granted right would show in data events only, of which the records hold none.

    `seen` are actions of any identity that the records hold.
    """
    covered = [right for right in DATA_RIGHTS if matches(pattern, right)]
    known = {action.lower() for action in seen}
    return bool(covered) and not any(right.lower() in known for right in covered)
