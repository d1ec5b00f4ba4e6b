"""Which resource an audit record is about, by one short name however the record writes it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from playbooks.scoping.clouds.cloud import Call
from playbooks.scoping.clouds.record_json import plain_text, texts_at

# Written by AWS into the message of a refused call, which carries no request parameters.
REFUSED_ON = re.compile(r"on resource: (arn:[^\s\"',]+)")
# [account:]function:name[:alias or version], alone or as the end of an ARN
PARTIAL_FUNCTION = re.compile(r"(?:[0-9]{12}:)?function:([^:/\s]+)(?::[^:/\s]*)?")
QUALIFIED_FUNCTION = re.compile(r"([A-Za-z0-9_-]+):[A-Za-z0-9$_-]+")
FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]*:[0-9]{12}:function:([A-Za-z0-9_-]+)")
# ARNs whose last part is a path or a pattern of the name itself
WHOLE_NAMES = ("log-group:",)


@dataclass(frozen=True)
class ResourceName:
    """A resource: short name (alias and version left out) and full id where the record has one."""

    name: str | None
    uid: str | None


def resource_of(call: Call) -> ResourceName:
    """The resource of one record: from its request, then its response, then what the format found.

    The message of a refused call names the resource where nothing else does.
    """
    record = {"requestParameters": call.request, "responseElements": call.response}
    candidates = [text for path in call.operation.resource_keys for text in texts_at(record, path)]
    refused = REFUSED_ON.search(call.detail or "")
    candidates += [text for text in map(plain_text, (call.logged_uid, call.logged_name)) if text]
    candidates += [refused[1]] if refused else []
    if not candidates:
        return ResourceName(None, None)
    service = call.operation.service
    name = short_name(service, candidates[0])
    same = (text for text in candidates if text.startswith("arn:") and short_name(service, text) == name)
    return ResourceName(name, next((without_qualifier(text) for text in same), None))


def short_name(service: str, text: str) -> str:
    """`text` without account, region, path, alias and version."""
    resource = text.split(":", 5)[5] if text.startswith("arn:") and text.count(":") >= 5 else text
    if service.startswith("lambda"):
        return _lambda_name(resource)
    if resource is text or resource.startswith(WHOLE_NAMES):
        return resource.removeprefix("log-group:").removesuffix(":*")
    if "/" in resource:
        return resource.rstrip("/").rsplit("/", 1)[1]
    kind, separator, rest = resource.partition(":")
    return rest.split(":", 1)[0] if separator else kind


def _lambda_name(resource: str) -> str:
    partial = PARTIAL_FUNCTION.fullmatch(resource)
    if partial:
        return partial[1]
    kind, _, rest = resource.partition(":")
    if kind in ("layer", "event-source-mapping"):
        return rest.split(":", 1)[0]
    qualified = QUALIFIED_FUNCTION.fullmatch(resource)
    return qualified[1] if qualified else resource


def without_qualifier(arn: str) -> str:
    """A function's ARN without alias or version; any other ARN as it is."""
    function = FUNCTION_ARN.match(arn)
    return function[0] if function else arn


def functions_named(request: dict[str, object]) -> tuple[str, ...]:
    """ARNs, without qualifier, of the Lambda functions that a request names anywhere; sorted."""
    return tuple(sorted({found[0] for found in FUNCTION_ARN.finditer(json.dumps(request))})) if request else ()
