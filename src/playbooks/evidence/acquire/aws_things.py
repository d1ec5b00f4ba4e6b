"""Things that an answer of AWS names and that are asked about in turn; every value of them is untrusted.

Each function takes a parsed answer and the thing it was asked of, and gives the things found. An answer
that is not shaped as AWS shapes it gives fewer things, never an error: the raw answer is kept anyway.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VALUE = re.compile(r"[A-Za-z0-9 _+=,.@:/#$*-]{1,2048}")
"""What names and ids of AWS are made of; anything else is not sent back into a request."""

LATEST = "$LATEST"
SHA256_BYTES = 32
NAMES = {
    "region": "",
    "lookup": "{event_source}",
    "function": "{function}",
    "function_arn": "{arn}",
    "version": "{function}:{qualifier}",
    "alias": "{function}:{qualifier}",
    "arn": "{arn}",
    "rule": "{bus}/{rule}",
    "schedule": "{schedule_group}/{schedule}",
    "layer": "{layer}:{number}",
    "signing": "{signing}",
    "log_group": "{group}",
    "trail": "{trail}",
    "bus": "{bus}",
    "role": "{role}",
    "inline": "{role}/{policy_name}",
    "policy": "{policy}",
    "policy_version": "{policy}:{version}",
    "package": "{of}",
}


@dataclass(frozen=True)
class Thing:
    """A kind and the fields that name it."""

    kind: str
    fields: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        return dict(self.fields)[name]

    @property
    def name(self) -> str:
        """How a line of the acquisition calls it."""
        return NAMES[self.kind].format_map(dict(self.fields))

    def strange(self) -> list[str]:
        """Fields that are not what AWS allows: they are not used in a request."""
        return [name for name, value in self.fields if not VALUE.fullmatch(value) or ".." in value.split("/")]

    def beside(self, other: Thing) -> Thing:
        """The same thing with the fields of another one beside its own."""
        return Thing(self.kind, self.fields + other.fields)


def thing(kind: str, **fields: str) -> Thing:
    """A thing with its fields."""
    return Thing(kind, tuple(fields.items()))


def found(answer: Any, path: str) -> Iterator[Any]:
    """What stands at a path of names in an answer; lists on the way give each of their members."""
    if isinstance(answer, list):
        for member in answer:
            yield from found(member, path)
    elif not path:
        yield answer
    elif isinstance(answer, Mapping):
        name, _, rest = path.partition(".")
        if name in answer:
            yield from found(answer[name], rest)


def texts(answer: Any, path: str) -> list[str]:
    """The texts and numbers at a path, as text."""
    return [str(value) for value in found(answer, path) if isinstance(value, str | int) and value != ""]


def text(answer: Any, path: str) -> str:
    """The first text at a path; empty where there is none."""
    return next(iter(texts(answer, path)), "")


def listed_function(answer: Mapping[str, Any], _: Thing) -> list[Thing]:
    """Functions of ListFunctions."""
    return [thing("function", function=name) for name in texts(answer, "Functions.FunctionName")]


def version_of(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """Published versions: `$LATEST` is what the function itself is asked for."""
    versions = (version for version in texts(answer, "Versions.Version") if version != LATEST)
    return [thing("version", function=asked["function"], qualifier=version) for version in versions]


def alias_of(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """Aliases, each a qualifier and an ARN that rules can name."""
    aliases = [thing("alias", function=asked["function"], qualifier=name) for name in texts(answer, "Aliases.Name")]
    return aliases + [thing("arn", arn=arn) for arn in texts(answer, "Aliases.AliasArn")]


def configured_things(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """What GetFunction names: package, ARN, role, log group, layers."""
    things = [*_package(answer, "Code", text(answer, "Configuration.CodeSha256"), asked.name)]
    arn = text(answer, "Configuration.FunctionArn")
    if arn and asked.kind != "alias":  # an alias answers with the ARN of the version behind it
        things.append(thing("arn", arn=arn))
    if arn and asked.kind == "function":
        things.append(thing("function_arn", arn=arn))
    things += [thing("role", role=role.rpartition("/")[2]) for role in texts(answer, "Configuration.Role")]
    group = text(answer, "Configuration.LoggingConfig.LogGroup") or f"/aws/lambda/{asked['function']}"
    things.append(thing("log_group", group=group))
    for layer in texts(answer, "Configuration.Layers.Arn"):
        name, _, number = layer.rpartition(":")
        if number.isdecimal():
            things.append(thing("layer", layer=name, number=number))
    return things


def layer_package_of(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """The package of a layer version."""
    return [*_package(answer, "Content", text(answer, "Content.CodeSha256"), asked.name)]


def _package(answer: Mapping[str, Any], member: str, stated: str, of: str) -> Iterator[Thing]:
    location = text(answer, f"{member}.Location")
    image = text(answer, f"{member}.ResolvedImageUri") or text(answer, f"{member}.ImageUri")
    if location or image:
        yield thing("package", of=of, location=location, image=image, stated=_hex(stated))


def _hex(stated: str) -> str:
    """A digest that AWS writes as base64, as hexadecimal; empty where it is no SHA-256."""
    try:
        digest = base64.b64decode(stated, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return digest.hex() if len(digest) == SHA256_BYTES else ""


def signing_of(answer: Mapping[str, Any], _: Thing) -> list[Thing]:
    """The code signing configuration of a function."""
    return [thing("signing", signing=arn) for arn in texts(answer, "CodeSigningConfigArn")]


def bus_of(answer: Mapping[str, Any], _: Thing) -> list[Thing]:
    """Event buses."""
    return [thing("bus", bus=name) for name in texts(answer, "EventBuses.Name")]


def rule_of(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """Rules that have the thing asked of as a target."""
    return [thing("rule", rule=name, bus=asked["bus"]) for name in texts(answer, "RuleNames")]


def schedule_of(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """Schedules that run a wanted function, or any Lambda operation: the input of those names the function."""
    wanted = set(filter(None, asked["functions"].split(",")))
    things = []
    for schedule in found(answer, "Schedules"):
        target = text(schedule, "Target.Arn")
        function = re.match(r"arn:[\w-]+:lambda:[\w-]*:\d*:function:([\w-]+)", target)
        if ":::aws-sdk:lambda:" in target or (function and (not wanted or function[1] in wanted)):
            group = text(schedule, "GroupName") or "default"
            things.append(thing("schedule", schedule=text(schedule, "Name"), schedule_group=group))
    return things


def trail_of(answer: Mapping[str, Any], _: Thing) -> list[Thing]:
    """Trails, by ARN: those of other regions and of the organisation too."""
    return [thing("trail", trail=arn) for arn in texts(answer, "trailList.TrailARN")]


def boundary_of(answer: Mapping[str, Any], _: Thing) -> list[Thing]:
    """The permissions boundary of a role."""
    return [thing("policy", policy=arn) for arn in texts(answer, "Role.PermissionsBoundary.PermissionsBoundaryArn")]


def policy_of(answer: Mapping[str, Any], _: Thing) -> list[Thing]:
    """Managed policies attached to a role."""
    return [thing("policy", policy=arn) for arn in texts(answer, "AttachedPolicies.PolicyArn")]


def inline_of(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """Inline policies of a role."""
    return [thing("inline", role=asked["role"], policy_name=name) for name in texts(answer, "PolicyNames")]


def policy_version_of(answer: Mapping[str, Any], asked: Thing) -> list[Thing]:
    """Every version of a managed policy, the default one and those before it."""
    versions = texts(answer, "Versions.VersionId")
    return [thing("policy_version", policy=asked["policy"], version=version) for version in versions]


METRICS = {
    "Invocations": "Sum",
    "Errors": "Sum",
    "Throttles": "Sum",
    "Duration": "Sum",
    "ConcurrentExecutions": "Maximum",
    "AsyncEventsReceived": "Sum",
    "AsyncEventsDropped": "Sum",
    "DeadLetterErrors": "Sum",
    "DestinationDeliveryFailures": "Sum",
    "UrlRequestCount": "Sum",
    "Url4xxError": "Sum",
    "Url5xxError": "Sum",
    "Url4xxCount": "Sum",
    "Url5xxCount": "Sum",
    "UrlRequestLatency": "Maximum",
}
"""Metrics of a function and the statistic asked for; AWS writes the errors of URLs under two names."""


def event_source(asked: Mapping[str, str]) -> list[dict[str, str]]:
    """The filter of LookupEvents: it takes one at a time."""
    return [{"AttributeKey": "EventSource", "AttributeValue": asked["event_source"]}]


def metric_queries(asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """One query per metric, for the function over all its versions."""
    dimensions = [{"Name": "FunctionName", "Value": asked["function"]}]
    return [
        {
            "Id": f"m{number}",
            "Label": name,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions},
                "Period": int(asked["period_s"]),
                "Stat": statistic,
            },
        }
        for number, (name, statistic) in enumerate(METRICS.items(), start=1)
    ]
