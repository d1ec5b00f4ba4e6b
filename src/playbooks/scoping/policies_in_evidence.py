"""Which policy documents of AWS the evidence holds: set by records, or acquired; of whom, and until when.

Only calls that succeeded set a policy. A document that was replaced or removed later stays listed with the record that
ended it: a right that was given for ten minutes was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.aws_principals import arn_account
from playbooks.scoping.clouds.record_json import json_object, plain_text, text_at
from playbooks.scoping.policy_documents import Policy, read_policy

if TYPE_CHECKING:
    from playbooks.engine import Tables

Use = Literal["identity", "trust", "resource"]
THERE = ("answered", "unchanged")


@dataclass(frozen=True)
class Document:
    """A policy of one owner. `name` tells policies of the same owner apart; `ended` is the record that ended it."""

    owner: str
    owner_type: str
    account: str | None
    use: Use
    name: str
    policy: Policy
    refs: tuple[str, ...]
    uid: str | None = None
    ended: str | None = None


@dataclass(frozen=True)
class Setting:
    """Where a request names owner, policy and document. `statement` marks a document that is one bare statement."""

    service: str
    owner_type: str
    use: Use
    owner: tuple[str, ...]
    document: tuple[str, ...]
    name: tuple[str, ...] = ()
    statement: bool = False


SETTING: Mapping[str, Setting] = {
    "PutRolePolicy": Setting("iam", "role", "identity", ("roleName",), ("policyDocument",), ("policyName",)),
    "PutUserPolicy": Setting("iam", "user", "identity", ("userName",), ("policyDocument",), ("policyName",)),
    "PutGroupPolicy": Setting("iam", "group", "identity", ("groupName",), ("policyDocument",), ("policyName",)),
    "CreateRole": Setting("iam", "role", "trust", ("roleName",), ("assumeRolePolicyDocument",)),
    "UpdateAssumeRolePolicy": Setting("iam", "role", "trust", ("roleName",), ("policyDocument",)),
    "CreatePolicy": Setting("iam", "policy", "identity", ("policyName",), ("policyDocument",)),
    "CreatePolicyVersion": Setting("iam", "policy", "identity", ("policyArn",), ("policyDocument",)),
    "AddPermission": Setting(
        "lambda", "function", "resource", ("functionName",), ("statement",), ("statementId",), statement=True
    ),
    "AddLayerVersionPermission": Setting(
        "lambda", "layer", "resource", ("layerName",), ("statement",), ("statementId",), statement=True
    ),
    "PutBucketPolicy": Setting("s3", "bucket", "resource", ("bucketName",), ("bucketPolicy", "policy")),
    "SetQueueAttributes": Setting("sqs", "queue", "resource", ("queueUrl",), ("attributes.Policy",)),
    "CreateQueue": Setting("sqs", "queue", "resource", ("queueName",), ("attributes.Policy", "attribute.Policy")),
    "PutKeyPolicy": Setting("kms", "key", "resource", ("keyId",), ("policy",)),
    "SetRepositoryPolicy": Setting("ecr", "repository", "resource", ("repositoryName",), ("policyText",)),
}
ENDING: Mapping[str, Setting] = {
    "DeleteRolePolicy": SETTING["PutRolePolicy"],
    "DeleteUserPolicy": SETTING["PutUserPolicy"],
    "RemovePermission": SETTING["AddPermission"],
    "RemoveLayerVersionPermission": SETTING["AddLayerVersionPermission"],
    "DeleteBucketPolicy": SETTING["PutBucketPolicy"],
    "DeleteRole": SETTING["CreateRole"],
}
ATTACHING = {"AttachRolePolicy": ("role", "roleName"), "AttachUserPolicy": ("user", "userName")}
DETACHING = {"DetachRolePolicy": ("role", "roleName"), "DetachUserPolicy": ("user", "userName")}
READING = (
    *("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"),
    *("GetPolicy", "GetPolicyVersion", "GetLayerVersionPolicy"),
)
Owner = tuple[str | None, str, str]  # account, type, short name


@dataclass
class Held:
    """What evidence holds: documents in order of time, managed policies attached to whom, answers about whom."""

    documents: list[Document] = field(default_factory=list)
    attached: dict[tuple[Owner, str], Document] = field(default_factory=dict)  # (owner, ARN): the attachment itself
    answers: dict[tuple[str | None, str, str], dict[str, Any]] = field(default_factory=dict)
    refs: dict[tuple[str | None, str, str], str] = field(default_factory=dict)
    _last: dict[tuple[object, ...], int] = field(default_factory=dict)

    def put(self, one: Document) -> None:
        """Add a document; the earlier one of the same name ends with it, unless both say the same."""
        key = (one.account, one.owner_type, one.owner, one.use, one.name)
        earlier = self._last.get(key)
        if earlier is not None and self.documents[earlier].ended is None:
            held = self.documents[earlier]
            if held.policy == one.policy:
                self.documents[earlier] = replace(held, refs=(*held.refs, *one.refs), uid=held.uid or one.uid)
                return
            self.documents[earlier] = replace(held, ended=one.refs[0])
        self._last[key] = len(self.documents)
        self.documents.append(one)

    def end(self, account: str | None, kind: Setting, owner: str, name: str, ref: str) -> None:
        """Note that a record removed a document."""
        at = self._last.get((account, kind.owner_type, owner, kind.use, name))
        if at is not None and self.documents[at].ended is None:
            self.documents[at] = replace(self.documents[at], ended=ref)


def policies_in_evidence(tables: Tables) -> Held:
    """Every policy document of AWS in the evidence, in order of time."""
    held = Held()
    steps = sorted([*_records(tables), *_answers(tables)], key=lambda one: (one["time"], one["item"], one["record_no"]))
    for one in steps:
        (_acquired if "resource_name" in one else _recorded)(held, one)
    return held


def _records(tables: Tables) -> Iterator[dict[str, Any]]:
    api = tables.api_activity
    names = [*SETTING, *ENDING, *ATTACHING, *DETACHING]
    base = api.api_operation.re_replace(r"20[0-9]{6}(v[0-9]+)?$", "")
    done = api.filter(api.cloud_provider == "AWS", api.status == "success", base.isin(names))
    yield from _rows(
        done.mutate(operation=base).select(
            "evidence_id", "record_no", "time", "operation", "request", "response",
            service="api_service_name", account="cloud_account_uid",
        )
    )  # fmt: skip


def _answers(tables: Tables) -> Iterator[dict[str, Any]]:
    """Acquired answers; one that is unchanged comes with the content that it repeats."""
    asked = tables.acquired_answers
    wanted = asked.filter(asked.api_operation.isin(READING), asked.status.isin(THERE), asked.resource_name.notnull())
    rows = list(
        _rows(
            wanted.select(
                "evidence_id", "record_no", "time", "resource_name", "response", "same_as",
                operation="api_operation", service="api_service_name", account="cloud_account_uid",
            )
        )
    )  # fmt: skip
    content = {row["ref"]: row["response"] for row in rows}
    for row in rows:
        yield {**row, "response": row["response"] or content.get(row["same_as"] or "")}


def _rows(rows: Any) -> Iterator[dict[str, Any]]:
    for row in rows.order_by("evidence_id", "record_no").to_pyarrow().to_pylist():
        number = str(row["evidence_id"]).lstrip("E")
        item = int(number) if number.isascii() and number.isdecimal() else 0
        yield {**row, "item": item, "ref": f"{row['evidence_id']}:{row['record_no']}"}


def _recorded(held: Held, one: dict[str, Any]) -> None:
    request, response = json_object(one["request"]), json_object(one["response"])
    operation, service = one["operation"], str(one["service"] or "").removesuffix(".amazonaws.com")
    attaching = ATTACHING.get(operation) or DETACHING.get(operation)
    if attaching and service == "iam":
        _attached(held, one, attaching, request)
        return
    kind = SETTING.get(operation) or ENDING.get(operation)
    owner = text_at(request, *kind.owner) if kind and kind.service == service else None
    if kind is None or owner is None:
        return
    name = (text_at(request, *kind.name) if kind.name else None) or kind.use
    short = short_name(kind.service, owner)
    if operation in ENDING:
        held.end(one["account"], kind, short, name, one["ref"])
    elif operation != "CreatePolicyVersion" or request.get("setAsDefault") is True:
        found = _member(response if kind.statement else request, kind.document)
        if found is not None:
            policy = read_policy({"Statement": [json_object(found)]} if kind.statement else found)
            uid = text_at(response, "policy.arn", "role.arn") or (owner if owner.startswith("arn:") else None)
            held.put(Document(short, kind.owner_type, one["account"], kind.use, name, policy, (one["ref"],), uid))


def _attached(held: Held, one: dict[str, Any], kind: tuple[str, str], request: dict[str, object]) -> None:
    owner, arn = text_at(request, kind[1]), text_at(request, "policyArn")
    if owner and arn:
        key = ((one["account"], kind[0], owner), arn)
        if one["operation"] in ATTACHING:
            held.attached[key] = Document(
                owner, kind[0], one["account"], "identity", arn, Policy(()), (one["ref"],), uid=arn
            )
        elif key in held.attached:
            held.attached[key] = replace(held.attached[key], ended=one["ref"])


def _acquired(held: Held, one: dict[str, Any]) -> None:
    content, name, account = json_object(one["response"]), str(one["resource_name"]), one["account"]
    operation, service = one["operation"], str(one["service"] or "").removesuffix(".amazonaws.com")
    key = (account, f"{service}:{operation}", name)
    held.answers[key], held.refs[key] = content, one["ref"]
    document = _document(f"{service}:{operation}", name, account, content)
    if document is not None:
        held.put(replace(document, refs=(one["ref"],)))
    if operation == "ListAttachedRolePolicies":
        for arn in _arns(content):
            place = ((account, "role", name), arn)
            held.attached.setdefault(
                place, Document(name, "role", account, "identity", arn, Policy(()), (one["ref"],), uid=arn)
            )


def _arns(content: Mapping[str, object]) -> list[str]:
    listed = content.get("AttachedPolicies")
    found = (text_at(one, "PolicyArn") for one in listed) if isinstance(listed, list) else ()
    return [arn for arn in found if arn]


def _document(call: str, name: str, account: str | None, content: dict[str, object]) -> Document | None:
    """The document that one answer holds, without its reference; null where it holds none."""
    if call == "iam:GetRole" and (found := _member(content, ("Role.AssumeRolePolicyDocument",))) is not None:
        return Document(name, "role", account, "trust", "trust", read_policy(found), (), text_at(content, "Role.Arn"))
    if call == "iam:GetRolePolicy" and (found := _member(content, ("PolicyDocument",))) is not None:
        role, _, policy = name.partition("/")
        return Document(role, "role", account, "identity", policy or "inline", read_policy(found), ())
    if call == "iam:GetPolicyVersion" and (found := _member(content, ("PolicyVersion.Document",))) is not None:
        arn, _, version = name.rpartition(":")
        of = arn_account(arn) or account
        return Document(short_name("iam", arn), "policy", of, "identity", version, read_policy(found), (), arn)
    if call in ("lambda:GetPolicy", "lambda:GetLayerVersionPolicy") and (found := content.get("Policy")) is not None:
        kind = "function" if call == "lambda:GetPolicy" else "layer"
        return Document(short_name("lambda", name), kind, account, "resource", name, read_policy(found), ())
    return None


def _member(record: Mapping[str, object], paths: tuple[str, ...]) -> object:
    """The value itself at the first of dotted `paths`, whatever its length; null where there is none."""
    for path in paths:
        found: object = record
        for step in path.split("."):
            found = found.get(step) if isinstance(found, dict) else None
        if found is not None:
            return found if isinstance(found, dict) or plain_text(found) is None else str(found)
    return None
