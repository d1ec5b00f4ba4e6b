"""Which serverless service a host name belongs to, and which of its customers it names.

The catalogue (`providers.yaml`) labels; it never accuses. A name outside it is not thereby harmless:
custom domains hide every one of these services.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data

LONGEST_NAME = 253  # characters of a DNS name in text form, without the final dot
LONGEST_PORT = 6  # ":65535"
LONGEST_PATH = 2048  # characters of a path that are looked at: ids stand at its beginning

Confidence = Literal["high", "medium", "low"]
Category = Literal[
    "faas",
    "app-hosting",
    "edge-compute",
    "api-gateway",
    "workflow-automation",
    "app-script",
    "webhook",
    "tunnel",
]
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class HostRule:
    """One shape of host name.

    `regex` matches the whole name in lower case. `suffixes` are the literal ends a matching name can have;
    they are the index. `tenant` names the group that identifies the customer (`a+b` joins two groups), or is
    null where the host name says nothing about the customer. `shared` marks a host that serves everybody.
    """

    __pydantic_config__ = STRICT
    regex: re.Pattern[str]
    suffixes: tuple[str, ...]
    tenant: str | None
    tenant_kind: str | None
    examples: tuple[str, ...]
    region: str | None = None
    resource: str | None = None
    shared: bool = False

    @cached_property
    def tenant_groups(self) -> tuple[str, ...]:
        """The groups whose text, joined, is the tenant."""
        return tuple(self.tenant.split("+")) if self.tenant else ()


@dataclass(frozen=True)
class PathRule:
    """One shape of URL path (with query). A group called `secret` is a credential: `redaction` hides it."""

    __pydantic_config__ = STRICT
    regex: re.Pattern[str]
    tenant: str | None
    tenant_kind: str | None
    examples: tuple[str, ...]
    resource: str | None = None


@dataclass(frozen=True)
class ResponseHeader:
    """A header the provider's front end adds; `sourced` is false where no document was found for it."""

    __pydantic_config__ = STRICT
    name: str
    value: str | None
    sourced: bool


@dataclass(frozen=True)
class Entry:
    """One service of one provider."""

    __pydantic_config__ = STRICT
    id: str
    provider: str
    service: str
    category: Category
    tenant_identifies: str
    hosts: tuple[HostRule, ...]
    paths: tuple[PathRule, ...]
    secret_query: tuple[str, ...]
    response_headers: tuple[ResponseHeader, ...]
    ip_range_feed: str | None
    status: Literal["current", "retired"]
    confidence: Confidence
    sources: tuple[str, ...]
    unsourced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """What the catalogue says of a host.

    `tenant` names the customer of the provider as far as the name or path does, `tenant_kind` says what that
    label is; both are null on a shared host whose path is not known. `resource` is the function, script or
    deployment below the tenant. `matched_by` is `path` where the tenant came from the path.
    """

    id: str
    provider: str
    service: str
    category: str
    tenant: str | None
    tenant_kind: str | None
    region: str | None
    matched_by: Literal["host", "path"]
    confidence: str
    resource: str | None = None
    shared: bool = False
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)


def plain_host(text: str) -> str | None:
    """`text` as a lower-case name without port and final dot; null where it can be no DNS name."""
    if len(text) > LONGEST_NAME + 1 + LONGEST_PORT or not text.isascii() or text.startswith("["):
        return None
    name = text.partition(":")[0].removesuffix(".").lower()
    return name if 0 < len(name) <= LONGEST_NAME else None


def last_two_labels(name: str) -> str:
    """Key of the index: no suffix of the catalogue is shorter."""
    return ".".join(name.rsplit(".", 2)[-2:])


@dataclass(frozen=True)
class Catalogue:
    """The services, in the order of the file; `version` is written into every result that used it."""

    __pydantic_config__ = STRICT
    version: str
    entries: tuple[Entry, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """The entries by their id, as a match names them."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def _index(self) -> Mapping[str, tuple[tuple[str, HostRule, Entry], ...]]:
        rules = [(suffix, rule, entry) for entry in self.entries for rule in entry.hosts for suffix in rule.suffixes]
        rules.sort(key=lambda item: -len(item[0]))  # the most specific suffix wins; then the order of the file
        keys = {last_two_labels(suffix) for suffix, _, _ in rules}
        return {key: tuple(item for item in rules if last_two_labels(item[0]) == key) for key in keys}

    def classify(self, host: str, path: str | None = None) -> Match | None:
        """The service behind `host`, or null outside the catalogue.

        Parameters
        ----------
        host
            Name as logged: any case, with or without port and final dot.
        path
            Path (and query) of the URL where it is known; it names the customer on shared hosts.
        """
        name = plain_host(host)
        if name is None:
            return None
        for suffix, rule, entry in self._index.get(last_two_labels(name), ()):
            if name.endswith(suffix) and (found := rule.regex.fullmatch(name)):
                return _describe(entry, rule, found, path)
        return None


def _describe(entry: Entry, rule: HostRule, found: re.Match[str], path: str | None) -> Match:
    labels = {name: value for name, value in found.groupdict().items() if value is not None}
    tenant = "".join(labels.get(group, "") for group in rule.tenant_groups) or None
    kind = rule.tenant_kind if tenant else None
    resource = labels.get(rule.resource) if rule.resource else None
    matched_by: Literal["host", "path"] = "host"
    by_path = _match_path(entry, path) if path else None
    if by_path is not None:
        path_rule, in_path = by_path
        resource = in_path.get(path_rule.resource or "", resource)
        if tenant is None and path_rule.tenant:
            tenant, kind, matched_by = in_path[path_rule.tenant], path_rule.tenant_kind, "path"
        labels = {**in_path, **labels}
    return Match(
        id=entry.id,
        provider=entry.provider,
        service=entry.service,
        category=entry.category,
        tenant=tenant,
        tenant_kind=kind,
        region=labels.get(rule.region) if rule.region else None,
        matched_by=matched_by,
        confidence=entry.confidence,
        resource=resource,
        shared=rule.shared,
        labels=labels,
    )


def _match_path(entry: Entry, path: str) -> tuple[PathRule, dict[str, str]] | None:
    """First path rule of the service that fits, with its groups; credentials are left out."""
    for rule in entry.paths:
        if found := rule.regex.match(path[:LONGEST_PATH]):
            groups = found.groupdict()
            return rule, {name: value for name, value in groups.items() if value and name != "secret"}
    return None


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of this release, read once."""
    return TypeAdapter(Catalogue).validate_python(read_data("providers.yaml"))
